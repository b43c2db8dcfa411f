// A shell inside a node, kept open: a command costs a few milliseconds instead of the ~75 of a `docker exec` of its own.
// Commands run one after the other, in the order they were given.

import { randomBytes } from 'node:crypto';
import { type Duplex, PassThrough } from 'node:stream';
import type Docker from 'dockerode';

export class CommandFailed extends Error {
  readonly exitCode: number;
  readonly stderr: string;

  constructor(script: string, exitCode: number, stderr: string) {
    super(
      `in the node, \`${script.length > 200 ? `${script.slice(0, 200)}…` : script}\` ended with ${exitCode}: ${stderr.trim() || '(said nothing)'}`,
    );
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

export interface NodeShell {
  /** Runs a shell script with the given standard input; resolves with its standard output, rejects with CommandFailed. */
  run(script: string, stdin?: string): Promise<string>;
  close(): void;
}

/** Opens a shell in a running container. Rejects when the container isn't there or isn't running. */
export async function openNodeShell(docker: Docker, container: string): Promise<NodeShell> {
  const exec = await docker.getContainer(container).exec({ Cmd: ['sh'], AttachStdin: true, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: true });
  return new ContainerShell(docker, stream, container);
}

interface Command {
  script: string;
  text: string;
  resolve(stdout: string): void;
  reject(error: Error): void;
}

class ContainerShell implements NodeShell {
  readonly #stream: Duplex;
  /** Ends every command's output; unguessable, so no output can contain it. */
  readonly #mark = `end-${randomBytes(12).toString('hex')}`;
  readonly #waiting: Command[] = [];
  #running: Command | undefined;
  #stdout = '';
  #stderr = '';
  #closed: Error | undefined;

  constructor(docker: Docker, stream: Duplex, container: string) {
    this.#stream = stream;
    const stdout = new PassThrough().setEncoding('utf8');
    const stderr = new PassThrough().setEncoding('utf8');
    docker.modem.demuxStream(stream, stdout, stderr);
    stdout.on('data', (text: string) => this.#take(() => (this.#stdout += text)));
    stderr.on('data', (text: string) => this.#take(() => (this.#stderr += text)));
    const ended = () => this.#end(new Error(`the shell in ${container} has ended: is the node's container still running?`));
    stream.on('close', ended).on('end', ended).on('error', ended);
  }

  run(script: string, stdin = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      // A subshell, so that `exit` in a script ends the script; a quoted here-document, so that stdin is taken as it is.
      const input = stdin === '' ? '</dev/null' : `<<'${this.#mark}'\n${stdin.replace(/\n?$/, '\n')}${this.#mark}`;
      const text = `(\n${script}\n) ${input}\necho "${this.#mark} $?"; echo ${this.#mark} >&2\n`;
      this.#waiting.push({ script, text, resolve, reject });
      this.#next();
    });
  }

  close(): void {
    // End of input ends the shell; destroying the stream lets go of the connection.
    this.#stream.end();
    this.#stream.destroy();
    this.#end(new Error('the shell was closed'));
  }

  #next(): void {
    if (this.#running) return;
    this.#running = this.#waiting.shift();
    if (this.#running) this.#stream.write(this.#running.text);
  }

  /** Both streams end with the mark; they may arrive in either order and in pieces. */
  #take(append: () => void): void {
    append();
    const end = this.#stdout.lastIndexOf(this.#mark);
    const errorEnd = this.#stderr.lastIndexOf(this.#mark);
    if (end < 0 || errorEnd < 0 || !this.#stdout.endsWith('\n') || !this.#running) return;
    const { script, resolve, reject } = this.#running;
    const exitCode = Number(this.#stdout.slice(end + this.#mark.length));
    const stdout = this.#stdout.slice(0, end);
    const stderr = this.#stderr.slice(0, errorEnd);
    this.#stdout = this.#stderr = '';
    this.#running = undefined;
    if (exitCode === 0) resolve(stdout);
    else reject(new CommandFailed(script, exitCode, stderr));
    this.#next();
  }

  #end(reason: Error): void {
    this.#closed ??= reason;
    this.#running?.reject(reason);
    for (const command of this.#waiting.splice(0)) command.reject(reason);
    this.#running = undefined;
  }
}
