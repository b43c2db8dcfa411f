// Runs one component as a process of its own, its log in a file, and starts it again when it dies: after half a second, then
// twice as long each time, until it has lived for ten. Stopping it ends the starting-again too.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Clock, Timer } from '#kit/clock';
import type { ComponentMessage } from './component.ts';

const firstDelayMs = 500;
const longestDelayMs = 10_000;
const healthyAfterMs = 10_000;
const killAfterMs = 6_000;

export interface ComponentProcessOptions {
  /** Its name in the start-up table: `kubelet (node-1)`. */
  title: string;
  /** As in the component table. */
  component: string;
  /** Its flags; `url` is where it served before, so that a restarted one serves at the same place. */
  flags(url: string | undefined): Record<string, string>;
  logFile: string;
  /** `learner-3` takes the learner's chapter. */
  condition?: string | undefined;
  clock: Clock;
  /** Told whenever it dies and is back. */
  notice(text: string): void;
}

export class ComponentProcess {
  readonly title: string;
  readonly #options: ComponentProcessOptions;
  #child: ChildProcess | undefined;
  #url: string | undefined;
  #delay = firstDelayMs;
  #restart: Timer | undefined;
  #stopped = false;

  constructor(options: ComponentProcessOptions) {
    this.title = options.title;
    this.#options = options;
  }

  get url(): string {
    return this.#url ?? '';
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the component serves. Rejects with its own words when its first start fails. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#spawn(resolve, (reason) => reject(new Error(`${this.title}: ${reason}`))));
  }

  /** TERM, and KILL when that doesn't help; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#restart?.cancel();
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const impatience = this.#options.clock.after(killAfterMs, () => child.kill('SIGKILL'));
    await gone;
    impatience.cancel();
  }

  #spawn(onReady: () => void, onFailure: (reason: string) => void): void {
    const { component, flags, logFile, condition, clock } = this.#options;
    const log = openSync(logFile, 'a');
    const flagList = Object.entries(flags(this.#url)).map(([name, value]) => `--${name}=${value}`);
    const conditions = condition ? [`--conditions=${condition}`] : [];
    const child = spawn(process.execPath, [...conditions, 'cluster/component.ts', component, ...flagList], {
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#child = child;
    const started = clock.now();
    let failure: string | undefined;
    child.on('message', (message: ComponentMessage) => {
      if ('failed' in message) {
        failure = message.failed;
        return;
      }
      this.#url = message.ready;
      onReady();
    });
    child.on('exit', (code, signal) => {
      if (this.#stopped) return;
      const reason = failure ?? (signal ? `was killed by ${signal}` : `ended with code ${code}, see ${logFile}`);
      onFailure(reason);
      this.#startAgain(reason, clock.now() - started);
    });
  }

  #startAgain(reason: string, livedForMs: number): void {
    const { clock, notice } = this.#options;
    if (livedForMs > healthyAfterMs) this.#delay = firstDelayMs;
    notice(`${this.title} ${reason}; it is started again in ${this.#delay / 1000} s`);
    this.#restart = clock.after(this.#delay, () =>
      this.#spawn(
        () => notice(`${this.title} is back at ${this.url}`),
        () => {},
      ),
    );
    this.#delay = Math.min(this.#delay * 2, longestDelayMs);
  }
}
