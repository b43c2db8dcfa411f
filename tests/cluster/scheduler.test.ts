// What the scheduler has beyond the stages that are written: the filters and scores of 4.3 to 4.5 and the waiting of 4.6, thin but right.

import { describe, expect, it } from '@jest/globals';
import { WorkQueue } from '#controller-manager/work-queue';
import type { Node, Pod } from '#kit/api';
import { FakeClock, seededRandom } from '#kit/clock';
import { node, pod } from '#kit/testing/builders';
import { SchedulerCache } from '#scheduler/cache';
import { nodeHandler } from '#scheduler/event-handlers';
import { whyNot } from '#scheduler/filters';
import { type Decision, schedule } from '#scheduler/schedule';
import { UnschedulablePods } from '#scheduler/unschedulable-pods';

function cacheOf(nodes: Node[], pods: Pod[] = []): SchedulerCache {
  const cache = new SchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const [index, pod] of pods.entries()) cache.setPod({ ...pod, metadata: { ...pod.metadata, uid: `uid-${index}` } });
  return cache;
}

function objections(pod: Pod, node: Node): string[] {
  const [state] = cacheOf([node]).snapshot().nodes;
  return state ? whyNot(pod, state) : ['there is no node'];
}

const affinity = (...nodeSelectorTerms: object[]): Pod =>
  pod('web').specified({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: nodeSelectorTerms as never } } },
  });
const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });

