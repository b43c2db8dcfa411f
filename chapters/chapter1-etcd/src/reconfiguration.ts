// What the members would be after a change, and whether it may be made now. A change is refused if the cluster would be left without a
// majority that works: the new members count at once, and the log stands still until a majority of them answers.
// etcd: server/etcdserver/server.go, mayAddMember and mayRemoveMember (--strict-reconfig-check)

import { NotImplemented } from '#kit/not-implemented';
import type { MembersRequest } from './consensus.ts';
import { memberExists, memberNotFound, notEnoughStarted, peerUrlExists, unhealthy } from './errors.ts';
import { checkUrls } from './identity.ts';
import type { Member, MemberId } from './raft/messages.ts';

export interface Reconfiguration {
  members: readonly Member[];
  /** Has this member ever run? */
  isStarted: (id: MemberId) => boolean;
  /** Was it heard of just now? */
  isHeard: (id: MemberId) => boolean;
  /** For a new member with these peer URLs. */
  newId: (peerUrls: readonly string[]) => MemberId;
}

/** @throws EtcdError if the change may not be made */
export function membersAfter(now: Reconfiguration, { add, remove, update }: MembersRequest): Member[] {
  if (add) return withMember(now, add.peerURLs);
  if (remove !== undefined) return withoutMember(now, remove);
  if (update) return withNewUrls(now, update.ID, update.peerURLs);
  throw new TypeError('a change of members without a change');
}

/**
 * In this order: the URLs must be good (`checkUrls`), and no member may have one of them (`peerUrlExists()`), nor the new id
 * (`memberExists()`). Those that have run must be a majority of the members with the new one, except that one alone may be joined by
 * a second (`notEnoughStarted()`). And all must be heard (`unhealthy()`).
 */
export function withMember({ members, isStarted, isHeard, newId }: Reconfiguration, peerUrls: string[]): Member[] {
  throw new NotImplemented('1.10', 'Return the members and the new one behind them, or throw.');
}

/**
 * In this order: it must be a member (`memberNotFound()`). Those of the rest that have run must be a majority of the rest
 * (`notEnoughStarted()`). A member that is not heard may go: nobody counts on it. One that is heard may go only if those of the rest that
 * are heard are a majority of the rest (`unhealthy()`).
 */
export function withoutMember({ members, isStarted, isHeard }: Reconfiguration, id: MemberId): Member[] {
  throw new NotImplemented('1.10', 'Return the members without that one, or throw.');
}

function withNewUrls({ members }: Reconfiguration, id: MemberId, peerUrls: string[]): Member[] {
  checkUrls(peerUrls);
  if (!members.some((member) => member.id === id)) throw memberNotFound();
  if (members.some((member) => member.id !== id && hasOneOf(member, peerUrls))) throw peerUrlExists();
  return members.map((member) => (member.id === id ? { ...member, peerUrls } : member));
}

function hasOneOf({ peerUrls = [] }: Member, urls: readonly string[]): boolean {
  return peerUrls.some((url) => urls.includes(url));
}

function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}
