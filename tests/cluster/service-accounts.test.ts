// What every namespace has without anybody asking for it, roles that gather what others may, and what a pod gets of its account: the
// controllers and the admission plugin that see to it.

import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startControllerManager } from '#controller-manager';
import { ClusterRoles, ConfigMaps, Namespaces, type PodSpec, Pods, ServiceAccounts } from '#kit/api';
import type { RunningComponent } from '#kit/component';
import { ApiError, isNotFound } from '#kit/status';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

describe('what every namespace has', () => {
  let plane: TestControlPlane;
  let manager: RunningComponent;

  beforeAll(async () => {
    plane = await startTestControlPlane({ apiServer: { disableAdmissionPlugins: [] } });
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
    const gathers =
      (...rules: object[]) =>
      async () =>
        isDeepStrictEqual(await rulesOf('reader'), rules);
    await plane.eventually('both, in the order of the roles’ names', gathers(pods, jobs));
    await client.delete(ClusterRoles, { name: 'b-jobs' });
    await plane.eventually('one is left', gathers(pods));
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

  describe('a pod', () => {
    const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
    const create = (name: string, spec: Partial<PodSpec> = {}) => {
      const containers = [{ name: 'app', image: 'app' }];
      return plane.client.create(Pods, { metadata: { name, namespace: 'default' }, spec: { containers, ...spec } });
    };
    const refused = async (pod: Promise<unknown>) => {
      const error = await pod.catch((reason) => reason);
      expect(error).toBeInstanceOf(ApiError);
      return (error as ApiError).status;
    };

    it('that names no account is the default one, and every container has token, CA and namespace', async () => {
      const { spec } = await create('plain', { initContainers: [{ name: 'first', image: 'app' }] });
      expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' });
      const [volume] = spec?.volumes ?? [];
      expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
      expect(volume?.projected).toEqual({
        defaultMode: 0o644,
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
        ],
      });
      const mounts = [{ name: volume?.name, mountPath, readOnly: true }];
      for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])])
        expect(container.volumeMounts).toEqual(mounts);
    });

    it('keeps what it mounts in that place itself', async () => {
      const own = [{ name: 'own', mountPath }];
      const { spec } = await create('own', {
        containers: [
          { name: 'app', image: 'app', volumeMounts: own },
          { name: 'other', image: 'app' },
        ],
        volumes: [{ name: 'own', emptyDir: {} }],
      });
      expect(spec?.containers[0]?.volumeMounts).toEqual(own);
      expect(spec?.containers[1]?.volumeMounts).toHaveLength(1);
      expect(spec?.volumes).toHaveLength(2);
    });

    it('is refused when its account does not exist', async () => {
      expect(await refused(create('nobody', { serviceAccountName: 'robot' }))).toMatchObject({
        code: 403,
        reason: 'Forbidden',
        message: 'pods "nobody" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found',
      });
    });

    it('waits a little for the default account of a new namespace', async () => {
      const { client } = plane;
      await client.create(Namespaces, { metadata: { name: 'brandnew' } });
      const spec = { containers: [{ name: 'app', image: 'app' }] };
      const pod = await client.create(Pods, { metadata: { name: 'quick', namespace: 'brandnew' }, spec });
      expect(pod.spec?.serviceAccountName).toBe('default');
    });

    it.each([
      ['it says so', undefined, false, false],
      ['its account says so', false, undefined, false],
      ['its account says so and it wants one all the same', false, true, true],
    ])('gets no token when %s', async (title, account, own, mounts) => {
      const name = title.replaceAll(' ', '-');
      const metadata = { name, namespace: 'default' };
      await plane.client.create(ServiceAccounts, {
        metadata,
        ...(account === undefined ? {} : { automountServiceAccountToken: account }),
      });
      const wanted = own === undefined ? {} : { automountServiceAccountToken: own };
      const { spec } = await create(name, { serviceAccountName: name, ...wanted });
      expect((spec?.volumes ?? []).length > 0).toBe(mounts);
    });

    it('pulls its images with its account’s secrets, unless it has its own', async () => {
      const imagePullSecrets = [{ name: 'registry' }];
      await plane.client.create(ServiceAccounts, { metadata: { name: 'puller', namespace: 'default' }, imagePullSecrets });
      const first = await create('pulls', { serviceAccountName: 'puller' });
      expect(first.spec?.imagePullSecrets).toEqual(imagePullSecrets);
      const second = await create('pulls-otherwise', { serviceAccountName: 'puller', imagePullSecrets: [{ name: 'own' }] });
      expect(second.spec?.imagePullSecrets).toEqual([{ name: 'own' }]);
    });

    it('that only mirrors what a kubelet runs reaches for nothing', async () => {
      const metadata = { name: 'mirror', namespace: 'default', annotations: { 'kubernetes.io/config.mirror': 'x' } };
      const spec = { containers: [{ name: 'app', image: 'app' }], nodeName: 'node-1' };
      const mirror = await plane.client.create(Pods, { metadata, spec });
      expect(mirror.spec).not.toHaveProperty('volumes');
      const reaching = { metadata: { ...metadata, name: 'reaching' }, spec: { ...spec, serviceAccountName: 'default' } };
      expect(await refused(plane.client.create(Pods, reaching))).toMatchObject({
        message: 'pods "reaching" is forbidden: a mirror pod may not reference service accounts',
      });
    });
  });
});
