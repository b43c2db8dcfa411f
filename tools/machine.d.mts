// The types of what TypeScript takes from machine.mjs.

/** What Docker answers: the version, or the code of the error that one gets instead. */
export interface Daemon {
  version?: string;
  code?: string;
}

export function askDaemon(): Promise<Daemon>;

/** What is wrong, and what to do. */
export function dockerRemedy(daemon: Pick<Daemon, 'code'>): [what: string, remedy: string];
