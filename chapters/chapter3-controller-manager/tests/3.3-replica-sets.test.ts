import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Expectations } from '#controller-manager/expectations';
import { Informers } from '#controller-manager/informers';
import { planClaims } from '#controller-manager/ownership';
import { byDeletionOrder, countReplicas, planReplicas } from '#controller-manager/replica-set';
import { replicaSetController } from '#controller-manager/replica-set-controller';
import { slowStart } from '#controller-manager/slow-start';
import { Events, type Pod, Pods, type ReplicaSet, ReplicaSets, ReplicationControllers } from '#kit/api';
import type { Client } from '#kit/client';
import { FakeClock, timestamp } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError, failure } from '#kit/status';
import { pod } from '#kit/testing/builders';
import {
  activePods,
  allReady,
  type Controllers,
  change,
  echoSet,
  lagging,
  learningLate,
  names,
  playKubelet,
  recording,
  refusing,
  startControlPlane,
} from './harness.ts';

beforeEach(() => NotImplemented.forget());

describe('controller manager', () => {
  describe('3.3 ReplicaSet and ReplicationController', () => {
    describe('whose pod is it', () => {
      const selector = { matchLabels: { app: 'echo' } };
      const owner: ReplicaSet = {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name: 'echo', namespace: 'default', uid: 'mine' },
      };
      const mine = { kind: 'ReplicaSet', name: 'echo', uid: 'mine' };
      const plan = (candidate: Pod, by: ReplicaSet = owner) =>
        Object.entries(planClaims(by, selector, [candidate])).flatMap(([verb, pods]) => (pods.length > 0 ? [verb] : []));

      it.each([
        ['its own pod that the selector chooses: keep', pod('a').labelled({ app: 'echo' }).ownedBy(mine), ['keep']],
        ['its own pod whose labels changed: release', pod('a').labelled({ app: 'other' }).ownedBy(mine), ['release']],
        ['an orphan that the selector chooses: adopt', pod('a').labelled({ app: 'echo' }), ['adopt']],
        ['an orphan that it does not choose: nothing', pod('a').labelled({ app: 'other' }), []],
        [
          'a pod of another controller, with the right labels: nothing',
          pod('a')
            .labelled({ app: 'echo' })
            .ownedBy({ ...mine, uid: 'other' }),
          [],
        ],
        ['an orphan that is being deleted: nothing', pod('a').labelled({ app: 'echo' }).terminating(), []],
        ['its own pod that is being deleted: keep', pod('a').labelled({ app: 'echo' }).ownedBy(mine).terminating(), ['keep']],
        ['its own pod that is being deleted, and that the selector does not choose: nothing', pod('a').ownedBy(mine).terminating(), []],
      ])('%s', (_what, candidate, expected) => {
        expect(plan(candidate)).toEqual(expected);
      });

      it('adopts and releases nothing when the owner is being deleted', () => {
        const leaving = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
        expect(plan(pod('a').labelled({ app: 'echo' }), leaving)).toEqual([]);
        expect(plan(pod('a').labelled({ app: 'other' }).ownedBy(mine), leaving)).toEqual(['keep']);
      });
    });

    describe('expectations', () => {
      let clock: FakeClock;
      let expectations: Expectations;
      beforeEach(() => {
        clock = new FakeClock();
        expectations = new Expectations(clock);
      });

      it('are satisfied while nothing was ordered', () => {
        expect(expectations.satisfied('default/echo')).toBe(true);
      });

      it('are open until every creation was seen', () => {
        expectations.expectCreations('default/echo', 2);
        expectations.creationObserved('default/echo');
        expect(expectations.satisfied('default/echo')).toBe(false);
        expectations.creationObserved('default/echo');
        expect(expectations.satisfied('default/echo')).toBe(true);
      });

      it('count the deletion of a pod once, however often it is seen', () => {
        expectations.expectDeletions('default/echo', ['default/a', 'default/b']);
        expectations.deletionObserved('default/echo', 'default/a');
        expectations.deletionObserved('default/echo', 'default/a');
        expect(expectations.satisfied('default/echo')).toBe(false);
        expectations.deletionObserved('default/echo', 'default/b');
        expect(expectations.satisfied('default/echo')).toBe(true);
      });

      it('take no notice of a deletion that nobody ordered', () => {
        expectations.deletionObserved('default/echo', 'default/a');
        expect(expectations.satisfied('default/echo')).toBe(true);
      });

      it('are not paid in advance by creations that nobody ordered', () => {
        expectations.creationObserved('default/echo');
        expectations.expectCreations('default/echo', 1);
        expect(expectations.satisfied('default/echo')).toBe(false);
        expectations.creationObserved('default/echo');
        expectations.creationObserved('default/echo');
        expectations.expectCreations('default/echo', 1);
        expect(expectations.satisfied('default/echo')).toBe(false);
      });

      it('add up', () => {
        expectations.expectCreations('default/echo', 2);
        expectations.creationObserved('default/echo');
        expectations.expectCreations('default/echo', 1);
        expectations.creationObserved('default/echo');
        expect(expectations.satisfied('default/echo')).toBe(false);
        expectations.creationObserved('default/echo');
        expect(expectations.satisfied('default/echo')).toBe(true);
      });

      it('of one set do not hold up another', () => {
        expectations.expectCreations('default/echo', 1);
        expect(expectations.satisfied('default/other')).toBe(true);
      });

      it.each([
        ['creation', () => expectations.expectCreations('default/echo', 1)],
        ['deletion', () => expectations.expectDeletions('default/echo', ['default/a'])],
      ])('are given up after five minutes, so that the lost event of a %s does not stop a set for ever', async (_what, order) => {
        order();
        await clock.advance(4 * 60_000);
        expect(expectations.satisfied('default/echo')).toBe(false);
        await clock.advance(61_000);
        expect(expectations.satisfied('default/echo')).toBe(true);
      });
    });

    describe('slow start', () => {
      it('makes every call when all succeed, in batches of 1, 2, 4, …', async () => {
        const batches: number[] = [];
        let together = 0;
        const result = await slowStart(10, async () => {
          together++;
          await Promise.resolve();
          if (together > 0) batches.push(together);
          together = 0;
        });
        expect(batches).toEqual([1, 2, 4, 3]);
        expect(result.succeeded).toBe(10);
        expect(result.error).toBeUndefined();
      });

      it('finds out with one call that nothing works', async () => {
        let calls = 0;
        const result = await slowStart(500, async () => {
          calls++;
          throw new Error('quota');
        });
        expect({ calls, succeeded: result.succeeded }).toEqual({ calls: 1, succeeded: 0 });
        expect(result.error).toEqual(new Error('quota'));
      });

      it('finishes the batch in which a call fails, counts its successes, and stops', async () => {
        let calls = 0;
        const result = await slowStart(100, async () => {
          if (++calls === 5) throw new Error('once');
        });
        expect({ calls, succeeded: result.succeeded }).toEqual({ calls: 7, succeeded: 6 });
      });
    });

    describe('the plan', () => {
      const ready = (name: string) => pod(name).boundTo('node-1').ready();
      const cost = 'controller.kubernetes.io/pod-deletion-cost';

      it('creates what is missing and deletes nothing', () => {
        expect(planReplicas(3, [ready('a')])).toEqual({ create: 2, delete: [] });
      });

      it('does nothing when the number is right, ready or not', () => {
        expect(planReplicas(2, [ready('a'), pod('b')])).toEqual({ create: 0, delete: [] });
      });

      it('deletes what is too many', () => {
        const plan = planReplicas(1, [ready('a'), ready('b'), ready('c')]);
        expect([plan.create, plan.delete.length]).toEqual([0, 2]);
      });

      it('deletes the pods that matter least, wherever they stand in the list', () => {
        const idle = pod('idle').boundTo('node-1');
        for (const pods of [
          [idle, ready('a'), ready('b')],
          [ready('a'), idle, ready('b')],
          [ready('a'), ready('b'), idle],
        ]) {
          expect(names(planReplicas(2, pods).delete)).toEqual(['idle']);
        }
      });

      it('does not count pods that have failed, have finished or are being deleted', () => {
        const pods = [ready('a'), pod('b').inPhase('Failed'), pod('c').inPhase('Succeeded'), ready('d').terminating()];
        expect(planReplicas(2, pods)).toEqual({ create: 1, delete: [] });
      });

      it('never creates or deletes more than 500 at once', () => {
        expect(planReplicas(5_000, []).create).toBe(500);
        const many = Array.from({ length: 800 }, (_, index) => ready(`pod-${index}`));
        expect(planReplicas(0, many).delete).toHaveLength(500);
      });

      it.each([
        ['one without a node before one with', pod('first'), pod('last').boundTo('node-1')],
        ['Pending before Running', pod('first').boundTo('n').inPhase('Pending'), pod('last').boundTo('n').inPhase('Running')],
        ['Pending before Unknown', pod('first').boundTo('n').inPhase('Pending'), pod('last').boundTo('n').inPhase('Unknown')],
        ['Unknown before Running', pod('first').boundTo('n').inPhase('Unknown'), pod('last').boundTo('n').inPhase('Running')],
        ['not ready before ready', pod('first').boundTo('n').inPhase('Running'), pod('last').boundTo('n').ready()],
        [
          'the lower deletion cost first',
          pod('first')
            .boundTo('n')
            .ready()
            .annotated({ [cost]: '-5' }),
          pod('last').boundTo('n').ready(),
        ],
        [
          'ready for a shorter time first',
          pod('first').boundTo('n').ready('2026-01-02T00:00:00Z'),
          pod('last').boundTo('n').ready('2026-01-01T00:00:00Z'),
        ],
        ['more restarts first', pod('first').boundTo('n').ready().restarted(3), pod('last').boundTo('n').ready().restarted(1)],
        [
          'younger first',
          pod('first').boundTo('n').ready().createdAt('2026-01-02T00:00:00Z'),
          pod('last').boundTo('n').ready().createdAt('2026-01-01T00:00:00Z'),
        ],
        [
          'a low cost does not save a pod that is not ready',
          pod('first')
            .boundTo('n')
            .inPhase('Running')
            .annotated({ [cost]: '100' }),
          pod('last').boundTo('n').ready(),
        ],
      ])('deletes %s', (_rule, first, last) => {
        expect(names([last, first].sort(byDeletionOrder([first, last])).slice(0, 1))).toEqual(['first']);
      });

      const other = () => ready('neighbour').annotated({ [cost]: '9' });
      const longer = '2026-01-01T00:00:00Z';
      const shorter = '2026-01-02T00:00:00Z';
      it.each<[rule: string, first: Pod, last: Pod, others?: Pod[]]>([
        ['a node before the phase', pod('first').inPhase('Running'), pod('last').boundTo('node-1').inPhase('Pending')],
        ['the phase before readiness', ready('first').inPhase('Pending'), pod('last').boundTo('node-1').inPhase('Running')],
        [
          'readiness before the deletion cost',
          pod('first')
            .boundTo('node-1')
            .inPhase('Running')
            .annotated({ [cost]: '5' }),
          ready('last'),
        ],
        [
          'the deletion cost before company',
          ready('first')
            .boundTo('node-2')
            .annotated({ [cost]: '-1' }),
          ready('last'),
          [other()],
        ],
        ['company before the time it is ready', ready('first').ready(longer), ready('last').boundTo('node-2').ready(shorter), [other()]],
        ['the time it is ready before restarts', ready('first').ready(shorter), ready('last').ready(longer).restarted(5)],
        ['restarts before age', ready('first').restarted(2).createdAt(longer), ready('last').restarted(1).createdAt(shorter)],
      ])('asks for %s', (_rule, first, last, others = []) => {
        expect(names([last, first].sort(byDeletionOrder([first, last, ...others])).slice(0, 1))).toEqual(['first']);
      });

      it('deletes first where more pods of the set are together', () => {
        const pods = [ready('alone').boundTo('node-2'), ready('together-1'), ready('together-2')];
        expect(planReplicas(2, pods).delete[0]?.metadata?.name).toMatch(/^together/);
      });
    });

    describe('the count', () => {
      const template = { metadata: { labels: { app: 'echo', track: 'new' } } };
      const now = Date.parse('2026-01-01T00:01:00Z');

      it('counts active pods: all, fully labeled, ready, available', () => {
        const pods = [
          pod('a').labelled({ app: 'echo', track: 'new' }).ready('2026-01-01T00:00:00Z'),
          pod('b').labelled({ app: 'echo' }).ready('2026-01-01T00:00:00Z'),
          pod('c').labelled({ app: 'echo' }).inPhase('Running'),
          pod('d').inPhase('Failed'),
          pod('e').ready().terminating(),
        ];
        expect(countReplicas(template, 0, pods, now)).toEqual({
          replicas: 3,
          fullyLabeledReplicas: 1,
          readyReplicas: 2,
          availableReplicas: 2,
        });
      });

      it('counts a pod as available only after it has been ready for minReadySeconds', () => {
        const pods = [pod('old').ready('2026-01-01T00:00:30Z'), pod('young').ready('2026-01-01T00:00:31Z')];
        expect(countReplicas(template, 30, pods, now)).toMatchObject({ readyReplicas: 2, availableReplicas: 1 });
      });
    });

    describe('the clock', () => {
      /** Jumps by a second after so many looks at it. */
      class JumpingClock extends FakeClock {
        looks = Number.POSITIVE_INFINITY;
        override now(): number {
          return super.now() + (this.looks-- > 0 ? 0 : 1000);
        }
      }

      it.each([0, 1, 2, 3, 4, 5, 6])('may tick after any look at it, here after %i: no pod is forgotten', async (looks) => {
        const clock = new JumpingClock();
        const context = { clock, random: () => 0.5, log: silentLogger };
        const statuses: ReplicaSet['status'][] = [];
        const methods: Partial<Client> = {
          updateStatus: async (_, object) => {
            statuses.push((object as ReplicaSet).status);
            return object;
          },
        };
        const client = methods as Client;
        const informers = new Informers(client, context);
        const controller = replicaSetController({ client, informers, ...context });
        const { spec, metadata, ...rest } = echoSet('default', 1);
        const set: ReplicaSet = {
          ...rest,
          metadata: { ...metadata, uid: 'mine', generation: 1 },
          spec: { ...spec, minReadySeconds: 1 } as NonNullable<ReplicaSet['spec']>,
          status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 0, observedGeneration: 1 },
        };
        const owner = { kind: 'ReplicaSet', name: 'echo', uid: 'mine' };
        informers.for(ReplicaSets).replaced([set]);
        informers.for(Pods).replaced([pod('a').labelled({ app: 'echo' }).ownedBy(owner).ready(timestamp(clock))]);
        const key = (await controller.queue.get()) ?? '';
        controller.queue.done(key);
        clock.looks = looks;
        await controller.reconcile(key);
        const isReported = statuses.some((status) => status?.availableReplicas === 1);
        const isWaitedFor = clock.pending > 0;
        expect(isReported || isWaitedFor).toBe(true);
        controller.queue.shutDown();
      });
    });

    describe('in a control plane', () => {
      let cluster: Controllers;
      let namespace: string;
      beforeAll(async () => {
        cluster = await startControlPlane();
        await cluster.run(['replicaset-controller', 'replicationcontroller-controller']);
      });
      afterAll(() => cluster?.stop());
      beforeEach(async () => {
        namespace = await cluster.namespace();
      });

      const set = () => cluster.client.get(ReplicaSets, { name: 'echo', namespace });
      const pods = () => activePods(cluster.client, namespace);
      const create = (replicas: number) => cluster.client.create(ReplicaSets, echoSet(namespace, replicas));
      const scale = (replicas: number) =>
        change(
          cluster.client,
          ReplicaSets,
          echoSet(namespace, 0),
          (fresh) => ({ ...fresh, spec: { ...fresh.spec, replicas } }) as ReplicaSet,
        );
      const havePods = (count: number) =>
        cluster.eventually(`${count} pods`, async () => {
          const found = await pods();
          return found.length === count && found;
        });

      it('makes pods from the template, named after the set, controlled by it', async () => {
        const { metadata } = await create(2);
        for (const made of await havePods(2)) {
          expect(made.metadata?.name).toMatch(/^echo-[a-z0-9]{5}$/);
          expect(made.metadata?.labels).toEqual({ app: 'echo' });
          expect(made.spec?.containers[0]?.image).toBe('kubekata/echo:v1');
          expect(made.metadata?.ownerReferences).toEqual([
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'echo', uid: metadata?.uid, controller: true, blockOwnerDeletion: true },
          ]);
        }
      });

      it('replaces a pod that is deleted, and one that has failed', async () => {
        await create(2);
        const [deleted, failed] = (await havePods(2)) as [Pod, Pod];
        await cluster.client.delete(Pods, { name: deleted.metadata?.name ?? '', namespace }, { gracePeriodSeconds: 0 });
        await playKubelet(cluster.client, failed, { phase: 'Failed' });
        await cluster.eventually('two others', async () => {
          const now = names(await pods());
          return now.length === 2 && !now.includes(deleted.metadata?.name ?? '') && !now.includes(failed.metadata?.name ?? '');
        });
      });

      it('shrinks by the pods that matter least', async () => {
        await create(3);
        const [first, second, third] = (await havePods(3)) as [Pod, Pod, Pod];
        await playKubelet(cluster.client, first);
        await playKubelet(cluster.client, third);
        await cluster.eventually('two are ready', async () => (await set()).status?.readyReplicas === 2);
        await scale(2);
        await havePods(2);
        expect(names(await pods())).toEqual(names([first, third]));
        expect(names(await pods())).not.toContain(second.metadata?.name);
      });

      it('reports what is there, what is ready, and which generation it has seen', async () => {
        await create(2);
        await havePods(2);
        await allReady(cluster.client, namespace);
        await cluster.eventually('the status tells two ready pods', async () => {
          const { metadata, status } = await set();
          expect(status).toMatchObject({ replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2 });
          expect(status?.observedGeneration).toBe(metadata?.generation);
          return true;
        });
        await scale(0);
        await cluster.eventually('the status tells none', async () => {
          const { metadata, status } = await set();
          return status?.replicas === 0 && status.observedGeneration === metadata?.generation;
        });
      });

      it('counts a pod as available when its minReadySeconds are over, though nothing else happens', async () => {
        const { spec, ...rest } = echoSet(namespace, 1);
        await cluster.client.create(ReplicaSets, { ...rest, spec: { ...spec, minReadySeconds: 4 } as NonNullable<ReplicaSet['spec']> });
        await havePods(1);
        await allReady(cluster.client, namespace);
        await cluster.eventually('the pod is ready', async () => (await set()).status?.readyReplicas === 1);
        await cluster.eventually('the pod is available', async () => (await set()).status?.availableReplicas === 1, { within: 10_000 });
      });

      it('makes no pod for a set that is being deleted', async () => {
        const { metadata, ...rest } = echoSet(namespace, 1);
        await cluster.client.create(ReplicaSets, { ...rest, metadata: { ...metadata, finalizers: ['test/hold-back'] } });
        const [made] = (await havePods(1)) as [Pod];
        await cluster.client.delete(ReplicaSets, { name: 'echo', namespace });
        await scale(2);
        await cluster.eventually('the controller has seen that the set is being deleted', async () => {
          const { metadata, status } = await set();
          return status?.observedGeneration === metadata?.generation && status?.replicas === 1;
        });
        await cluster.client.delete(Pods, { name: made.metadata?.name ?? '', namespace }, { gracePeriodSeconds: 0 });
        await cluster.eventually('the status tells no pod', async () => (await set()).status?.replicas === 0);
        expect(names(await pods())).toEqual([]);
      });

      it('adopts orphans that it selects before it makes new pods', async () => {
        await cluster.client.create(Pods, pod('orphan', namespace).labelled({ app: 'echo' }));
        const { metadata } = await create(2);
        const found = await havePods(2);
        await cluster.eventually('the orphan has an owner', async () => {
          const orphan = await cluster.client.get(Pods, { name: 'orphan', namespace });
          return orphan.metadata?.ownerReferences?.[0]?.uid === metadata?.uid;
        });
        expect(names(found)).toContain('orphan');
      });

      it('releases a pod whose labels it does not select any more, and replaces it', async () => {
        await create(1);
        const [made] = (await havePods(1)) as [Pod];
        await change(cluster.client, Pods, made, (fresh) => ({ ...fresh, metadata: { ...fresh.metadata, labels: { app: 'taken-out' } } }));
        await havePods(2);
        await cluster.eventually('the pod belongs to nobody', async () => {
          const released = await cluster.client.get(Pods, { name: made.metadata?.name ?? '', namespace });
          return (released.metadata?.ownerReferences ?? []).length === 0;
        });
      });

      it('tells what it does in events', async () => {
        await create(1);
        const [made] = (await havePods(1)) as [Pod];
        await scale(0);
        await cluster.eventually('an event for the creation and one for the deletion', async () => {
          const { items } = await cluster.client.list(Events, { namespace });
          const told = items.map(({ reason, message, involvedObject }) => `${involvedObject.kind} ${reason}: ${message}`).sort();
          expect(told).toEqual([
            `ReplicaSet SuccessfulCreate: Created pod: ${made.metadata?.name}`,
            `ReplicaSet SuccessfulDelete: Deleted pod: ${made.metadata?.name}`,
          ]);
          return true;
        });
      });

      it('keeps the pods of a ReplicationController too', async () => {
        const { spec } = echoSet(namespace, 2);
        const metadata = { name: 'echo', namespace };
        await cluster.client.create(ReplicationControllers, {
          metadata,
          spec: { replicas: 2, selector: { app: 'echo' }, template: spec?.template ?? {} },
        });
        for (const made of await havePods(2)) expect(made.metadata?.ownerReferences?.[0]?.kind).toBe('ReplicationController');
        await cluster.eventually('its status tells two', async () => {
          const { status } = await cluster.client.get(ReplicationControllers, { name: 'echo', namespace });
          return status?.replicas === 2;
        });
      });
    });

    describe('in trouble', () => {
      let cluster: Controllers;
      let namespace: string;
      beforeAll(async () => {
        cluster = await startControlPlane();
      });
      afterAll(() => cluster?.stop());
      beforeEach(async () => {
        namespace = await cluster.namespace();
      });
      const set = () => cluster.client.get(ReplicaSets, { name: 'echo', namespace });

      /** Changes the set's spec and waits until the controller has looked at it. */
      const changeSet = async (fields: Partial<NonNullable<ReplicaSet['spec']>>) => {
        await change(cluster.client, ReplicaSets, echoSet(namespace, 0), (fresh) => ({
          ...fresh,
          spec: { ...(fresh.spec as NonNullable<ReplicaSet['spec']>), ...fields },
        }));
        await cluster.eventually('the controller has looked at the set again', async () => {
          const { metadata, status } = await set();
          return status?.observedGeneration === metadata?.generation;
        });
      };

      it('makes no pod twice while its cache lags behind', async () => {
        const { client, release } = lagging(cluster.client, Pods);
        const manager = await cluster.run(['replicaset-controller'], client);
        await cluster.client.create(ReplicaSets, echoSet(namespace, 3));
        await cluster.eventually('three pods', async () => (await activePods(cluster.client, namespace)).length >= 3);
        for (let minReadySeconds = 1; minReadySeconds <= 4; minReadySeconds++) await changeSet({ minReadySeconds });
        expect(await activePods(cluster.client, namespace)).toHaveLength(3);
        release();
        await cluster.eventually('the status counts three', async () => (await set()).status?.replicas === 3);
        expect(await activePods(cluster.client, namespace)).toHaveLength(3);
        await manager.stop();
      });

      it('makes no pod twice when its cache catches up in the middle of an adoption', async () => {
        const { client, created, patching } = learningLate(cluster.client);
        const manager = await cluster.run(['replicaset-controller'], client);
        await cluster.client.create(ReplicaSets, echoSet(namespace, 2));
        await cluster.eventually('two pods', async () => (await activePods(cluster.client, namespace)).length === 2);
        await cluster.client.create(Pods, pod('orphan', namespace).labelled({ app: 'echo' }));
        await cluster.eventually('the set adopts the orphan', patching);
        await cluster.client.create(Pods, pod('news', namespace));
        await cluster.eventually('the status counts two', async () => (await set()).status?.replicas === 2);
        expect(created).toEqual(['echo-', 'echo-']);
        await manager.stop();
      });

      it('deletes no other pod while its cache does not show what it has deleted', async () => {
        const before = await cluster.run(['replicaset-controller']);
        await cluster.client.create(ReplicaSets, echoSet(namespace, 4));
        await cluster.eventually('the status counts four', async () => (await set()).status?.replicas === 4);
        await before.stop();
        const { client, release } = lagging(cluster.client, Pods);
        const manager = await cluster.run(['replicaset-controller'], client);
        await changeSet({ replicas: 3 });
        await cluster.eventually('three pods', async () => (await activePods(cluster.client, namespace)).length === 3);
        await changeSet({ replicas: 2 });
        expect(await activePods(cluster.client, namespace)).toHaveLength(3);
        release();
        await cluster.eventually('the status counts two', async () => (await set()).status?.replicas === 2);
        expect(await activePods(cluster.client, namespace)).toHaveLength(2);
        await manager.stop();
      });

      it('says why it cannot delete pods, and deletes them when it can', async () => {
        const { client, release } = refusing(cluster.client, 'delete', Pods, new ApiError(failure(403, 'Forbidden', 'pods are kept')));
        const manager = await cluster.run(['replicaset-controller'], client);
        await cluster.client.create(ReplicaSets, echoSet(namespace, 2));
        await cluster.eventually('two pods', async () => (await set()).status?.replicas === 2);
        await changeSet({ replicas: 1 });
        await cluster.eventually('the condition ReplicaFailure', async () => {
          const { status } = await set();
          expect(status?.conditions).toMatchObject([
            { type: 'ReplicaFailure', status: 'True', reason: 'FailedDelete', message: 'pods are kept' },
          ]);
          return true;
        });
        release();
        await cluster.eventually('one pod and no complaint', async () => {
          const { status } = await set();
          return status?.replicas === 1 && (status.conditions ?? []).length === 0;
        });
        await manager.stop();
      });

      it('writes no status when nothing has changed', async () => {
        const { client, writes } = recording(cluster.client, ReplicaSets);
        const seen = async (name: string) => {
          await cluster.client.create(ReplicaSets, { ...echoSet(namespace, 0), metadata: { name, namespace } });
          await cluster.eventually(`the controller has come to the set "${name}"`, async () => {
            const { status } = await cluster.client.get(ReplicaSets, { name, namespace });
            return status?.observedGeneration !== undefined;
          });
        };
        const manager = await cluster.run(['replicaset-controller'], client);
        await cluster.client.create(ReplicaSets, echoSet(namespace, 1));
        await cluster.eventually('the pod is there', async () => (await activePods(cluster.client, namespace)).length === 1);
        await allReady(cluster.client, namespace);
        await cluster.eventually('the pod is available', async () => (await set()).status?.availableReplicas === 1);
        // Its watch tells sets in order: when it has come to this one, it has seen its own write to the first.
        await seen('earlier');
        const before = writes.length;
        const [made] = (await activePods(cluster.client, namespace)) as [Pod];
        for (const note of ['this', 'and this', 'wakes the controller']) {
          await change(cluster.client, Pods, made, (fresh) => ({ ...fresh, metadata: { ...fresh.metadata, annotations: { note } } }));
        }
        await seen('later');
        expect(writes.slice(before).filter((name) => name === 'echo')).toEqual([]);
        await manager.stop();
      });

      it('says why it cannot make pods, and makes them when it can', async () => {
        const { client, release } = refusing(
          cluster.client,
          'create',
          Pods,
          new ApiError(failure(403, 'Forbidden', 'exceeded quota: pods')),
        );
        const manager = await cluster.run(['replicaset-controller'], client);
        await cluster.client.create(ReplicaSets, echoSet(namespace, 2));
        await cluster.eventually('the condition ReplicaFailure', async () => {
          const { status } = await set();
          expect(status?.conditions).toMatchObject([
            { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota: pods' },
          ]);
          return true;
        });
        await cluster.eventually('an event', async () => {
          const { items } = await cluster.client.list(Events, { namespace });
          return items.some(
            ({ type, reason, message }) => type === 'Warning' && reason === 'FailedCreate' && message?.includes('exceeded quota'),
          );
        });
        release();
        await cluster.eventually('two pods and no complaint', async () => {
          const { status } = await set();
          return status?.replicas === 2 && (status.conditions ?? []).length === 0;
        });
        await manager.stop();
      });
    });
  });
});
