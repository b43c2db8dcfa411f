// Runs one component as a process of its own, its log in a file, and starts it again when it dies: after half a second, then
// twice as long each time, until it has lived for ten. Stopping it ends the starting-again too. The process is made with this
// object and loads its modules at once; its flags it gets with start(), when everything that they name is there.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Clock, Timer } from '#kit/clock';
import type { ComponentFlags, ComponentMessage } from './component.ts';

const firstDelayMs = 500;
const longestDelayMs = 10_000;
const healthyAfterMs = 10_000;
const killAfterMs = 6_000;

export interface ComponentProcessOptions {
  /** Its name in the start-up table: `kubelet (node-1)`. */
  title: string;
  /** As in the component table. */
  component: string;
  /** Whose component it is, for whoever looks at the machine's processes. */
  cluster: string;
  logFile: string;
  /** `learner-3` takes the learner's chapter. */
  condition?: string | undefined;
  clock: Clock;
  /** Told whenever it dies and is back. */
  notice(text: string): void;
}

/** Its flags; `url` is where it served before, so that a restarted one serves at the same place. */
export type FlagsFor = (url: string | undefined) => Record<string, string>;

export class ComponentProcess {
  readonly title: string;
  readonly #options: ComponentProcessOptions;
  #child: ChildProcess;
  #started: number;
  #flags: FlagsFor | undefined;
  #onReady: () => void = () => {};
  #onFailure: (reason: string) => void = () => {};
  #failure: string | undefined;
  #url: string | undefined;
  #delay = firstDelayMs;
  #restart: Timer | undefined;
  #stopped = false;

  constructor(options: ComponentProcessOptions) {
    this.title = options.title;
    this.#options = options;
    this.#started = options.clock.now();
    this.#child = this.#spawn();
  }

  get url(): string {
    return this.#url ?? '';
  }

  /** Resolves when the component serves. Rejects with its own words when its first start fails. */
  start(flags: FlagsFor): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#flags = flags;
      this.#onReady = resolve;
      this.#onFailure = (reason) => reject(new Error(`${this.title} ${reason}`));
      if (this.#failure) this.#onFailure(this.#failure);
      else this.#sendFlags(flags);
    });
  }

  /** TERM, and KILL when that doesn't help; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#restart?.cancel();
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const impatience = this.#options.clock.after(killAfterMs, () => child.kill('SIGKILL'));
    await gone;
    impatience.cancel();
  }

  #spawn(): ChildProcess {
    const { component, logFile, condition, cluster, clock } = this.#options;
    const log = openSync(logFile, 'a');
    const conditions = condition ? [`--conditions=${condition}`] : [];
    const command = [...conditions, 'cluster/component.ts', component, '--of', cluster];
    const child = spawn(process.execPath, command, { stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    this.#started = clock.now();
    this.#failure = undefined;
    child.on('message', (message: ComponentMessage) => {
      if ('failed' in message) {
        this.#failure = message.failed;
        return;
      }
      this.#url = message.ready;
      this.#onReady();
    });
    child.on('exit', (code, signal) => {
      if (this.#stopped) return;
      this.#failure ??= signal ? `was killed by ${signal}` : `ended with code ${code}, see ${logFile}`;
      this.#onFailure(this.#failure);
      if (this.#flags) this.#startAgain(this.#flags, this.#failure);
    });
    return child;
  }

  #sendFlags(flags: FlagsFor): void {
    const message: ComponentFlags = { flags: Object.entries(flags(this.#url)).map(([name, value]) => `--${name}=${value}`) };
    // A process that is just ending can't be told any more; its end is dealt with when it is reported.
    this.#child.send(message, () => {});
  }

  #startAgain(flags: FlagsFor, reason: string): void {
    const { clock, notice } = this.#options;
    if (clock.now() - this.#started > healthyAfterMs) this.#delay = firstDelayMs;
    notice(`${this.title} ${reason}; it is started again in ${this.#delay / 1000} s`);
    this.#onFailure = () => {};
    this.#onReady = () => notice(`${this.title} is back at ${this.url}`);
    this.#restart = clock.after(this.#delay, () => {
      this.#child = this.#spawn();
      this.#sendFlags(flags);
    });
    this.#delay = Math.min(this.#delay * 2, longestDelayMs);
  }
}
