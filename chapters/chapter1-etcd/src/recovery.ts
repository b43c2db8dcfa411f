// What a server finds in its data directory when it starts: who it is, and the state that its journal tells of. A server without peers
// has a journal of commands; a member of a cluster has one of Raft's turns, in the folder `member`, and learns from the others which
// commands in it count.

import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#kit/clock';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { type Beginning, begin, type MembershipFlags } from './beginning.ts';
import type { Codec } from './codec.ts';
import type { Disk } from './disk.ts';
import { EtcdError } from './errors.ts';
import { DiskJournal, type Journal, type Recovery, VolatileJournal } from './journal.ts';
import type { Command } from './messages.ts';
import type { Identity } from './raft/messages.ts';
import type { PeerTls } from './raft/peer-rpc.ts';
import { type MemberStorage, openStorage } from './raft/storage.ts';
import { StateMachine } from './state-machine.ts';

/** Where a server's data is, and how to read it. */
export interface Place {
  disk: Disk;
  path: string;
  codec: Codec;
  /** For headers: the term as of now. */
  term: () => number;
  log: Logger;
}

export interface Recovered {
  identity: Identity;
  journal: Journal;
  machine: StateMachine;
}

/** @throws Error if the directory belongs to a member of a cluster, or is damaged */
export async function recoverAlone(place: Place, name: string): Promise<Recovered> {
  const { disk, path, codec, log } = place;
  if ((await readdir(path)).includes('member')) {
    throw new Error(`The data directory ${path} belongs to a member of a cluster: start it with --initial-cluster and --listen-peer-urls.`);
  }
  const identity = { clusterId: idOfName('cluster'), memberId: idOfName(`member ${name}`) };
  const machine = newMachine(identity, place);
  const journal = await openJournal(disk, path, log, {
    restore: (payloads, records) => machine.restore(codec.decodeState(payloads), records),
    replay: (payload) => replay(machine, codec.decodeCommand(payload)),
  });
  return { identity, journal, machine };
}

/** @throws Error if the directory belongs to a server without peers or to another cluster, or is damaged */
export async function recoverMember(
  place: Place,
  flags: MembershipFlags,
  network: { tls: PeerTls | undefined; clock: Clock },
): Promise<Recovered & Pick<MemberStorage, 'recovered'> & Pick<Beginning, 'contacts'>> {
  const { disk, path, codec, log } = place;
  if ((await readdir(path)).some((name) => /^(log|snapshot)-/.test(name))) {
    throw new Error(
      `The data directory ${path} belongs to a server without peers: start it without --listen-peer-urls, or use another one.`,
    );
  }
  const folder = join(path, 'member');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const storage = await openStorage((recovery) => openJournal(disk, folder, log, recovery));
  try {
    const { identity, contacts } = await begin(storage, flags, network);
    const machine = newMachine(identity, place);
    if (storage.state.length > 0) machine.restore(codec.decodeState(storage.state), storage.recovered.snapshot.index);
    return { identity, contacts, recovered: storage.recovered, journal: storage.journal, machine };
  } catch (error) {
    await storage.journal.close();
    throw error;
  }
}

function newMachine(identity: Identity, { term }: Place): StateMachine {
  return new StateMachine({
    ...identity,
    get raftTerm() {
      return term();
    },
  });
}

/** Without a journal the first stages can be written and tested; only what is kept is lost. */
async function openJournal(disk: Disk, directory: string, log: Logger, recovery: Recovery): Promise<Journal> {
  try {
    return await DiskJournal.open(disk, directory, recovery);
  } catch (error) {
    if (!(error instanceof NotImplemented)) throw error;
    // It was met, and there is a way around it: whoever waits for this server need not give up because of it.
    NotImplemented.forget();
    log.warn('nothing is kept on the disk: stage 1.7 is not written yet');
    return new VolatileJournal();
  }
}

/** A command that was refused when it came is refused again, for the same reason, and changes as little as it did then. */
function replay(machine: StateMachine, command: Command): void {
  try {
    machine.apply(command);
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
  }
}

/** The same id for the same name, in any run: 63 bits. */
function idOfName(text: string): string {
  return String(createHash('sha256').update(`kubekata etcd ${text}`).digest().readBigUInt64BE() >> 1n);
}
