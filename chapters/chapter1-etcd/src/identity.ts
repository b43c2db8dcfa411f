// Who is who in a cluster that begins. Every member computes the same ids from the same flags, so nobody has to hand them out: a
// member's from its peer URLs and the cluster's token, the cluster's from its members'. Both stay for ever, and are written down.
// etcd: server/etcdserver/api/membership/member.go, cluster.go

import { createHash } from 'node:crypto';
import { badMemberUrls } from './errors.ts';
import type { Member, MemberId } from './raft/messages.ts';

/** @param salt what makes a member another one than an earlier one at the same place: the cluster's token, or the time */
export function memberIdOf(peerUrls: readonly string[], salt: string): MemberId {
  return idOf([...peerUrls].sort().join('') + salt);
}

export function clusterIdOf(members: readonly Member[]): string {
  const ids = members.map(({ id }) => BigInt(id)).sort((left, right) => (left < right ? -1 : 1));
  const bytes = Buffer.alloc(8 * ids.length);
  for (const [position, id] of ids.entries()) bytes.writeBigUInt64BE(id, 8 * position);
  return idOf(bytes);
}

/** 64 bits, as a decimal number. */
function idOf(content: string | Buffer): string {
  return String(createHash('sha1').update(content).digest().readBigUInt64BE());
}

export interface InitialMember {
  name: string;
  peerUrls: string[];
}

/** `a=http://10.0.0.1:2380,b=http://10.0.0.2:2380`; a name may come twice, with another URL. @throws Error if it is anything else */
export function parseInitialCluster(text: string): InitialMember[] {
  const members = new Map<string, InitialMember>();
  for (const part of text.split(',').filter(Boolean)) {
    const [name = '', url] = part.split(/=(.*)/);
    if (!name || !url) throw new Error(`--initial-cluster has "${part}": it must be NAME=URL`);
    const member = members.get(name) ?? { name, peerUrls: [] };
    member.peerUrls.push(url);
    members.set(name, member);
  }
  return [...members.values()];
}

/** @throws EtcdError if there is none, or one of them is no http or https URL with a host and a port */
export function checkUrls(urls: readonly string[]): void {
  if (urls.length === 0 || !urls.every(isPeerUrl)) throw badMemberUrls();
}

function isPeerUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && /:\d+$/.test(text) && url.pathname === '/';
}