describe('scheduler: filters', () => {
  const disks = node('node-1').labelled({ disk: 'ssd', size: '16' });

  it.each<[string, Pod, boolean]>([
    ['nodeSelector with its label', pod('web').specified({ nodeSelector: { disk: 'ssd' } }), true],
    ['nodeSelector with another value', pod('web').specified({ nodeSelector: { disk: 'hdd' } }), false],
    ['In', affinity(expression('disk', 'In', 'hdd', 'ssd')), true],
    ['In without the label', affinity(expression('zone', 'In', 'a')), false],
    ['NotIn', affinity(expression('disk', 'NotIn', 'ssd')), false],
    ['NotIn without the label', affinity(expression('zone', 'NotIn', 'a')), true],
    ['Exists', affinity(expression('disk', 'Exists')), true],
    ['DoesNotExist', affinity(expression('disk', 'DoesNotExist')), false],
    ['Gt, by number and not by letter', affinity(expression('size', 'Gt', '9')), true],
    ['Lt', affinity(expression('size', 'Lt', '16')), false],
    ['Gt of what is no number', affinity(expression('disk', 'Gt', '1')), false],
    ['one of two terms', affinity(expression('zone', 'Exists'), expression('disk', 'Exists')), true],
    [
      'only one of two expressions',
      affinity({
        matchExpressions: [
          { key: 'disk', operator: 'Exists' },
          { key: 'zone', operator: 'Exists' },
        ],
      }),
      false,
    ],
    ['a term without expressions', affinity({}), false],
    ["the node's name", affinity({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] }), true],
    ["another node's name", affinity({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-2'] }] }), false],
  ])('knows whether a node is meant by %s', (_, pod, isMeant) => {
    expect(objections(pod, disks)).toEqual(isMeant ? [] : ["node(s) didn't match Pod's node affinity/selector"]);
  });

  const tolerating = (toleration: object): Pod => pod('web').specified({ tolerations: [toleration] });

  it.each<[string, Pod, boolean]>([
    ['nothing', pod('web'), false],
    ['key, value and effect', tolerating({ key: 'gpu', value: 'a100', effect: 'NoSchedule' }), true],
    ['the key with any effect', tolerating({ key: 'gpu', value: 'a100' }), true],
    ['another value', tolerating({ key: 'gpu', value: 'h100' }), false],
    ['another effect', tolerating({ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }), false],
    ['the key with any value', tolerating({ key: 'gpu', operator: 'Exists' }), true],
    ['everything', tolerating({ operator: 'Exists' }), true],
  ])('keeps a pod that tolerates %s away from a tainted node, or not', (_, pod, tolerates) => {
    const tainted = node('node-1').tainted('gpu', 'NoSchedule', 'a100');
    expect(objections(pod, tainted)).toEqual(tolerates ? [] : ['node(s) had untolerated taint {gpu: a100}']);
  });

  it('minds NoExecute, and not PreferNoSchedule', () => {
    expect(objections(pod('web'), node('node-1').tainted('old', 'NoExecute'))).toEqual(['node(s) had untolerated taint {old: }']);
    expect(objections(pod('web'), node('node-1').tainted('old', 'PreferNoSchedule'))).toEqual([]);
  });

  it('goes to no node that is not ready, before the controller manager has tainted it', () => {
    expect(objections(pod('web'), node('node-1').ready('False'))).toEqual([
      'node(s) had untolerated taint {node.kubernetes.io/not-ready: }',
    ]);
    expect(objections(pod('web'), node('node-1').ready('Unknown'))).toEqual([
      'node(s) had untolerated taint {node.kubernetes.io/unreachable: }',
    ]);
  });

  it('goes to a cordoned node when the pod tolerates that, as pods of a DaemonSet do', () => {
    const toleration = { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' };
    expect(objections(pod('web'), node('node-1').cordoned())).toEqual(['node(s) were unschedulable']);
    expect(objections(tolerating(toleration), node('node-1').cordoned())).toEqual([]);
  });
});

describe('scheduler: scores', () => {
  const nodes = [node('node-1').allocatable({ cpu: '4' }), node('node-2').allocatable({ cpu: '4' })];
  const decide = (pod: Pod, there: Pod[]): Decision => schedule(pod, cacheOf(nodes, there).snapshot());

  it('prefers the node with more left', () => {
    const busy = pod('busy').requesting({ cpu: '1' }).boundTo('node-1');
    expect(decide(pod('web').requesting({ cpu: '1' }), [busy])).toEqual({ node: 'node-2' });
  });

  it('prefers the node with fewer replicas to the one with more left', () => {
    const owner = { kind: 'ReplicaSet', name: 'echo', uid: 'rs' };
    const there = [pod('echo-1').ownedBy(owner).boundTo('node-2'), pod('busy').requesting({ cpu: '3' }).boundTo('node-1')];
    expect(decide(pod('echo-2').ownedBy(owner), there)).toEqual({ node: 'node-1' });
  });

  it('prefers the node with fewer pods when all else is equal', () => {
    expect(decide(pod('web'), [pod('other').boundTo('node-1')])).toEqual({ node: 'node-2' });
  });
});

describe('scheduler: cache', () => {
  const state = (cache: SchedulerCache) => cache.snapshot().nodes[0];
  const web = { ...pod('web').requesting({ cpu: '500m' }), metadata: { name: 'web', namespace: 'default', uid: 'uid-web' } };
  const bound = { ...web, spec: { ...web.spec, nodeName: 'node-1' } };

  it('counts an assumed pod once when it is seen on its node', () => {
    const cache = cacheOf([node('node-1')]);
    cache.assume(web, 'node-1');
    cache.setPod(bound);
    expect([state(cache)?.podCount, state(cache)?.requested.cpu]).toEqual([1, 500]);
  });

  it('does not forget a pod that was seen on its node, whatever its binding was answered', () => {
    const cache = cacheOf([node('node-1')]);
    cache.assume(web, 'node-1');
    cache.setPod(bound);
    cache.forget(web);
    expect(cache.has(web)).toBe(true);
  });

  it('keeps the books of a node whose pods are seen first, or that comes back', () => {
    const cache = cacheOf([], [bound]);
    expect(cache.snapshot().nodes).toEqual([]);
    cache.setNode(node('node-1'));
    cache.removeNode('node-1');
    cache.setNode(node('node-1'));
    expect(state(cache)?.requested.cpu).toBe(500);
  });
});

describe('scheduler: pods that fit nowhere', () => {
  function waiting() {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock, random: seededRandom(1) });
    const unschedulable = new UnschedulablePods(clock, queue);
    const handler = nodeHandler({ cache: new SchedulerCache(), queue, unschedulable });
    return { clock, queue, unschedulable, handler };
  }

  it('waits 1, 2, 4, 8, 10 and 10 seconds before a change in the cluster brings a pod back', async () => {
    const { clock, queue, unschedulable, handler } = waiting();
    for (const seconds of [1, 2, 4, 8, 10, 10]) {
      unschedulable.failed('default/web');
      handler.added(node('node-1'));
      await clock.advance(seconds * 1_000 - 1);
      expect(queue.length).toBe(0);
      await clock.advance(1);
      expect(queue.length).toBe(1);
      queue.done((await queue.get()) ?? '');
    }
  });

  it('is not woken by a heartbeat, and is by a node that is uncordoned or grows', async () => {
    const { clock, queue, unschedulable, handler } = waiting();
    unschedulable.failed('default/web');
    const before = node('node-1').cordoned();
    const heartbeat: Node = { ...before, metadata: { name: 'node-1', labels: { ...before.metadata.labels }, resourceVersion: '2' } };
    handler.updated(heartbeat, before);
    await clock.advance(60_000);
    expect(queue.length).toBe(0);
    handler.updated(node('node-1'), heartbeat);
    expect(queue.length).toBe(1);
  });

  it('comes back after five minutes though nothing happened', async () => {
    const { clock, queue, unschedulable } = waiting();
    unschedulable.failed('default/web');
    await clock.advance(5 * 60_000);
    expect(queue.length).toBe(1);
  });

  it('is left out once it has a place', async () => {
    const { clock, queue, unschedulable, handler } = waiting();
    unschedulable.failed('default/web');
    unschedulable.forget('default/web');
    handler.added(node('node-1'));
    await clock.advance(10_000);
    expect(queue.length).toBe(0);
  });
});
