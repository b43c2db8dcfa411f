import { beforeEach, describe, expect, it } from '@jest/globals';
import { WorkQueue } from '#controller-manager/work-queue';
import { keyOf, type Pod } from '#kit/api';
import { systemClock } from '#kit/clock';
import { EventRecorder } from '#kit/events';
import { NotImplemented } from '#kit/not-implemented';
import { node, pod } from '#kit/testing/builders';
import { bindPod } from '#scheduler/binding';
import { SchedulerCache } from '#scheduler/cache';
import { SchedulerMetrics } from '#scheduler/metrics';
import { schedule } from '#scheduler/schedule';
import { Scheduler } from '#scheduler/scheduler';
import { UnschedulablePods } from '#scheduler/unschedulable-pods';
import { awaitsScheduling, occupiesNode } from '#scheduler/which-pods';
import { answerTo, SchedulerCluster, snapshotOf } from './harness.ts';

describe('scheduler', () => {
  describe('4.1 bind a pod', () => {
    beforeEach(() => NotImplemented.forget());

    describe('which pods', () => {
      const deleted = (pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
      const cases: [what: string, pod: Pod, awaits: boolean, occupies: boolean][] = [
        ['a pod without a node that names no scheduler', pod('web'), true, false],
        ['a pod that names this scheduler', pod('web').specified({ schedulerName: 'default-scheduler' }), true, false],
        ["another scheduler's pod", pod('web').specified({ schedulerName: 'my-scheduler' }), false, false],
        ['a pod on a node, not running yet', pod('web').boundTo('node-1').inPhase('Pending'), false, true],
        ['a running pod', pod('web').boundTo('node-1').inPhase('Running'), false, true],
        ["another scheduler's running pod", pod('web').specified({ schedulerName: 'my-scheduler' }).boundTo('node-1'), false, true],
        ['a pod that succeeded', pod('web').boundTo('node-1').inPhase('Succeeded'), false, false],
        ['a pod that failed', pod('web').boundTo('node-1').inPhase('Failed'), false, false],
        ['a pod that failed before it had a node', pod('web').inPhase('Failed'), false, false],
        ['a pod that is deleted before it had a node', deleted(pod('web')), false, false],
        ['a pod that is being stopped on its node', deleted(pod('web').boundTo('node-1').inPhase('Running')), false, true],
      ];

      it.each(cases)('knows whether %s awaits scheduling', (_, pod, awaits) => {
        expect(awaitsScheduling(pod)).toBe(awaits);
      });

      it.each(cases)('knows whether %s takes room on a node', (_, pod, __, occupies) => {
        expect(occupiesNode(pod)).toBe(occupies);
      });
    });

    describe('the decision', () => {
      it('chooses a node that nothing speaks against', () => {
        const nodes = [
          node('cordoned').cordoned(),
          node('tainted').tainted('gpu', 'NoSchedule'),
          node('free'),
          node('away').ready('Unknown'),
        ];
        expect(schedule(pod('web'), snapshotOf(nodes))).toEqual({ node: 'free' });
      });

      it('chooses the best of several, not the first', () => {
        const owner = { kind: 'ReplicaSet', name: 'echo', uid: 'rs-1' };
        const snapshot = snapshotOf([node('node-1'), node('node-2')], [pod('echo-1').ownedBy(owner).boundTo('node-1')]);
        expect(schedule(pod('echo-2').ownedBy(owner), snapshot)).toEqual({ node: 'node-2' });
      });

      it('gives the reasons of every node when none will do', () => {
        const decision = schedule(pod('web'), snapshotOf([node('node-1').cordoned(), node('node-2').tainted('gpu', 'NoSchedule', 'a100')]));
        expect(decision).toEqual({
          unschedulable: new Map([
            ['node-1', ['node(s) were unschedulable']],
            ['node-2', ['node(s) had untolerated taint {gpu: a100}']],
          ]),
        });
      });

      it('finds no place in a cluster without nodes', () => {
        expect(schedule(pod('web'), snapshotOf([]))).toEqual({ unschedulable: new Map() });
      });
    });

    describe('in a cluster', () => {
      const cluster = SchedulerCluster.forTheseTests();

      /** A scheduler that does only what it is told. */
      function schedulerOf(pods: Pod[], cache: SchedulerCache): Scheduler {
        const { client, context } = cluster.plane;
        return new Scheduler({
          client,
          clock: systemClock,
          cache,
          pod: (key) => pods.find((pod) => keyOf(pod) === key),
          unschedulable: new UnschedulablePods(systemClock, new WorkQueue(context)),
          events: new EventRecorder(client, 'default-scheduler', context),
          metrics: new SchedulerMetrics(),
        });
      }

      it('writes the node into the pod by a Binding', async () => {
        await cluster.nodes(node('node-1'));
        await bindPod(cluster.client, await cluster.pod(pod('web')), 'node-1');
        const { spec, status } = await cluster.read('web');
        expect(spec?.nodeName).toBe('node-1');
        expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'PodScheduled', status: 'True' }));
      });

      it('cannot move a pod that has a node', async () => {
        const web = await cluster.pod(pod('web'));
        await bindPod(cluster.client, web, 'node-1');
        expect(await answerTo(bindPod(cluster.client, web, 'node-2'))).toBe('Conflict');
        expect((await cluster.read('web')).spec?.nodeName).toBe('node-1');
      });

      it('does not bind another pod that took over the name', async () => {
        const first = await cluster.pod(pod('web'));
        await cluster.deletePod('web');
        await cluster.pod(pod('web'));
        expect(await answerTo(bindPod(cluster.client, first, 'node-1'))).toBe('Conflict');
        expect((await cluster.read('web')).spec?.nodeName).toBeUndefined();
      });

      it('counts a pod on its node before the binding is answered, and no longer when it failed', async () => {
        const cache = new SchedulerCache();
        cache.setNode(node('node-1'));
        const gone = { ...pod('gone'), metadata: { name: 'gone', namespace: 'default', uid: 'no-such-uid' } };
        const binding = schedulerOf([gone], cache).assumeAndBind(gone, 'node-1');
        const countedAtOnce = cache.has(gone);
        expect(await answerTo(binding)).toBe('NotFound');
        expect({ countedAtOnce, countedAfterFailure: cache.has(gone) }).toEqual({ countedAtOnce: true, countedAfterFailure: false });
      });

      it('does nothing for a key whose pod is gone, is on a node by assumption, or is not its own', async () => {
        const cache = new SchedulerCache();
        cache.setNode(node('node-1'));
        const web = await cluster.pod(pod('web'));
        const theirs = await cluster.pod(pod('theirs').specified({ schedulerName: 'my-scheduler' }));
        cache.assume(web, 'node-1');
        const scheduler = schedulerOf([web, theirs], cache);
        await scheduler.scheduleOne('default/gone');
        await scheduler.scheduleOne('default/web');
        await scheduler.scheduleOne('default/theirs');
        expect((await cluster.read('web')).spec?.nodeName).toBeUndefined();
        expect((await cluster.read('theirs')).spec?.nodeName).toBeUndefined();
      });

      it('decides and assumes in one go: two pods under way at once do not both get the last place', async () => {
        const cache = new SchedulerCache();
        cache.setNode(node('node-1').allocatable({ cpu: '4', memory: '8Gi', pods: '1' }));
        const pods = [await cluster.pod(pod('a')), await cluster.pod(pod('b'))];
        const scheduler = schedulerOf(pods, cache);
        await Promise.all([scheduler.scheduleOne('default/a'), scheduler.scheduleOne('default/b')]);
        const places = await Promise.all(['a', 'b'].map(async (name) => (await cluster.read(name)).spec?.nodeName));
        expect(places).toEqual(['node-1', undefined]);
      });

      it('binds a new pod to a node, and says so in an event', async () => {
        await cluster.nodes(node('node-1'));
        await cluster.startScheduler();
        await cluster.pod(pod('web'));
        expect(await cluster.nodeOf('web')).toBe('node-1');
        expect(await cluster.eventAbout('web', 'Scheduled')).toBe('Successfully assigned default/web to node-1');
      });

      it('places pods that were there before it started', async () => {
        await cluster.pod(pod('early'));
        await cluster.nodes(node('node-1'));
        await cluster.startScheduler();
        expect(await cluster.nodeOf('early')).toBe('node-1');
      });

      it("leaves another scheduler's pods alone", async () => {
        await cluster.nodes(node('node-1'));
        await cluster.startScheduler();
        await cluster.pod(pod('theirs').specified({ schedulerName: 'my-scheduler' }));
        await cluster.pod(pod('ours'));
        await cluster.eventAbout('ours', 'Scheduled');
        expect((await cluster.read('theirs')).spec?.nodeName).toBeUndefined();
      });

      it('sends two replicas, created at once, to two nodes', async () => {
        await cluster.nodes(node('node-1'), node('node-2'));
        await cluster.startScheduler();
        const owner = { kind: 'ReplicaSet', name: 'echo', uid: '11111111-2222-3333-4444-555555555555' };
        await Promise.all(['echo-1', 'echo-2'].map((name) => cluster.pod(pod(name).ownedBy(owner))));
        const nodes = [await cluster.nodeOf('echo-1'), await cluster.nodeOf('echo-2')];
        expect(nodes.sort()).toEqual(['node-1', 'node-2']);
      });
    });
  });
});
