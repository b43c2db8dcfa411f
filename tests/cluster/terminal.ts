// A command at a terminal of its own, as the program `script` makes one: what it shows there, and what somebody types.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

export class Terminal {
  /** Ends with the command's exit code. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  #shown = '';

  constructor(command: string[], env: Record<string, string>) {
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const args = process.platform === 'darwin' ? ['-q', '/dev/null', ...command] : ['-qefc', quoted, '/dev/null'];
    this.#child = spawn('script', args, { env: { ...process.env, ...env } });
    this.#child.stdout.on('data', (chunk) => (this.#shown += chunk));
    this.#child.stderr.on('data', (chunk) => (this.#shown += chunk));
    this.#child.stdin.on('error', () => {}); // It may have ended before somebody typed; what it showed says why.
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code) => resolve(code));
    });
  }

  get shown(): string {
    return this.#shown;
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  close(): void {
    this.#child.kill();
  }
}
