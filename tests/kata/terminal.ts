// A pseudo terminal for a command: `script` of the system, which Linux (util-linux) and macOS have.

import { type ChildProcess, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { eventually } from '#kit/testing/wait';

const clearScreen = '\x1b[H\x1b[2J\x1b[3J';
/** A cold start compiles what the test needs. */
const patienceMs = 25_000;

export class Terminal {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #output = '';

  /** @param command for a shell, without single quotes */
  constructor(command: string, cwd: string, env: Record<string, string>) {
    const sized = `stty cols 90 rows 40; ${command}`;
    const args = process.platform === 'darwin' ? ['-q', '/dev/null', 'sh', '-c', sized] : ['-qefc', sized, '/dev/null'];
    this.#child = spawn('script', args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (text) => {
      this.#output += text;
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', resolve);
    });
  }

  /** What stands on the screen now, without colours. */
  get screen(): string {
    return this.screens.at(-1) ?? '';
  }

  /** What stood there since the beginning, the last one included. */
  get screens(): string[] {
    return this.#output.split(clearScreen).map((text) => stripVTControlCharacters(text).replaceAll('\r', ''));
  }

  press(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  async shows(text: string | RegExp): Promise<void> {
    const has = () => (typeof text === 'string' ? this.screen.includes(text) : text.test(this.screen));
    await eventually(`the screen shows ${text}`, has, { within: patienceMs, story: () => this.screen });
  }

  /** The exit code. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
