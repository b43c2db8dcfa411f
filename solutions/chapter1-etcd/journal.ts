// What is on the disk: the latest snapshot, and the records since. `append` resolves when its records are safe, in the order of the
// calls; calls that come while the disk is busy share its next turn (group commit). A snapshot makes old records superfluous, so that
// the log does not grow for ever and a start does not take for ever. Records are numbered from 0; a file's name has the number of
// its first record, a snapshot's name the number of the first record that is not in it.
// etcd: server/storage/storage.go

import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { LogFile } from './log-file.ts';
import { readSnapshot, unfinished, writeSnapshot } from './snapshot-file.ts';

export interface Journal {
  /** @throws DiskFull if nothing of it was written and the journal goes on; any other Error if the journal is over */
  append(payloads: Buffer[]): Promise<void>;
  /** Writes a snapshot with the state after so many records, and forgets those records. */
  replaceBySnapshot(records: number, state: Iterable<Buffer>): Promise<void>;
  /** Bytes of log that a start would have to read. */
  readonly logSize: number;
  readonly snapshotSize: number;
  /** How many records there are and ever were. */
  readonly records: number;
  close(): Promise<void>;
}

export interface Recovery {
  /** A snapshot's payloads, and how many records they stand for. Called first, if there is one. */
  restore(payloads: Buffer[], records: number): void;
  /** Every record since, oldest first. */
  replay(payload: Buffer): void;
}

/** The disk has no room for what was to be appended; what was there before is whole. */
export class DiskFull extends Error {}

