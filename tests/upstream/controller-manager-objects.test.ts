// What the real controller manager does to objects that are no workloads: budgets, quotas, certificates, accounts, endpoints; and what becomes
// of objects whose owner or namespace goes.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  CertificateSigningRequests,
  ClusterRoleBindings,
  ConfigMaps,
  CustomResourceDefinitions,
  Deployments,
  EndpointSlices,
  Endpoints,
  type KubernetesObject,
  Namespaces,
  PodDisruptionBudgets,
  Pods,
  ReplicaSets,
  type Resource,
  ResourceQuotas,
  Secrets,
  ServiceAccounts,
  Services,
} from '#kit/api';
import { Client } from '#kit/client';
import { requestCertificate } from '#kit/pki';
import { UpstreamCluster } from './cluster.ts';
import { deployment, template } from './kinds.ts';

jest.setTimeout(120_000);

const namespace = 'office';
const named = (name: string) => ({ name, namespace });
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the real kube-controller-manager: objects', () => {
  let cluster: UpstreamCluster;
  beforeAll(async () => {
    cluster = await UpstreamCluster.start();
    await cluster.namespace(namespace);
  });
  afterAll(() => cluster?.stop());

  it('gives a namespace its service account, and the CA to trust', async () => {
    const { data } = await cluster.until(ConfigMaps, { metadata: named('kube-root-ca.crt') }, Boolean);
    expect(data?.['ca.crt']).toBe(cluster.plane.ca);
    await cluster.client.delete(ServiceAccounts, named('default'));
    await cluster.until(ServiceAccounts, { metadata: named('default') }, ({ metadata }) => !metadata?.deletionTimestamp);
  });

  it('fills a Secret that asks for a token, and the token lets its account in', async () => {
    await cluster.client.create(ServiceAccounts, { metadata: named('robot') });
    const metadata = { ...named('robot'), annotations: { 'kubernetes.io/service-account.name': 'robot' } };
    const asked = await cluster.client.create(Secrets, { metadata, type: 'kubernetes.io/service-account-token' });
    const { data = {} } = await cluster.until(Secrets, asked, ({ data }) => data?.token);
    const token = Buffer.from(data.token ?? '', 'base64').toString();
    expect(Buffer.from(data['ca.crt'] ?? '', 'base64').toString()).toBe(cluster.plane.ca);
    const robot = new Client({ server: cluster.plane.serverUrl, tls: { ca: cluster.plane.ca }, token, userAgent: 'test' });
    await expect(robot.list(Pods, { namespace })).rejects.toMatchObject({
      message: expect.stringContaining('User "system:serviceaccount:office:robot" cannot list'),
    });
    robot.close();
    await cluster.until(Secrets, asked, ({ metadata }) => metadata?.labels?.['kubernetes.io/legacy-token-last-used']);
    await cluster.client.delete(ServiceAccounts, named('robot'));
    await cluster.eventually('the Secret is gone', async () => {
      const { items } = await cluster.client.list(Secrets, { namespace });
      return !items.some(({ metadata }) => metadata?.name === 'robot');
    });
  });

  it('leads a Service to the pods that are ready', async () => {
    await cluster.client.create(Deployments, deployment(namespace, 'web', 2));
    await cluster.client.create(Services, {
      metadata: named('web'),
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 as never }] },
    });
    const ready = async () => {
      const { items } = await cluster.client.list(EndpointSlices, { namespace, labelSelector: 'kubernetes.io/service-name=web' });
      return items
        .flatMap(({ endpoints }) => endpoints)
        .filter(({ conditions }) => conditions?.ready)
        .flatMap(({ addresses }) => addresses);
    };
    await cluster.eventually('two pods are behind the Service', async () => (await ready()).length === 2);
    const { subsets } = await cluster.until(Endpoints, { metadata: named('web') }, ({ subsets }) => subsets?.[0]?.addresses?.length === 2);
    expect(subsets?.[0]?.ports).toEqual([{ port: 8080, protocol: 'TCP' }]);
    expect((await ready()).sort()).toEqual(subsets?.[0]?.addresses?.map(({ ip }) => ip).sort());
    await cluster.client.patch(Deployments, named('web'), 'merge', { spec: { replicas: 1 } });
    await cluster.eventually('one is left', async () => (await ready()).length === 1);
  });

  it('mirrors endpoints that somebody wrote by hand', async () => {
    await cluster.client.create(Services, { metadata: named('outside'), spec: { ports: [{ port: 80 }] } });
    await cluster.client.create(Endpoints, {
      metadata: named('outside'),
      subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }],
    });
    await cluster.eventually('a slice with that address', async () => {
      const { items } = await cluster.client.list(EndpointSlices, { namespace, labelSelector: 'kubernetes.io/service-name=outside' });
      return items[0]?.endpoints[0]?.addresses[0] === '192.0.2.1';
    });
  });

  it('counts what a disruption budget allows', async () => {
    await cluster.client.create(Deployments, deployment(namespace, 'guarded', 3));
    const spec = { minAvailable: 2 as never, selector: { matchLabels: { app: 'guarded' } } };
    const made = await cluster.client.create(PodDisruptionBudgets, { metadata: named('guarded'), spec });
    const { status } = await cluster.until(PodDisruptionBudgets, made, ({ status }) => status?.disruptionsAllowed === 1);
    expect(status).toMatchObject({ currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 });
    expect(status?.conditions).toMatchObject([{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }]);
    const pods = await cluster.pods(namespace, 'guarded');
    const evict = (name = '') => {
      const body = JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: named(name) });
      return cluster.client.send({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, body });
    };
    await evict(pods[0]?.metadata?.name);
    await cluster.until(PodDisruptionBudgets, made, ({ status }) => status?.disruptionsAllowed === 1 && status.currentHealthy === 3);
  });

  it('counts what a quota has used, and again when it is given back', async () => {
    const made = await cluster.client.create(ResourceQuotas, {
      metadata: named('some'),
      spec: { hard: { 'count/configmaps': '5', secrets: '2' } },
    });
    const { status } = await cluster.until(ResourceQuotas, made, ({ status }) => status?.used?.['count/configmaps'] === '1');
    expect(status).toMatchObject({ hard: { 'count/configmaps': '5', secrets: '2' }, used: { secrets: '0' } });
    await cluster.client.create(Secrets, { metadata: named('used') });
    await cluster.until(ResourceQuotas, made, ({ status }) => status?.used?.secrets === '1');
    await cluster.client.delete(Secrets, named('used'));
    await cluster.until(ResourceQuotas, made, ({ status }) => status?.used?.secrets === '0');
    await cluster.client.delete(ResourceQuotas, named('some'));
  });

  describe('a certificate request', () => {
    const approve = (name: string) => cluster.kubectl(['certificate', 'approve', name]);

    it('that is approved is signed, and the certificate proves who it says', async () => {
      const { request, key } = await requestCertificate({ commonName: 'jane', organizations: ['dev'] });
      const spec = { request: base64(request), signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] };
      const made = await cluster.client.create(CertificateSigningRequests, { metadata: { name: 'jane' }, spec });
      await approve('jane');
      const { status } = await cluster.until(CertificateSigningRequests, made, ({ status }) => status?.certificate);
      const cert = Buffer.from(status?.certificate ?? '', 'base64').toString();
      const jane = new Client({ server: cluster.plane.serverUrl, tls: { ca: cluster.plane.ca, cert, key }, userAgent: 'test' });
      await expect(jane.list(Pods, { namespace })).rejects.toMatchObject({ message: expect.stringContaining('User "jane" cannot list') });
      jane.close();
    });

    it('of a kubelet for itself is approved by itself', async () => {
      await cluster.client.create(ClusterRoleBindings, {
        metadata: { name: 'renewals' },
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
        },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
      });
      const kubelet = await cluster.plane.clientFor('system:node:node-1', ['system:nodes']);
      const { request } = await requestCertificate({ commonName: 'system:node:node-1', organizations: ['system:nodes'] });
      const signerName = 'kubernetes.io/kube-apiserver-client-kubelet';
      const spec = { request: base64(request), signerName, usages: ['digital signature', 'client auth'] };
      const made = await kubelet.create(CertificateSigningRequests, { metadata: { name: 'renewal' }, spec });
      const { status } = await cluster.until(CertificateSigningRequests, made, ({ status }) => status?.certificate);
      expect(status?.conditions).toMatchObject([{ type: 'Approved', status: 'True', reason: 'AutoApproved' }]);
    });
  });

  describe('the objects of an owner that is deleted', () => {
    const selector = (app: string) => ({ namespace, labelSelector: `app=${app}` });
    const ready = async (app: string) => {
      const made = await cluster.client.create(Deployments, deployment(namespace, app, 2));
      await cluster.until(Deployments, made, ({ status }) => status?.readyReplicas === 2);
    };
    const isEmpty = async <T extends KubernetesObject>(resource: Resource<T>, app: string) =>
      (await cluster.client.list(resource, selector(app))).items.length === 0;

    it('go after it in the background', async () => {
      await ready('background');
      await cluster.client.delete(Deployments, named('background'), { propagationPolicy: 'Background' });
      expect((await cluster.client.list(Deployments, { namespace })).items.some(({ metadata }) => metadata?.name === 'background')).toBe(
        false,
      );
      await cluster.eventually(
        'all is gone',
        async () => (await isEmpty(ReplicaSets, 'background')) && (await isEmpty(Pods, 'background')),
      );
    });

    it('go before it in the foreground', async () => {
      await ready('foreground');
      await cluster.client.delete(Deployments, named('foreground'), { propagationPolicy: 'Foreground' });
      await cluster.eventually('the owner is gone', async () => {
        const { items } = await cluster.client.list(Deployments, { namespace });
        if (items.some(({ metadata }) => metadata?.name === 'foreground')) return false;
        expect([await isEmpty(ReplicaSets, 'foreground'), await isEmpty(Pods, 'foreground')]).toEqual([true, true]);
        return true;
      });
    });

    it('stay as orphans', async () => {
      await ready('orphans');
      await cluster.client.delete(Deployments, named('orphans'), { propagationPolicy: 'Orphan' });
      await cluster.eventually('the ReplicaSet has no owner', async () => {
        const { items } = await cluster.client.list(ReplicaSets, selector('orphans'));
        return items.length === 1 && !items[0]?.metadata?.ownerReferences;
      });
      expect((await cluster.pods(namespace, 'orphans')).length).toBe(2);
      await cluster.eventually('the owner is gone', async () => {
        const { items } = await cluster.client.list(Deployments, { namespace });
        return !items.some(({ metadata }) => metadata?.name === 'orphans');
      });
      await cluster.client.create(Deployments, deployment(namespace, 'orphans', 2));
      await cluster.eventually('a new Deployment adopts it', async () => {
        const { items } = await cluster.client.list(ReplicaSets, selector('orphans'));
        return items.length === 1 && items[0]?.metadata?.ownerReferences?.[0]?.kind === 'Deployment';
      });
    });

    it('go also when the owner is of a kind that was made by hand', async () => {
      const owner = { apiVersion: 'example.com/v1', kind: 'Owner', plural: 'owners', namespaced: true };
      const names = { plural: 'owners', singular: 'owner', kind: 'Owner' };
      const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
      await cluster.client.create(CustomResourceDefinitions, {
        metadata: { name: 'owners.example.com' },
        spec: { group: 'example.com', scope: 'Namespaced', names, versions: [{ name: 'v1', served: true, storage: true, schema }] },
      });
      const make = () => cluster.client.create(owner as Resource<KubernetesObject>, { metadata: named('custom') }).catch(() => undefined);
      const made = await cluster.eventually('an Owner can be made', make);
      const reference = { apiVersion: 'example.com/v1', kind: 'Owner', name: 'custom', uid: made.metadata?.uid ?? '' };
      await cluster.client.create(ConfigMaps, { metadata: { ...named('owned'), ownerReferences: [reference] } });
      await cluster.client.delete(owner, named('custom'));
      await cluster.eventually('the ConfigMap is gone', async () => {
        const { items } = await cluster.client.list(ConfigMaps, { namespace });
        return !items.some(({ metadata }) => metadata?.name === 'owned');
      });
    });

    it('that name an owner which was never there go, too', async () => {
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: '00000000-0000-4000-8000-000000000000' }];
      await cluster.client.create(Secrets, { metadata: { ...named('lost'), ownerReferences } });
      await cluster.eventually('the Secret is gone', async () => {
        const { items } = await cluster.client.list(Secrets, { namespace });
        return !items.some(({ metadata }) => metadata?.name === 'lost');
      });
    });
  });

  it('empties a namespace before it goes, kinds made by hand included', async () => {
    const doomed = await cluster.namespace('doomed');
    await cluster.client.create(Deployments, deployment(doomed, 'last', 2));
    await cluster.client.create(Secrets, { metadata: { name: 'last', namespace: doomed } });
    await cluster.client.create(ReplicaSets, {
      metadata: { name: 'held', namespace: doomed, finalizers: ['example.com/held'] },
      spec: { replicas: 0, selector: { matchLabels: { app: 'held' } }, template: template('held') },
    });
    await cluster.client.delete(Namespaces, { name: doomed });
    const { status } = await cluster.until(Namespaces, { metadata: { name: doomed } }, ({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'NamespaceFinalizersRemaining' && status === 'True'),
    );
    expect(status?.phase).toBe('Terminating');
    await cluster.client.patch(ReplicaSets, { name: 'held', namespace: doomed }, 'merge', { metadata: { finalizers: null } });
    await cluster.eventually('the namespace is gone', async () => {
      const { items } = await cluster.client.list(Namespaces);
      return !items.some(({ metadata }) => metadata?.name === doomed);
    });
  });

  it('complains of nothing that is the API server’s fault', () => expect(cluster.faults()).toEqual([]));
});
