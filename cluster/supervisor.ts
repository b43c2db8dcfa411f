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
  /** As in the component table. */
  component: string;
  /** Whose component it is, for whoever looks at the machine's processes. */
  cluster: string;
  logFile: string;
  /** For the process's Node. */
  nodeFlags: string[];
  /** Milliseconds from its flags until it serves; longer, and it is killed and started again. Absent: for ever. */
  servesWithin?: number;
  clock: Clock;
  observer: ProcessObserver;
}

/** Is told whenever something happens to the process. */
export interface ProcessObserver {
  serves(url: string): void;
  /** It died, or never lived, and will be started again after a while. */
  failed(reason: string, againInMs: number): void;
  /** It goes on, but something in it does not. */
  complains(text: string): void;
}

/** Its flags; `url` is where it served before, so that a restarted one serves at the same place. */
export type FlagsFor = (url: string | undefined) => Record<string, string>;

export class ComponentProcess {
  readonly #options: ComponentProcessOptions;
  readonly #serves = Promise.withResolvers<void>();
  /** Absent between two of them. */
  #child: ChildProcess | undefined;
  #started = 0;
  #flags: FlagsFor | undefined;
  #onReady: () => void = () => {};
  #onFailure: (reason: string) => void = () => {};
  #failure: string | undefined;
  #url: string | undefined;
  #isUp = false;
  #delay = firstDelayMs;
  /** The next start, or the end of the patience with this one. */
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: ComponentProcessOptions) {
    this.#options = options;
    this.#spawn();
  }

  /** Where it serves, or served last; '' before. */
  get url(): string {
    return this.#url ?? '';
  }

  /** It serves at this moment. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Resolves when it serves for the first time, however often it failed before. */
  get serves(): Promise<void> {
    return this.#serves.promise;
  }

  /** Resolves when it serves. Rejects with its own words when its first start fails; it is started again all the same. */
  start(flags: FlagsFor): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#flags = flags;
      this.#onReady = resolve;
      this.#onFailure = (reason) => reject(new Error(reason));
      if (this.#child) this.#sendFlags(this.#child, flags);
      // It died while it loaded its modules.
      else this.#hasFailed();
    });
  }

  /** Starts it anew, without delay: the code that it runs has changed. */
  async renew(): Promise<void> {
    if (this.#stopped) return;
    this.#delay = firstDelayMs;
    const old = this.#child;
    this.#child = undefined;
    this.#isUp = false;
    await this.#end(old);
    if (!this.#child) this.#spawn();
  }

  /** TERM, and KILL when that doesn't help; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#end(this.#child);
  }

  async #end(child: ChildProcess | undefined): Promise<void> {
    this.#timer?.cancel();
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const impatience = this.#options.clock.after(killAfterMs, () => child.kill('SIGKILL'));
    await gone;
    impatience.cancel();
  }

  #spawn(): void {
    if (this.#stopped) return;
    const { component, logFile, nodeFlags, cluster, clock, observer } = this.#options;
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, [...nodeFlags, 'cluster/component.ts', component, '--of', cluster], {
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#child = child;
    this.#started = clock.now();
    this.#failure = undefined;
    child.on('message', (message: ComponentMessage) => {
      if ('failed' in message) this.#failure = message.failed;
      else if ('complaint' in message) observer.complains(message.complaint);
      else this.#isReady(message.ready);
    });
    child.on('exit', (code, signal) => {
      // A process that was ended from here is no news.
      if (child !== this.#child || this.#stopped) return;
      this.#failure ??= signal ? `was killed by ${signal}` : `ended with code ${code}, see ${logFile}`;
      this.#child = undefined;
      this.#isUp = false;
      this.#timer?.cancel();
      if (this.#flags) this.#hasFailed();
    });
    if (this.#flags) this.#sendFlags(child, this.#flags);
  }

  #sendFlags(child: ChildProcess, flags: FlagsFor): void {
    const message: ComponentFlags = { flags: Object.entries(flags(this.#url)).map(([name, value]) => `--${name}=${value}`) };
    // A process that is just ending can't be told any more; its end is dealt with when it is reported.
    child.send(message, () => {});
    const { servesWithin, clock } = this.#options;
    if (servesWithin === undefined) return;
    this.#timer = clock.after(servesWithin, () => {
      this.#failure = `does not serve after ${servesWithin / 1000} s: it waits for something that does not come`;
      child.kill('SIGKILL');
    });
  }

  #isReady(url: string): void {
    this.#timer?.cancel();
    this.#url = url;
    this.#isUp = true;
    this.#serves.resolve();
    this.#onReady();
    this.#onReady = () => {};
    this.#options.observer.serves(url);
  }

  #hasFailed(): void {
    const { clock, observer } = this.#options;
    const reason = this.#failure ?? '';
    if (clock.now() - this.#started > healthyAfterMs) this.#delay = firstDelayMs;
    this.#onFailure(reason);
    this.#onFailure = () => {};
    observer.failed(reason, this.#delay);
    this.#timer = clock.after(this.#delay, () => this.#spawn());
    this.#delay = Math.min(this.#delay * 2, longestDelayMs);
  }
}
