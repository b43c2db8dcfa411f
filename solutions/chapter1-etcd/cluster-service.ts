// The Cluster service: who the members are, and changes of them. Only the leader changes members; the others pass the wish on. Every
// member votes: there are no learners, which etcd lets catch up before they count.
// etcd: server/etcdserver/api/v3rpc/member.go

import type { MembersRequest } from './consensus.ts';
import { memberNotFound, noLearners, notLearner } from './errors.ts';
import type { MemberAttributes } from './messages.ts';
import type { Member, MemberId } from './raft/messages.ts';
import type { GrpcEdge, Methods } from './rpc.ts';
import type { ServerState } from './services.ts';

/** @param self what this server says of itself; the others' names and URLs are known when they have run */
export function clusterService(edge: GrpcEdge, state: ServerState, self: () => MemberAttributes): Methods {
  const { machine, consensus } = state;
  const describe = ({ id, peerUrls = [] }: Member) => {
    const { name = '', clientURLs = [] } = id === machine.header().memberId ? self() : (machine.roster.attributesOf(id) ?? {});
    return { ID: id, name, peerURLs: peerUrls, clientURLs };
  };
  const change = async (request: MembersRequest) => {
    const members = await consensus.changeMembers(request);
    return { header: machine.header(), members: members.map(describe) };
  };
  return {
    MemberList: edge.unary(async ({ linearizable }: { linearizable: boolean }) => {
      await consensus.readable(!linearizable);
      return { header: machine.header(), members: consensus.members.map(describe) };
    }),
    MemberAdd: edge.unary(async ({ peerURLs, isLearner }: { peerURLs: string[]; isLearner: boolean }) => {
      if (isLearner) throw noLearners();
      const answer = await change({ add: { peerURLs } });
      return { ...answer, member: answer.members.at(-1) };
    }),
    MemberRemove: edge.unary(({ ID }: { ID: MemberId }) => change({ remove: ID })),
    MemberUpdate: edge.unary(({ ID, peerURLs }: { ID: MemberId; peerURLs: string[] }) => change({ update: { ID, peerURLs } })),
    MemberPromote: edge.unary(async ({ ID }: { ID: MemberId }) => {
      await consensus.readable(false);
      throw consensus.members.some(({ id }) => id === ID) ? notLearner() : memberNotFound();
    }),
  };
}
