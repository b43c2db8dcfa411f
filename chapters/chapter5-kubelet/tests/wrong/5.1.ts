import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: 'promises pods all of the memory',
    misunderstanding: 'Allocatable is another word for capacity.',
    file: 'node-object.ts',
    replace: 'allocatable: allocatableOf(machine)',
    by: 'allocatable: capacityOf(machine)',
    caughtBy: 'says what the machine has, and promises pods less memory than that',
  },
  {
    name: 'gives a new transition time with every heartbeat',
    misunderstanding: 'lastTransitionTime is the time when the condition was written.',
    file: 'node-object.ts',
    replace: 'lastTransitionTime: unchanged || rfc3339(now)',
    by: 'lastTransitionTime: (unchanged && false) || rfc3339(now)',
    caughtBy: 'keep their transition time until the truth changes',
  },
  {
    name: "drops other people's conditions",
    misunderstanding: 'The kubelet owns the whole list of conditions.',
    file: 'node-object.ts',
    replace: 'return [...own, ...previous.filter(({ type }) => !own.some((other) => other.type === type))];',
    by: 'return own;',
    caughtBy: 'leave the conditions of others alone',
  },
  {
    name: 'takes a heartbeat for news',
    misunderstanding: 'The status differs from the written one, so it must be written.',
    file: 'node-heartbeat.ts',
    replace: 'return !isDeepStrictEqual(withoutHeartbeats(written), withoutHeartbeats(status));',
    by: 'return !isDeepStrictEqual(written, status) || isDeepStrictEqual(withoutHeartbeats(written), {});',
    caughtBy: 'is not while only the time went on',
  },
  {
    name: 'takes the lease once and for all',
    misunderstanding: 'Whoever has the lease has it until it is deleted.',
    file: 'node-heartbeat.ts',
    replace: "await client.patch(Leases, { namespace: leaseNamespace, name }, 'merge', { metadata: { ownerReferences }, spec });",
    by: 'await client.get(Leases, { namespace: leaseNamespace, name });',
    caughtBy: 'writes the time of every renewal into the same lease',
  },
  {
    name: 'insists on creating its Node',
    misunderstanding: 'A kubelet that starts is always new to the cluster.',
    file: 'node-heartbeat.ts',
    replace: 'if (!isAlreadyExists(error)) throw error;\n    const { name',
    by: 'if (isAlreadyExists(error)) throw error;\n    const { name',
    caughtBy: "uses the Node that is there, and leaves other people's labels on it",
  },
];
