import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startControllerManager } from '#controller-manager';
import { Namespaces, type Pod, Pods, type ResourceQuota, ResourceQuotas, ServiceAccounts } from '#kit/api';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

describe('a resource quota', () => {
  const namespace = 'shop';
  let cluster: TestControlPlane;
  let manager: Awaited<ReturnType<typeof startControllerManager>> | undefined;

  beforeAll(async () => {
    cluster = await startTestControlPlane();
    const { client, context } = cluster;
    await client.create(Namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await client.create(ServiceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
    await client.create(Pods, pod('before'));
    const hard = { pods: '3', 'requests.cpu': '1', services: '2', 'count/widgets.example.com': '4' };
    await client.create(ResourceQuotas, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'small', namespace },
      spec: { hard },
    });
    const listen = { host: '127.0.0.1', port: 0 };
    manager = await startControllerManager({ client, listen, controllers: ['resourcequota-controller'], ...context });
  });
  afterAll(async () => {
    await manager?.stop();
    await cluster?.stop();
  });

  const pod = (name: string): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: 'web', image: 'kubekata/echo:v1', resources: { requests: { cpu: '250m' } } }] },
  });
  const status = async (): Promise<ResourceQuota['status']> =>
    (await cluster.client.get(ResourceQuotas, { name: 'small', namespace })).status;
  const uses = (pods: string, cpu: string) =>
    cluster.eventually(`${pods} pods are used`, async () => {
      const { used } = (await status()) ?? {};
      return used?.pods === pods && used['requests.cpu'] === cpu && used;
    });

  it('takes over what its author wants, and counts what was there before', async () => {
    const used = await uses('1', '250m');
    expect(await status()).toEqual({ hard: { pods: '3', 'requests.cpu': '1', services: '2', 'count/widgets.example.com': '4' }, used });
    expect(used).toEqual({ pods: '1', 'requests.cpu': '250m', services: '0', 'count/widgets.example.com': '0' });
  });

  it('counts what is made, once', async () => {
    await cluster.client.create(Pods, pod('one'));
    await cluster.client.create(Pods, pod('two'));
    await uses('3', '750m');
    await expect(cluster.client.create(Pods, pod('three'))).rejects.toThrow(
      'pods "three" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3',
    );
  });

  it('gives back what is deleted, and what has ended', async () => {
    await cluster.client.delete(Pods, { name: 'one', namespace });
    await uses('2', '500m');
    const two = await cluster.client.get(Pods, { name: 'two', namespace });
    await cluster.client.updateStatus(Pods, { ...two, status: { ...two.status, phase: 'Succeeded' } });
    await uses('1', '250m');
    await cluster.client.create(Pods, pod('four'));
    await uses('2', '500m');
  });

  it('follows its author', async () => {
    const change = [{ op: 'replace', path: '/spec/hard', value: { pods: '2' } }];
    await cluster.client.patch(ResourceQuotas, { name: 'small', namespace }, 'json', change);
    await cluster.eventually('the new limits count', async () => {
      const { hard, used } = (await status()) ?? {};
      return hard?.services === undefined && used?.pods === '2';
    });
    expect(await status()).toEqual({ hard: { pods: '2' }, used: { pods: '2' } });
    await expect(cluster.client.create(Pods, pod('five'))).rejects.toThrow('exceeded quota: small, requested: pods=1, used: pods=2');
  });
});
