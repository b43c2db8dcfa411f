// How a member comes into its cluster: it is one of those that begin it, or it joins one that runs, or it has been in it before and its
// data directory says so. From then on who is a member is in the log, and nobody asks the flags again.
// etcd: server/etcdserver/bootstrap.go

import type { Clock } from '#kit/clock';
import { checkUrls, clusterIdOf, memberIdOf, parseInitialCluster } from './identity.ts';
import type { Identity, Member } from './raft/messages.ts';
import { askStranger, type PeerTls } from './raft/peer-rpc.ts';
import type { MemberStorage } from './raft/storage.ts';
import { encodeRecord } from './raft/wire.ts';
import type { ClusterDescription } from './replicated.ts';

const askWithinMs = 5000;

export interface MembershipFlags {
  name: string;
  /** `a=http://10.0.0.1:2380,b=http://10.0.0.2:2380` */
  initialCluster: string;
  /** `existing`: a member of a running cluster has added this one. */
  initialClusterState: 'new' | 'existing';
  /** Keeps clusters with the same URLs apart. */
  initialClusterToken: string;
  /** Said in errors. */
  dataDir: string;
}

export interface Beginning {
  identity: Identity;
  /** Whom to speak to before the log has told who the members are. */
  contacts: readonly Member[];
}

/** @throws Error if the flags don't make a cluster, belong to another one than the data, or nobody answers who knows this member */
export async function begin(
  { journal, recovered }: MemberStorage,
  flags: MembershipFlags,
  network: { tls: PeerTls | undefined; clock: Clock },
): Promise<Beginning> {
  const write = async (record: Parameters<typeof encodeRecord>[0]) => {
    const payload = encodeRecord(record);
    await journal.append([payload]);
    recovered.add(payload);
  };
  if (flags.initialClusterState === 'new') {
    const founding = found(flags);
    const identity = recovered.identity ?? founding.identity;
    if (identity.clusterId !== founding.identity.clusterId || identity.memberId !== founding.identity.memberId) throw otherCluster(flags);
    if (!recovered.identity) await write({ identity, snapshot: { index: 0, term: 0, members: founding.members, data: new Uint8Array() } });
    return { identity, contacts: founding.members };
  }
  const knowsMembers = recovered.snapshot.members.length > 0 || recovered.entries.some((entry) => entry.members);
  if (recovered.identity && knowsMembers) return { identity: recovered.identity, contacts: [] };
  const { clusterId, members } = await askMembers(flags, network);
  const self = members.find(({ peerUrls = [] }) => peerUrls.some((url) => ownUrls(flags).includes(url)));
  if (!self) throw new Error(`the cluster has no member at ${ownUrls(flags)}: add it first, with \`etcdctl member add\``);
  const identity = { memberId: self.id, clusterId };
  if (recovered.identity && recovered.identity.clusterId !== clusterId) throw otherCluster(flags);
  if (!recovered.identity) await write({ identity });
  return { identity: recovered.identity ?? identity, contacts: members };
}

/** The cluster that these flags begin. */
function found(flags: MembershipFlags): { identity: Identity; members: Member[] } {
  const initial = parseInitialCluster(flags.initialCluster).map((member) => {
    checkUrls(member.peerUrls);
    return { ...member, id: memberIdOf(member.peerUrls, flags.initialClusterToken) };
  });
  const self = initial.find(({ name }) => name === flags.name);
  if (!self) throw new Error(`couldn't find local name "${flags.name}" in the initial cluster configuration: ${flags.initialCluster}`);
  const members = initial.map(({ id, peerUrls }) => ({ id, peerUrls }));
  if (new Set(members.map(({ id }) => id)).size < members.length)
    throw new Error(`two members have the same URLs: ${flags.initialCluster}`);
  return { identity: { memberId: self.id, clusterId: clusterIdOf(members) }, members };
}

async function askMembers(flags: MembershipFlags, { tls, clock }: { tls: PeerTls | undefined; clock: Clock }): Promise<ClusterDescription> {
  const others = parseInitialCluster(flags.initialCluster).filter(({ name }) => name !== flags.name);
  const reasons: string[] = [];
  for (const url of others.flatMap(({ peerUrls }) => peerUrls)) {
    try {
      return (await askStranger(url, tls, {}, { clock, withinMs: askWithinMs })) as ClusterDescription;
    } catch (error) {
      reasons.push(`${url}: ${(error as Error).message}`);
    }
  }
  throw new Error(`no member of the cluster answers: ${reasons.join('; ') || 'the initial cluster names no other member'}`);
}

function ownUrls({ name, initialCluster }: MembershipFlags): string[] {
  return parseInitialCluster(initialCluster).find((member) => member.name === name)?.peerUrls ?? [];
}

function otherCluster({ dataDir }: MembershipFlags): Error {
  return new Error(
    `The data directory ${dataDir} belongs to another cluster than these flags describe: use the flags it began with, or another directory.`,
  );
}
