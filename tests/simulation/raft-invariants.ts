// What must be true of a Raft cluster at every moment, whatever happens to it.
// Raft: figure 3. (Log matching is checked by induction: an entry, known by index and term, has the same content and the same entry
// before it wherever it turns up.)

import type { Entry, MemberId } from '#etcd/raft/messages';
import type { Raft } from '#etcd/raft/raft';

interface Settled {
  entry: Entry;
  /** The term in which it was first seen to be committed. */
  inTerm: number;
}

export class Invariants {
  readonly #leaders = new Map<number, MemberId>();
  readonly #entries = new Map<string, string>();
  readonly #settled: Settled[] = [];

  /** The last index that anybody has applied. */
  get settled(): number {
    return this.#settled.length;
  }

  /** After anything has happened to the member. A term that is not on its disk yet has not begun for anybody else. */
  check(raft: Raft, termOnDisk: number): void {
    if (termOnDisk !== raft.term) return;
    this.#electionSafety(raft);
    this.#logMatching(raft);
  }

  #electionSafety(raft: Raft): void {
    if (raft.role !== 'leader') return;
    const leader = this.#leaders.get(raft.term);
    if (leader === raft.id) return;
    if (leader !== undefined) throw new Error(`election safety: term ${raft.term} has two leaders, ${leader} and ${raft.id}`);
    this.#leaders.set(raft.term, raft.id);
    this.#leaderCompleteness(raft);
  }

  #leaderCompleteness({ id, term, log }: Raft): void {
    for (const { entry, inTerm } of this.#settled) {
      if (inTerm >= term || entry.index < log.firstIndex) continue;
      if (log.termAt(entry.index) !== entry.term) {
        throw new Error(
          `leader completeness: ${id} leads term ${term} without entry ${describe(entry)}, which was committed in term ${inTerm}`,
        );
      }
    }
  }

  #logMatching({ id, log }: Raft): void {
    for (let index = log.lastIndex; index >= log.firstIndex; index -= 1) {
      const entry = log.entryAt(index);
      if (!entry) throw new Error(`${id} has no entry ${index} in a log from ${log.firstIndex} to ${log.lastIndex}`);
      const previousTerm = log.termAt(index - 1);
      const content = `${Buffer.from(entry.data)} after term ${previousTerm}`;
      const known = this.#entries.get(`${index}/${entry.term}`);
      if (known === content) return;
      if (known !== undefined)
        throw new Error(`log matching: entry ${describe(entry)} of ${id} is "${content}", elsewhere it is "${known}"`);
      this.#entries.set(`${index}/${entry.term}`, content);
    }
  }

  /** The member applies an entry. */
  applied(id: MemberId, term: number, entry: Entry): void {
    const settled = this.#settled[entry.index - 1];
    if (!settled && entry.index !== this.#settled.length + 1)
      throw new Error(`${id} applies entry ${describe(entry)} before those in front of it`);
    if (!settled) {
      this.#settled.push({ entry, inTerm: term });
    } else if (settled.entry.term !== entry.term || !Buffer.from(settled.entry.data).equals(entry.data)) {
      throw new Error(`state machine safety: ${id} applies ${describe(entry)}, another member has applied ${describe(settled.entry)}`);
    }
  }
}

function describe({ index, term, data }: Entry): string {
  return `${index} of term ${term} (${data.length > 0 ? Buffer.from(data) : 'empty'})`;
}
