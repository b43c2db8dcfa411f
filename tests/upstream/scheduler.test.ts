// The real scheduler on our API server: it binds, says why it cannot, makes room for what matters more, and is replaced when it dies.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Deployments, Events, Leases, Nodes, type Pod, Pods, PriorityClasses } from '#kit/api';
import { pod } from '#kit/testing/builders';
import { UpstreamCluster } from './cluster.ts';
import { deployment } from './kinds.ts';

jest.setTimeout(120_000);

const namespace = 'default';

describe('the real kube-scheduler', () => {
  let cluster: UpstreamCluster;
  beforeAll(async () => {
    cluster = await UpstreamCluster.start();
  });
  afterAll(() => cluster?.stop());

  const bound = (wanted: Pod) => cluster.until(Pods, wanted, ({ spec }) => spec?.nodeName);
  const whyNot = async (wanted: Pod) => {
    const isNot = ({ type, status }: { type: string; status: string }) => type === 'PodScheduled' && status === 'False';
    const { status } = await cluster.until(Pods, wanted, ({ status }) => status?.conditions?.some(isNot));
    return status?.conditions?.find(isNot);
  };

  it('binds a pod to a node, says so, and the pod runs', async () => {
    const wanted = await cluster.client.create(Pods, pod('web').requesting({ cpu: '500m' }));
    const { spec } = await bound(wanted);
    await cluster.until(Pods, wanted, ({ status }) => status?.phase === 'Running');
    await cluster.eventually('the event', async () => {
      const { items } = await cluster.client.list(Events, { namespace, fieldSelector: 'involvedObject.name=web,reason=Scheduled' });
      return items.some(({ message }) => message === `Successfully assigned default/web to ${spec?.nodeName}`);
    });
  });

  it('spreads the pods of a Deployment over the nodes', async () => {
    const made = await cluster.client.create(Deployments, deployment(namespace, 'spread', 4));
    await cluster.until(Deployments, made, ({ status }) => status?.readyReplicas === 4);
    const places = (await cluster.pods(namespace, 'spread')).map(({ spec }) => spec?.nodeName);
    expect(places.sort()).toEqual(['node-1', 'node-1', 'node-2', 'node-2']);
  });

  it('explains why a pod fits nowhere, node by node', async () => {
    const wanted = await cluster.client.create(Pods, pod('giant').requesting({ cpu: '64' }));
    const condition = await whyNot(wanted);
    expect(condition).toMatchObject({ reason: 'Unschedulable' });
    expect(condition?.message).toContain('0/2 nodes are available: 2 Insufficient cpu.');
    await cluster.eventually('the event', async () => {
      const { items } = await cluster.client.list(Events, { namespace, fieldSelector: 'involvedObject.name=giant' });
      return items.some(({ reason, message }) => reason === 'FailedScheduling' && message?.startsWith('0/2 nodes are available: '));
    });
    await cluster.client.delete(Pods, { name: 'giant', namespace });
  });

  it('lets a pod wait for a node that it likes, and binds it when one is labelled', async () => {
    const wanted = await cluster.client.create(Pods, pod('picky').specified({ nodeSelector: { disk: 'ssd' } }));
    expect((await whyNot(wanted))?.message).toContain("2 node(s) didn't match Pod's node affinity/selector.");
    await cluster.client.patch(Nodes, { name: 'node-2' }, 'merge', { metadata: { labels: { disk: 'ssd' } } });
    expect((await bound(wanted)).spec?.nodeName).toBe('node-2');
  });

  it('keeps away from a cordoned node', async () => {
    await cluster.kubectl(['cordon', 'node-2']);
    const wanted = await cluster.client.create(Pods, pod('elsewhere'));
    expect((await bound(wanted)).spec?.nodeName).toBe('node-1');
    await cluster.kubectl(['uncordon', 'node-2']);
  });

  it('makes room for a pod of a higher priority', async () => {
    await cluster.client.create(PriorityClasses, { metadata: { name: 'high' }, value: 1000 });
    const fill = [1, 2].map((number) => pod(`small-${number}`).requesting({ cpu: '6' }));
    for (const wanted of fill) await bound(await cluster.client.create(Pods, wanted));
    const wanted = await cluster.client.create(Pods, pod('urgent').requesting({ cpu: '6' }).specified({ priorityClassName: 'high' }));
    const placed = await cluster.until(Pods, wanted, ({ status }) => status?.phase === 'Running');
    const left = await cluster.eventually('one had to go', async () => {
      const { items } = await cluster.client.list(Pods, { namespace });
      const small = items.filter(({ metadata }) => metadata?.name?.startsWith('small-'));
      return small.length === 1 && small;
    });
    expect(left[0]?.spec?.nodeName).not.toBe(placed.spec?.nodeName);
    const { items } = await cluster.client.list(Events, { namespace, fieldSelector: 'reason=Preempted' });
    expect(items).toHaveLength(1);
    for (const name of ['urgent', left[0]?.metadata?.name ?? '']) await cluster.client.delete(Pods, { name, namespace });
  });

  it('is replaced by another when it dies', async () => {
    const lease = { namespace: 'kube-system', name: 'kube-scheduler' };
    const holder = async () => (await cluster.until(Leases, { metadata: lease }, ({ spec }) => spec?.holderIdentity)).spec?.holderIdentity;
    await cluster.startScheduler();
    const before = await holder();
    await cluster.schedulers[0]?.kill();
    await cluster.eventually('another leads', async () => (await holder()) !== before);
    await bound(await cluster.client.create(Pods, pod('orphaned')));
  });

  it('complains of nothing that is the API server’s fault', () => expect(cluster.faults()).toEqual([]));
});
