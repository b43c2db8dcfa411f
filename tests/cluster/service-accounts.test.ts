// What every namespace has without anybody asking for it, and roles that gather what others may: the controllers that see to it.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startControllerManager } from '#controller-manager';
import { ClusterRoles, ConfigMaps, Namespaces, ServiceAccounts } from '#kit/api';
import type { RunningComponent } from '#kit/component';
import { isNotFound } from '#kit/status';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

describe('what every namespace has', () => {
  let plane: TestControlPlane;
  let manager: RunningComponent;

  beforeAll(async () => {
    plane = await startTestControlPlane();
    const { client, ca, context } = plane;
    manager = await startControllerManager({ client, listen: { host: '127.0.0.1', port: 0 }, rootCa: ca, ...context });
  });
  afterAll(async () => {
    await manager?.stop();
    await plane?.stop();
  });

  const uidOf = async (namespace: string) => {
    try {
      return (await plane.client.get(ServiceAccounts, { namespace, name: 'default' })).metadata?.uid;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return undefined;
    }
  };
  const publishedIn = async (namespace: string) => {
    const { items } = await plane.client.list(ConfigMaps, { namespace, fieldSelector: 'metadata.name=kube-root-ca.crt' });
    return items[0]?.data;
  };

  it('gives a namespace a default service account, old or new, and gives it back when it is deleted', async () => {
    await plane.eventually('the account in default', () => uidOf('default'));
    await plane.client.create(Namespaces, { metadata: { name: 'shop' } });
    const first = await plane.eventually('the account in shop', () => uidOf('shop'));
    await plane.client.delete(ServiceAccounts, { namespace: 'shop', name: 'default' });
    await plane.eventually('another account in shop', async () => {
      const uid = await uidOf('shop');
      return uid && uid !== first;
    });
  });

  it('tells every namespace of the cluster’s CA, and says it again when somebody changes it', async () => {
    await plane.client.create(Namespaces, { metadata: { name: 'bank' } });
    const isThere = () => plane.eventually('the CA in bank', async () => (await publishedIn('bank'))?.['ca.crt'] === plane.ca);
    await isThere();
    await plane.client.patch(ConfigMaps, { namespace: 'bank', name: 'kube-root-ca.crt' }, 'merge', { data: { 'ca.crt': 'x', more: 'y' } });
    await plane.eventually('nothing but the CA', async () => {
      const data = await publishedIn('bank');
      return data?.['ca.crt'] === plane.ca && Object.keys(data).length === 1;
    });
    await plane.client.delete(ConfigMaps, { namespace: 'bank', name: 'kube-root-ca.crt' });
    await isThere();
  });

  it('puts nothing into a namespace that is ending', async () => {
    await plane.client.create(Namespaces, { metadata: { name: 'brief' } });
    await plane.eventually('the account in brief', () => uidOf('brief'));
    await plane.client.delete(Namespaces, { name: 'brief' });
    await plane.eventually('the namespace is gone', async () => {
      const { items } = await plane.client.list(Namespaces);
      return !items.some(({ metadata }) => metadata?.name === 'brief');
    });
    expect(await uidOf('brief')).toBeUndefined();
  });

  it('gathers rules by label into a role, each once, and takes out what is gone', async () => {
    const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
    const jobs = { apiGroups: ['batch'], resources: ['jobs'], verbs: ['list'] };
    const labels = { part: 'of-reader' };
    const selector = { clusterRoleSelectors: [{ matchLabels: labels }] };
    const rulesOf = async (name: string) => (await plane.client.get(ClusterRoles, { name })).rules ?? [];
    const { client } = plane;
    await client.create(ClusterRoles, { metadata: { name: 'reader' }, aggregationRule: selector });
    await client.create(ClusterRoles, { metadata: { name: 'b-jobs', labels }, rules: [jobs, pods] });
    await client.create(ClusterRoles, { metadata: { name: 'a-pods', labels }, rules: [pods] });
    await plane.eventually('both', async () => (await rulesOf('reader')).length === 2);
    expect(await rulesOf('reader')).toEqual([pods, jobs]);
    await client.delete(ClusterRoles, { name: 'b-jobs' });
    await plane.eventually('one is left', async () => (await rulesOf('reader')).length === 1);
    expect(await rulesOf('reader')).toEqual([pods]);
  });

  it('lets whoever adds a kind add to the built-in roles', async () => {
    const { client } = plane;
    const rule = { apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get', 'list', 'watch'] };
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
    await client.create(ClusterRoles, { metadata: { name: 'widget-viewer', labels }, rules: [rule] });
    for (const name of ['view', 'edit', 'admin']) {
      await plane.eventually(`widgets in ${name}`, async () => {
        const { rules = [] } = await client.get(ClusterRoles, { name });
        return rules.some(({ apiGroups }) => apiGroups?.includes('example.com'));
      });
    }
  });
});
