import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Container, Node, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { node, pod } from '#kit/testing/builders';
import { explain } from '#scheduler/explain';
import { insufficientResources } from '#scheduler/fits';
import { NodeState } from '#scheduler/node-state';
import { podRequests } from '#scheduler/requests';
import { inWholeNumbers, type Resources } from '#scheduler/resources';
import { schedule } from '#scheduler/schedule';
import { SchedulerCluster, snapshotOf } from './harness.ts';

const Mi = 2 ** 20;

describe('scheduler', () => {
  describe('4.2 does it fit', () => {
    beforeEach(() => NotImplemented.forget());

    describe('what a pod requests', () => {
      const requested = (pod: Pod): Resources => inWholeNumbers(podRequests(pod));
      const container = (name: string, requests: Record<string, string>): Container => ({ name, resources: { requests } });
      const sidecar = (name: string, requests: Record<string, string>): Container => ({
        ...container(name, requests),
        restartPolicy: 'Always',
      });

      it('adds up the requests of its containers, which run side by side', () => {
        const web = pod('web')
          .requesting({ cpu: '250m', memory: '1Gi' })
          .withContainer(container('logs', { cpu: '0.5', memory: '64Mi' }));
        expect(requested(web)).toEqual({ cpu: 750, memory: 1088 * Mi });
      });

      it('counts requests, not limits', () => {
        const web = pod('web').requesting({ cpu: '100m' });
        web.spec.containers[0].resources = { requests: { cpu: '100m' }, limits: { cpu: '2', memory: '1Gi' } };
        expect(requested(web)).toEqual({ cpu: 100 });
      });

      it('adds exactly, and rounds only the sum', () => {
        const web = pod('web')
          .requesting({ cpu: '0.1m' })
          .withContainer(container('b', { cpu: '0.2m' }))
          .withContainer(container('c', { cpu: '0.7m' }));
        expect(requested(web)).toEqual({ cpu: 1 });
      });

      it('needs no more than the largest of its init containers, which run one at a time, when that is more', () => {
        const web = pod('web')
          .requesting({ cpu: '500m' })
          .withInitContainer(container('migrate', { cpu: '2' }))
          .withInitContainer(container('warm-up', { cpu: '1' }));
        expect(requested(web)).toEqual({ cpu: 2000 });
      });

      it('does not add init containers to the containers that run after them', () => {
        const web = pod('web')
          .requesting({ cpu: '2' })
          .withInitContainer(container('migrate', { cpu: '500m' }));
        expect(requested(web)).toEqual({ cpu: 2000 });
      });

      it('takes the larger of both for each resource by itself', () => {
        const web = pod('web')
          .requesting({ cpu: '2', memory: '64Mi' })
          .withInitContainer(container('migrate', { cpu: '500m', memory: '512Mi' }));
        expect(requested(web)).toEqual({ cpu: 2000, memory: 512 * Mi });
      });

      it('adds sidecars to the containers, beside which they run', () => {
        const web = pod('web')
          .requesting({ cpu: '1' })
          .withInitContainer(sidecar('proxy', { cpu: '200m' }));
        expect(requested(web)).toEqual({ cpu: 1200 });
      });

      it('adds to an init container the sidecars that started before it, and no later ones', () => {
        const web = pod('web')
          .requesting({ cpu: '100m' })
          .withInitContainer(sidecar('proxy', { cpu: '300m' }))
          .withInitContainer(container('migrate', { cpu: '2' }))
          .withInitContainer(sidecar('logs', { cpu: '400m' }));
        expect(requested(web)).toEqual({ cpu: 2300 });
      });

      it("adds the pod's overhead on top of whatever is larger", () => {
        const web = pod('web')
          .requesting({ cpu: '500m' })
          .withInitContainer(container('migrate', { cpu: '1' }))
          .specified({ overhead: { cpu: '250m', memory: '120Mi' } });
        expect(requested(web)).toEqual({ cpu: 1250, memory: 120 * Mi });
      });
    });

    describe('what a node has free', () => {
      const nodeWith = (allocatable: Record<string, string>, requestedThere: Resources[] = []): NodeState => {
        const state = new NodeState('node-1');
        state.node = node('node-1').allocatable(allocatable);
        for (const requests of requestedThere) state.charge(requests, 1);
        return state;
      };

      it('keeps the total of what its pods request, as they come and go', () => {
        const state = nodeWith({}, [{ cpu: 500, memory: Mi }, { cpu: 250 }]);
        expect(state.requested).toMatchObject({ cpu: 750, memory: Mi });
        state.charge({ cpu: 500, memory: Mi }, -1);
        expect([state.requested.cpu, state.requested.memory ?? 0]).toEqual([250, 0]);
      });

      it('has room for a request of exactly what is free, and not for more', () => {
        const state = nodeWith({ cpu: '2' }, [{ cpu: 1500 }]);
        expect(insufficientResources({ cpu: 500 }, state)).toEqual([]);
        expect(insufficientResources({ cpu: 501 }, state)).toEqual(['Insufficient cpu']);
      });

      it('names every resource of which there is too little', () => {
        const reasons = insufficientResources({ cpu: 3000, memory: 2 * Mi, 'example.com/gpu': 1 }, nodeWith({ cpu: '2', memory: '1Gi' }));
        expect(reasons.sort()).toEqual(['Insufficient cpu', 'Insufficient example.com/gpu']);
      });

      it('accepts a request of zero even when it is more than full', () => {
        expect(insufficientResources({ cpu: 0 }, nodeWith({ cpu: '1' }, [{ cpu: 1500 }]))).toEqual([]);
      });
    });

    describe('the decision', () => {
      const reasons = (pod: Pod, node: Node, podsOnIt: Pod[] = []): readonly string[] => {
        const decision = schedule(pod, snapshotOf([node], podsOnIt));
        return 'node' in decision ? [] : (decision.unschedulable.get(node.metadata?.name ?? '') ?? []);
      };

      it('rejects a node whose free CPU is smaller than the request', () => {
        const busy = pod('busy').requesting({ cpu: '1500m' }).boundTo('node-1');
        expect(reasons(pod('web').requesting({ cpu: '600m' }), node('node-1').allocatable({ cpu: '2' }), [busy])).toEqual([
          'Insufficient cpu',
        ]);
      });

      it('goes by what is requested: a pod that uses nothing still has its room, and a limit takes none', () => {
        const lazy = pod('lazy').boundTo('node-1').inPhase('Running');
        lazy.spec.containers[0].resources = { requests: { memory: '1Gi' }, limits: { memory: '6Gi' } };
        const almost = node('node-1').allocatable({ memory: '3Gi' });
        expect(reasons(pod('web').requesting({ memory: '2Gi' }), almost, [lazy])).toEqual([]);
        expect(reasons(pod('web').requesting({ memory: '2049Mi' }), almost, [lazy])).toEqual(['Insufficient memory']);
      });

      it('gives every reason of a node, not only its first', () => {
        const small = node('node-1').allocatable({ cpu: '1', memory: '1Gi' });
        const large = pod('web').requesting({ cpu: '2', memory: '2Gi' });
        expect([...reasons(large, small)].sort()).toEqual(['Insufficient cpu', 'Insufficient memory']);
      });

      it('takes what the node can give from allocatable, not from capacity', () => {
        const small = node('node-1').allocatable({ cpu: '1' });
        expect(small.status.capacity?.cpu).toBe('4');
        expect(reasons(pod('web').requesting({ cpu: '2' }), small)).toEqual(['Insufficient cpu']);
      });

      it('chooses the node with room even when the other is otherwise better', () => {
        const nodes = [node('small').allocatable({ cpu: '1' }), node('large').allocatable({ cpu: '4' })];
        const busy = pod('busy').requesting({ cpu: '1800m' }).boundTo('large');
        expect(schedule(pod('web').requesting({ cpu: '2' }), snapshotOf(nodes, [busy]))).toEqual({ node: 'large' });
      });

      it('rejects a node that has as many pods as it takes, even for a pod that requests nothing', () => {
        const there = pod('there').requesting({ cpu: '1m' }).boundTo('node-1');
        expect(reasons(pod('web'), node('node-1').allocatable({ pods: '1' }), [there])).toEqual(['Too many pods']);
      });
    });

    describe('the explanation', () => {
      it('counts the nodes that gave a reason, and sorts', () => {
        const rejections = new Map([
          ['node-1', ['node(s) were unschedulable']],
          ['node-2', ['Insufficient cpu']],
        ]);
        expect(explain(rejections)).toBe('0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.');
      });

      it('counts a node once for each of its reasons', () => {
        const rejections = new Map([
          ['node-1', ['Too many pods', 'Insufficient memory']],
          ['node-2', ['Insufficient memory']],
          ['node-3', ['Insufficient memory', 'Insufficient cpu']],
        ]);
        expect(explain(rejections)).toBe('0/3 nodes are available: 1 Insufficient cpu, 1 Too many pods, 3 Insufficient memory.');
      });

      it('sorts as text: ten come before two', () => {
        const ofEach = (count: number, reason: string) =>
          Array.from({ length: count }, (_, index) => [`${reason} ${index}`, [reason]] as const);
        const rejections = new Map([...ofEach(2, 'Insufficient cpu'), ...ofEach(10, 'Insufficient memory')]);
        expect(explain(rejections)).toBe('0/12 nodes are available: 10 Insufficient memory, 2 Insufficient cpu.');
      });
    });

    describe('in a cluster', () => {
      const cluster = SchedulerCluster.forTheseTests();
      const sentence = '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.';

      it("says in an event and in the pod's condition why the pod fits nowhere", async () => {
        await cluster.nodes(node('node-1').allocatable({ cpu: '1' }), node('node-2').cordoned());
        await cluster.startScheduler();
        await cluster.pod(pod('web').requesting({ cpu: '2' }));
        // The real scheduler adds a second sentence, on preemption.
        expect((await cluster.reasonForPending('web')).slice(0, sentence.length)).toBe(sentence);
        expect((await cluster.eventAbout('web', 'FailedScheduling')).slice(0, sentence.length)).toBe(sentence);
        expect((await cluster.read('web')).spec?.nodeName).toBeUndefined();
      });

      it('counts pods that are bound to the node but not running yet', async () => {
        await cluster.nodes(node('node-1').allocatable({ cpu: '2' }));
        await cluster.pod(pod('bound').requesting({ cpu: '1500m' }).boundTo('node-1'));
        await cluster.startScheduler();
        await cluster.pod(pod('web').requesting({ cpu: '1' }));
        expect(await cluster.reasonForPending('web')).toContain('1 Insufficient cpu');
      });

      it('gives the last CPU to one of four pods that are created at once', async () => {
        await cluster.nodes(node('node-1').allocatable({ cpu: '1' }));
        await cluster.startScheduler();
        const names = ['a', 'b', 'c', 'd'];
        await Promise.all(names.map((name) => cluster.pod(pod(name).requesting({ cpu: '600m' }))));
        const refused = await cluster.eventually('three of the four pods fit nowhere', async () => {
          const pods = await Promise.all(names.map((name) => cluster.read(name)));
          const pending = pods.filter(({ status }) => status?.conditions?.some(({ reason }) => reason === 'Unschedulable'));
          return pods.some(({ spec }) => spec?.nodeName) && pending.length >= 3 ? pending : undefined;
        });
        expect(refused).toHaveLength(3);
        expect(refused.filter(({ spec }) => spec?.nodeName)).toEqual([]);
      });

      it('gives the room of a pod that succeeded to one that waits for it', async () => {
        await cluster.nodes(node('node-1').allocatable({ cpu: '1' }));
        await cluster.pod(pod('job').requesting({ cpu: '1' }).boundTo('node-1').inPhase('Running'));
        await cluster.startScheduler();
        await cluster.pod(pod('web').requesting({ cpu: '1' }));
        await cluster.reasonForPending('web');
        await cluster.setPhase('job', 'Succeeded');
        expect(await cluster.nodeOf('web')).toBe('node-1');
      });

      it('gives the room of a deleted pod to one that waits for it', async () => {
        await cluster.nodes(node('node-1').allocatable({ cpu: '1' }));
        await cluster.pod(pod('old').requesting({ cpu: '1' }).boundTo('node-1'));
        await cluster.startScheduler();
        await cluster.pod(pod('web').requesting({ cpu: '1' }));
        await cluster.reasonForPending('web');
        await cluster.deletePod('old');
        expect(await cluster.nodeOf('web')).toBe('node-1');
      });

      it('places a pod that fitted nowhere when a node with room joins', async () => {
        await cluster.nodes(node('small').allocatable({ cpu: '1' }));
        await cluster.startScheduler();
        await cluster.pod(pod('web').requesting({ cpu: '2' }));
        await cluster.reasonForPending('web');
        await cluster.nodes(node('large').allocatable({ cpu: '4' }));
        expect(await cluster.nodeOf('web')).toBe('large');
      });
    });
  });
});
