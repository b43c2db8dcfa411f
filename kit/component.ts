// What every component is to the outside: started with its options, reachable at a URL, stopped once.

import type { Clock, Random } from '#kit/clock';
import type { Logger } from '#kit/log';

export interface ListenAddress {
  host: string;
  /** 0 asks the system for a free port. */
  port: number;
}

export interface RunningComponent {
  /** Where it serves, e.g. `https://127.0.0.1:40123`; '' where nothing is served. */
  readonly url: string;
  /** Stops serving and all background work; resolves when nothing is left running. May be called twice. */
  stop(): Promise<void>;
}

/** What every component is given; each adds options of its own. */
export interface ComponentContext {
  clock: Clock;
  random: Random;
  log: Logger;
}

/** PEM texts. */
export interface ServingTls {
  cert: string;
  key: string;
  /** Clients must show a certificate signed by this CA. */
  clientCa?: string;
}

/** PEM texts. */
export interface ClientTls {
  /** The CA that the server's certificate must be signed by. */
  ca: string;
  cert?: string;
  key?: string;
}
