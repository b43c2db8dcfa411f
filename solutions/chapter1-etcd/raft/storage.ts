// What a member finds on its disk when it starts, and what it puts there in place of a long log. Its journal's records are the turns of
// the core; a snapshot begins with one record more, that stands for all turns before it, and goes on with the state.

import { inPayloads } from '../codec.ts';
import type { Journal, Recovery } from '../journal.ts';
import type { Entry, HardState, Identity, Snapshot } from './messages.ts';
import { encodeRecord, Recovered } from './wire.ts';

export interface MemberStorage {
  journal: Journal;
  recovered: Recovered;
  /** The state after the entry `recovered.snapshot.index`; empty if nothing was ever applied up to there. */
  state: Buffer[];
}

/**
 * `open` hands over the snapshot's payloads, if there is one, and then the journal's records. A record with a snapshot from the leader
 * carries its state itself, as the records of its `data`.
 * @exercise 1.10 Open the journal, add everything to what was recovered, and return which state belongs to it.
 */
export async function openStorage(open: (recovery: Recovery) => Promise<Journal>): Promise<MemberStorage> {
  const recovered = new Recovered([]);
  let state: Buffer[] = [];
  const journal = await open({
    restore([turns, ...payloads]) {
      if (turns) recovered.add(turns);
      state = payloads;
    },
    replay: (payload) => recovered.add(payload),
  });
  if (recovered.snapshot.data.length > 0) state = inPayloads(recovered.snapshot.data);
  return { journal, recovered, state };
}

export interface Turns {
  identity: Identity;
  hardState: HardState;
  /** Without its state. */
  snapshot: Snapshot;
  /** Those behind the snapshot. */
  entries: readonly Entry[];
}

/** The payloads of a snapshot on the disk. */
export function* snapshotPayloads(turns: Turns, state: Iterable<Buffer>): Generator<Buffer> {
  yield encodeRecord(turns);
  yield* state;
}
