// Three etcd processes under kills, pauses, cut and frozen wires and partitions: what their clients saw is what one etcd would have
// done. KATA_FAULTS=200 goes on for longer, KATA_SEED chooses other faults.

import { afterEach, describe, expect, it } from '@jest/globals';
import { type Random, seededRandom, systemClock } from '#kit/clock';
import { eventually } from '#kit/testing/wait';
import { check } from './checker.ts';
import { EtcdCluster, type EtcdMember } from './etcd-cluster.ts';
import { RecordedClients } from './recorded-clients.ts';
import { everyEvent, RecordedWatch } from './recorded-watch.ts';

const faultCount = Number(process.env.KATA_FAULTS ?? 5);
const seed = Number(process.env.KATA_SEED ?? 3);

interface Fault {
  name: string;
  happen(member: EtcdMember): void | Promise<void>;
  mend(member: EtcdMember): void | Promise<void>;
}

const faults: Fault[] = [
  { name: 'killed', happen: (member) => member.kill(), mend: (member) => member.start() },
  { name: 'without its peers', happen: (member) => member.isolate(true), mend: (member) => member.isolate(false) },
  { name: 'heard of nothing', happen: (member) => member.wire.freeze(), mend: (member) => member.wire.mend() },
  { name: 'not to be reached', happen: (member) => member.wire.cut(), mend: (member) => member.wire.mend() },
  { name: 'paused', happen: (member) => member.pause(), mend: (member) => member.goOn() },
];

describe('three etcd members', () => {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  });

  it(
    `do what one would do, whatever happens to them (${faultCount} faults, seed ${seed})`,
    async () => {
      const random = seededRandom(seed);
      const cluster = await EtcdCluster.start();
      cleanUp.push(() => cluster.stop());
      const { members } = cluster;
      await cluster.leader();
      const clients = new RecordedClients(members, seededRandom(seed + 1), 6);
      const watches = members.map((_, index) => new RecordedWatch(members, index));
      cleanUp.push(() => clients.stop());
      for (const watch of watches) cleanUp.push(() => watch.stop());

      const story: string[] = [];
      for (let count = 0; count < faultCount; count++) {
        await goesOn(clients, story);
        await strike(cluster, random, count, story);
        clients.useOtherKeys();
      }
      await goesOn(clients, story);
      await clients.stop();

      const { history } = clients;
      const written = history.filter(({ isChange, revision }) => isChange && revision !== undefined);
      const last = Math.max(...written.map(({ revision }) => revision as number));
      await eventually('the watches are told of all', () => watches.every(({ revision }) => revision >= last), {
        story: () => story.join('\n'),
      });
      for (const watch of watches) await watch.stop();

      const verdict = check(history);
      expect({ verdict, story }).toEqual({ verdict: { linearizable: true }, story });
      expect(backInTime(history)).toEqual([]);
      const tellings = await Promise.all(members.map(({ client }) => client && everyEvent(client, last)));
      for (const telling of tellings) expect(telling).toEqual(tellings[0]);
      const happened = tellings[0] ?? [];
      const revisions = happened.map(({ revision }) => revision);
      expect(revisions).toEqual([...new Set(revisions)].sort((left, right) => left - right));
      for (const { events } of watches) expect(events).toEqual(happened.slice(0, events.length));
      const told = new Map(happened.map((event) => [event.revision, event]));
      for (const { key, revision, ...operation } of written) {
        const value = 'value' in operation ? operation.value : '';
        expect(told.get(revision as number)).toEqual({ revision, key, value, type: operation.type === 'delete' ? 'DELETE' : 'PUT' });
      }
      const attempted = new Set(history.flatMap((operation) => ('value' in operation ? [operation.value] : [])));
      for (const { type, value } of happened) if (type === 'PUT') expect(attempted).toContain(value);
      if (process.env.KATA_FAULTS)
        process.stdout.write(`${history.length} operations, ${written.length} changes, ${story.length} faults\n`);
    },
    30_000 + faultCount * 15_000,
  );
});

/** Waits until writes are acknowledged again. */
async function goesOn(clients: RecordedClients, story: string[]): Promise<void> {
  const before = clients.acknowledged;
  await eventually('writes are acknowledged', () => clients.acknowledged >= before + 10, { within: 20_000, story: () => story.join('\n') });
}

/** Every second time it is the leader whom it happens to. */
async function strike(cluster: EtcdCluster, random: Random, count: number, story: string[]): Promise<void> {
  const fault = faults[Math.floor(random() * faults.length)] as Fault;
  const unlucky = cluster.members[Math.floor(random() * cluster.members.length)] as EtcdMember;
  const member = count % 2 === 0 ? await cluster.leader() : unlucky;
  story.push(`${member.name} is ${fault.name}${member === unlucky ? '' : ' (the leader)'}`);
  await fault.happen(member);
  try {
    await systemClock.sleep(300 + 900 * random());
  } finally {
    await fault.mend(member);
  }
}

type Timed = Pick<RecordedClients['history'][number], 'called' | 'answered' | 'revision' | 'isChange'>;

/** Operations whose revision is older than that of one that was answered before they were asked for; changes need a newer one. */
function backInTime(history: readonly Timed[]): [Timed, Timed][] {
  const answered = history.filter(({ revision }) => revision !== undefined);
  const byAnswer = answered.toSorted((left, right) => left.answered - right.answered);
  const found: [Timed, Timed][] = [];
  let latest: Timed | undefined;
  let next = 0;
  for (const operation of answered.toSorted((left, right) => left.called - right.called)) {
    for (; (byAnswer[next]?.answered ?? Number.POSITIVE_INFINITY) < operation.called; next++) {
      const candidate = byAnswer[next] as Timed;
      if ((candidate.revision as number) > (latest?.revision ?? 0)) latest = candidate;
    }
    const distance = (operation.revision as number) - (latest?.revision ?? 0);
    if (latest && (operation.isChange ? distance <= 0 : distance < 0)) found.push([latest, operation]);
  }
  return found;
}
