import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WorkQueue } from '#controller-manager/work-queue';
import { keyOf, type Node, type Pod } from '#kit/api';
import { systemClock, systemRandom } from '#kit/clock';
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
import { answerTo, requestsOfClient, SchedulerCluster, snapshotOf } from './harness.ts';

/** Like `expect(said).toBe(right)`, and a failure shows what was asked, and why the answer is what it is. */
function expectVerdict(question: string, said: boolean, right: boolean, why: string): void {
  const answer = (yes: boolean) => `${question}: ${yes ? 'yes' : 'no'}`;
  expect(said === right ? `${answer(said)}, because ${why}` : answer(said)).toBe(`${answer(right)}, because ${why}`);
}

describe('scheduler', () => {
  describe('4.1 bind a pod', () => {
    beforeEach(() => NotImplemented.forget());

    describe('which pods', () => {
      const theirs = () => pod('web').specified({ schedulerName: 'my-scheduler' });
      const bound = () => pod('web').boundTo('node-1');
      const cases: [what: string, pod: Pod, awaits: boolean, occupies: boolean, why: string][] = [
        ['a pod without a node that names no scheduler', pod('web'), true, false, 'a missing schedulerName means this scheduler'],
        ['a pod that names this scheduler', pod('web').specified({ schedulerName: 'default-scheduler' }), true, false, 'it waits for us'],
        ["another scheduler's pod", theirs(), false, false, 'its schedulerName is not ours, and it is nowhere yet'],
        ['a pod on a node, not running yet', bound().inPhase('Pending'), false, true, 'its room is taken from the moment it is bound'],
        ['a running pod', bound().inPhase('Running'), false, true, 'it has its node'],
        ["another scheduler's running pod", theirs().boundTo('node-1'), false, true, 'room is room, whoever gave it away'],
        ['a pod that succeeded', bound().inPhase('Succeeded'), false, false, 'its containers have ended and do not come back'],
        ['a pod that failed', bound().inPhase('Failed'), false, false, 'its containers have ended and do not come back'],
        ['a pod that failed before it had a node', pod('web').inPhase('Failed'), false, false, 'it will never run'],
        ['a pod that is deleted before it had a node', pod('web').terminating(), false, false, 'it will never run'],
        ['a pod that is being stopped on its node', bound().inPhase('Running').terminating(), false, true, 'it runs until it is gone'],
      ];

      it.each(cases)('knows whether %s awaits scheduling', (what, pod, awaits, _, why) => {
        expectVerdict(`${what} awaits scheduling`, awaitsScheduling(pod), awaits, why);
      });

      it.each(cases)('knows whether %s takes room on a node', (what, pod, _, occupies, why) => {
        expectVerdict(`${what} takes room on a node`, occupiesNode(pod), occupies, why);
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

    it('posts a v1 Binding whose metadata names the pod, uid and all, and whose target is the node', async () => {
      const web: Pod = { ...pod('web'), metadata: { name: 'web', namespace: 'shop', uid: 'uid-1' } };
      expect(await requestsOfClient((client) => bindPod(client, web, 'node-1'))).toEqual([
        {
          line: 'POST /api/v1/namespaces/shop/pods/web/binding',
          body: {
            apiVersion: 'v1',
            kind: 'Binding',
            metadata: { name: 'web', namespace: 'shop', uid: 'uid-1' },
            target: { apiVersion: 'v1', kind: 'Node', name: 'node-1' },
          },
        },
      ]);
    });

    describe('in a cluster', () => {
      const cluster = SchedulerCluster.forTheseTests();

      /** A scheduler that does only what it is told. `flush` waits for its events. */
      function schedulerOf(pods: Pod[], cache: SchedulerCache): { scheduler: Scheduler; flush(): Promise<void> } {
        const { client, context } = cluster.plane;
        const events = new EventRecorder(client, 'default-scheduler', context);
        const scheduler = new Scheduler({
          client,
          clock: systemClock,
          cache,
          pod: (key) => pods.find((pod) => keyOf(pod) === key),
          unschedulable: new UnschedulablePods(systemClock, queue),
          events,
          metrics: new SchedulerMetrics(),
        });
        return { scheduler, flush: () => events.flush() };
      }

      let queue: WorkQueue;
      beforeEach(() => {
        queue = new WorkQueue({ clock: systemClock, random: systemRandom });
      });
      afterEach(() => queue?.shutDown());

      function cacheWith(...nodes: Node[]): SchedulerCache {
        const cache = new SchedulerCache();
        for (const node of nodes) cache.setNode(node);
        return cache;
      }

      const isBound = ({ spec }: Pod) => Boolean(spec?.nodeName);
      const noLongerThere = () => ({ ...pod('gone'), metadata: { name: 'gone', namespace: 'default', uid: 'no-such-uid' } });

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
        const cache = cacheWith(node('node-1'));
        const gone = noLongerThere();
        const binding = schedulerOf([gone], cache).scheduler.assumeAndBind(gone, 'node-1');
        const countedAtOnce = cache.has(gone);
        expect(await answerTo(binding)).toBe('NotFound');
        expect({ countedAtOnce, countedAfterFailure: cache.has(gone) }).toEqual({ countedAtOnce: true, countedAfterFailure: false });
      });

      it('passes on that somebody else has bound the pod, and takes its assumption back', async () => {
        const cache = cacheWith(node('node-1'), node('node-2'));
        const web = await cluster.pod(pod('web'));
        await bindPod(cluster.client, web, 'node-1');
        const { scheduler, flush } = schedulerOf([web], cache);
        expect(await answerTo(scheduler.assumeAndBind(web, 'node-2'))).toBe('Conflict');
        await flush();
        expect(cache.has(web)).toBe(false);
      });

      it('says Scheduled only when the API server has said yes', async () => {
        const gone = noLongerThere();
        const { scheduler, flush } = schedulerOf([gone], cacheWith(node('node-1')));
        expect(await answerTo(scheduler.assumeAndBind(gone, 'node-1'))).toBe('NotFound');
        await flush();
        expect(await cluster.eventsAbout('gone')).toEqual([]);
      });

      it('does nothing for a key whose pod is gone, is on a node by assumption, is being deleted, or is not its own', async () => {
        const cache = cacheWith(node('node-1'));
        const assumed = await cluster.pod(pod('assumed'));
        cache.assume(assumed, 'node-1');
        const theirs = await cluster.pod(pod('theirs').specified({ schedulerName: 'my-scheduler' }));
        const leaving = await cluster.pod(pod('leaving'));
        const asTheInformerKnowsIt = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
        const { scheduler, flush } = schedulerOf([assumed, theirs, asTheInformerKnowsIt], cache);
        for (const name of ['gone', 'assumed', 'theirs', 'leaving']) await scheduler.scheduleOne(`default/${name}`);
        await flush();
        const bound = (await Promise.all(['assumed', 'theirs', 'leaving'].map((name) => cluster.read(name)))).filter(isBound);
        expect(bound.map(keyOf)).toEqual([]);
      });

      it('decides and assumes in one go: two pods under way at once do not both get the last place', async () => {
        const cache = cacheWith(node('node-1').allocatable({ pods: '1' }));
        const { scheduler, flush } = schedulerOf([await cluster.pod(pod('a')), await cluster.pod(pod('b'))], cache);
        const outcomes = await Promise.allSettled([scheduler.scheduleOne('default/a'), scheduler.scheduleOne('default/b')]);
        // What becomes of the one that got no place is stage 4.2's affair.
        const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
        if (failures.length === outcomes.length) throw failures[0]?.reason;
        await flush();
        const bound = (await Promise.all(['a', 'b'].map((name) => cluster.read(name)))).filter(isBound);
        expect(bound).toHaveLength(1);
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
