// Nodes and leaders that die, as the real controller manager sees it.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Deployments, Leases, Nodes } from '#kit/api';
import { UpstreamCluster } from './cluster.ts';
import { DaemonSets, deployment, template } from './kinds.ts';

jest.setTimeout(120_000);

const namespace = 'default';
/** A pod may stay so long on a node that is not heard of. */
const impatient = [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 }];

describe('the real kube-controller-manager: what dies', () => {
  let cluster: UpstreamCluster;
  beforeAll(async () => {
    cluster = await UpstreamCluster.start();
  });
  afterAll(() => cluster?.stop());

  const placesOf = async (app: string) =>
    (await cluster.pods(namespace, app)).filter(({ metadata }) => !metadata?.deletionTimestamp).map(({ spec }) => spec?.nodeName);

  it('a leader: another takes its place, and its work', async () => {
    const lease = { namespace: 'kube-system', name: 'kube-controller-manager' };
    const holder = async () => (await cluster.until(Leases, { metadata: lease }, ({ spec }) => spec?.holderIdentity)).spec?.holderIdentity;
    await cluster.startControllerManager();
    const before = await holder();
    await cluster.managers[0]?.kill();
    await cluster.eventually('another leads', async () => (await holder()) !== before);
    const made = await cluster.client.create(Deployments, deployment(namespace, 'heir', 1));
    await cluster.until(Deployments, made, ({ status }) => status?.readyReplicas === 1);
  });

  it('a kubelet: its node is tainted, its pods are made anew elsewhere, and its node’s other pods are not ready', async () => {
    const made = await cluster.client.create(Deployments, deployment(namespace, 'web', 4, { tolerations: impatient }));
    await cluster.until(Deployments, made, ({ status }) => status?.readyReplicas === 4);
    const everywhere = { selector: { matchLabels: { app: 'agent' } }, template: template('agent') };
    const agents = await cluster.client.create(DaemonSets, { metadata: { name: 'agent', namespace }, spec: everywhere });
    await cluster.until(DaemonSets, agents, ({ status }) => status?.numberReady === 2);
    expect(await placesOf('web')).toContain('node-2');
    await cluster.stopKubelet('node-2');
    const { status } = await cluster.until(Nodes, { metadata: { name: 'node-2' } }, ({ spec }) =>
      spec?.taints?.some(({ key, effect }) => key === 'node.kubernetes.io/unreachable' && effect === 'NoExecute'),
    );
    expect(status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown' });
    await cluster.eventually('all pods are on the other node', async () => new Set(await placesOf('web')).size === 1);
    await cluster.until(Deployments, made, ({ status }) => status?.readyReplicas === 4);
    await cluster.until(DaemonSets, agents, ({ status }) => status?.numberReady === 1);
    expect((await placesOf('agent')).sort()).toEqual(['node-1', 'node-2']);
  });

  it('a node that comes back is open again, and lets its old pods go', async () => {
    await cluster.startNode(2);
    await cluster.until(Nodes, { metadata: { name: 'node-2' } }, ({ spec }) => !spec?.taints);
    await cluster.eventually('the old pods are gone', async () =>
      (await cluster.pods(namespace, 'web')).every(({ metadata }) => !metadata?.deletionTimestamp),
    );
    await cluster.until(DaemonSets, { metadata: { name: 'agent', namespace } }, ({ status }) => status?.numberReady === 2);
  });

  it('complains of nothing that is the API server’s fault', () => expect(cluster.faults()).toEqual([]));
});