interface Append {
  payloads: Buffer[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

interface Segment {
  first: number;
  path: string;
  size: number;
}

export class DiskJournal implements Journal {
  readonly #disk: Disk;
  readonly #directory: string;
  /** Oldest first; records are appended to the last one. */
  readonly #segments: Segment[];
  #log: LogFile;
  #records: number;
  #snapshotSize: number;
  #waiting: Append[] = [];
  #turns: Promise<void> | undefined;
  /** The next turn of the disk begins a new segment. */
  #cut = false;
  #failure: Error | undefined;

  private constructor(
    disk: Disk,
    directory: string,
    { segments, log, records, snapshotSize }: { segments: Segment[]; log: LogFile; records: number; snapshotSize: number },
  ) {
    this.#disk = disk;
    this.#directory = directory;
    this.#segments = segments;
    this.#log = log;
    this.#records = records;
    this.#snapshotSize = snapshotSize;
  }

  /** @throws Error if a file is damaged, or records are missing */
  static async open(disk: Disk, directory: string, recovery: Recovery): Promise<DiskJournal> {
    const names = await disk.list(directory);
    for (const name of names) if (name.endsWith(unfinished)) await disk.remove(join(directory, name));
    const start = numbersOf(names, 'snapshot').at(-1);
    let records = start ?? 0;
    let snapshotSize = 0;
    if (start !== undefined) {
      const payloads = await readSnapshot(disk, pathOf(directory, 'snapshot', start));
      snapshotSize = payloads.reduce((size, { length }) => size + length, 0);
      recovery.restore(payloads, start);
    }
    const segments: Segment[] = [];
    let log: LogFile | undefined;
    for (const first of neededSegments(numbersOf(names, 'log'), records)) {
      if (first > records) throw new Error(`${directory} has lost the records ${records} to ${first - 1}. Restore it from a backup.`);
      const path = pathOf(directory, 'log', first);
      await log?.close();
      const opened = await LogFile.open(disk, path);
      log = opened.log;
      for (const payload of opened.payloads.slice(records - first)) recovery.replay(payload);
      records = Math.max(records, first + opened.payloads.length);
      segments.push({ first, path, size: log.size });
    }
    if (!log) {
      const path = pathOf(directory, 'log', records);
      log = (await LogFile.open(disk, path)).log;
      segments.push({ first: records, path, size: 0 });
    }
    return new DiskJournal(disk, directory, { segments, log, records, snapshotSize });
  }

  get records(): number {
    return this.#records;
  }

  get logSize(): number {
    return this.#segments.reduce((size, segment) => size + segment.size, 0);
  }

  get snapshotSize(): number {
    return this.#snapshotSize;
  }

  /**
   * Calls that come while a turn of the disk is under way wait for the next one.
   * @exercise 1.7 Queue the payloads, start the turns of the disk unless they are running, and resolve when the payloads are safe.
   */
  append(payloads: Buffer[]): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ payloads, resolve, reject });
      this.#turns ??= this.#takeTurns();
    });
  }

  async replaceBySnapshot(records: number, state: Iterable<Buffer>): Promise<void> {
    this.#cut = true;
    this.#snapshotSize = await writeSnapshot(this.#disk, pathOf(this.#directory, 'snapshot', records), state);
    for (const number of numbersOf(await this.#disk.list(this.#directory), 'snapshot')) {
      if (number < records) await this.#disk.remove(pathOf(this.#directory, 'snapshot', number));
    }
    for (let [oldest, next] = this.#segments; oldest && next && next.first <= records; [oldest, next] = this.#segments) {
      await this.#disk.remove(oldest.path);
      this.#segments.shift();
    }
  }

  /** Resolves when all that was appended is answered. */
  async close(): Promise<void> {
    this.#failure ??= new Error('the journal is closed');
    await this.#turns;
    await this.#log.close();
  }

  /**
   * Each turn takes all that is waiting, writes it in one go (`#write`), and then settles the calls in their order. A turn that
   * finds the disk full rejects its own calls, and the next may have more luck. Any other failure rejects all calls, those to come
   * as well (`#failure`): nobody knows what is on the disk then.
   * @exercise 1.7 Take turns until nothing is waiting.
   */
  async #takeTurns(): Promise<void> {
    while (this.#waiting.length > 0) {
      const turn = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(turn.flatMap(({ payloads }) => payloads));
        for (const { resolve } of turn) resolve();
      } catch (error) {
        for (const { reject } of turn) reject(error);
        if (error instanceof DiskFull) continue;
        this.#failure = error as Error;
        for (const { reject } of this.#waiting) reject(error);
        this.#waiting = [];
      }
    }
    this.#turns = undefined;
  }

  async #write(payloads: Buffer[]): Promise<void> {
    if (this.#cut) await this.#beginSegment();
    try {
      await this.#log.append(payloads);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      await this.#log.cutToSize();
      throw new DiskFull('the disk is full', { cause: error });
    }
    this.#records += payloads.length;
    (this.#segments.at(-1) as Segment).size = this.#log.size;
  }

  async #beginSegment(): Promise<void> {
    this.#cut = false;
    if (this.#segments.at(-1)?.first === this.#records) return;
    const path = pathOf(this.#directory, 'log', this.#records);
    const { log } = await LogFile.open(this.#disk, path);
    await this.#log.close();
    this.#log = log;
    this.#segments.push({ first: this.#records, path, size: 0 });
  }
}

/** Keeps nothing, so that the chapter can be begun before its stage 1.7 is written. */
export class VolatileJournal implements Journal {
  readonly logSize = 0;
  readonly snapshotSize = 0;
  #records = 0;

  get records(): number {
    return this.#records;
  }

  async append(payloads: Buffer[]): Promise<void> {
    this.#records += payloads.length;
  }

  async replaceBySnapshot(): Promise<void> {}

  async close(): Promise<void> {}
}

function pathOf(directory: string, kind: 'log' | 'snapshot', number: number): string {
  return join(directory, `${kind}-${String(number).padStart(16, '0')}`);
}

/** The numbers in the names of that kind, ascending. */
function numbersOf(names: string[], kind: 'log' | 'snapshot'): number[] {
  const pattern = new RegExp(`^${kind}-(\\d{16})$`);
  return names
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((left, right) => left - right);
}

/** Without those that end before the record. */
function neededSegments(firsts: number[], record: number): number[] {
  return firsts.filter((_, index) => (firsts[index + 1] ?? Number.POSITIVE_INFINITY) > record);
}
