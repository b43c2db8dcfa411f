// Evictions and disruption budgets: what the controller counts, what the API server refuses, and that `kubectl drain` gets through in the end.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { statusOf } from '#controller-manager/disruption-controller';
import { type Pod, type PodDisruptionBudget, type PodSpec, Pods } from '#kit/api';
import { pod } from '#kit/testing/builders';
import { TestCluster } from '#kit/testing/cluster';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

jest.setTimeout(60_000);

describe('a disruption budget', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const healthy = (name: string): Pod => ({ ...pod(name), status: { conditions: [{ type: 'Ready', status: 'True' }] } });
  const three = ['a', 'b', 'c'].map(healthy);
  const budget = (spec: PodDisruptionBudget['spec'], status?: PodDisruptionBudget['status']): PodDisruptionBudget => ({
    metadata: { generation: 2 },
    ...(spec ? { spec } : {}),
    ...(status ? { status } : {}),
  });
  const count = (spec: PodDisruptionBudget['spec'], pods = three, { wanted = 3, disrupted = {} } = {}) => {
    const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = statusOf(
      budget(spec),
      { pods, disrupted, expected: () => wanted },
      now,
    );
    return { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods };
  };

  it.each([
    ['a number that must stay', { minAvailable: 2 }, { disruptionsAllowed: 1, desiredHealthy: 2 }],
    ['a share that must stay, rounded up', { minAvailable: '34%' }, { disruptionsAllowed: 1, desiredHealthy: 2 }],
    ['a number that may be away', { maxUnavailable: 1 }, { disruptionsAllowed: 1, desiredHealthy: 2 }],
    ['a share that may be away, rounded up', { maxUnavailable: '34%' }, { disruptionsAllowed: 2, desiredHealthy: 1 }],
    ['more than there are', { maxUnavailable: 5 }, { disruptionsAllowed: 3, desiredHealthy: 0 }],
  ])('counts %s', (_, spec, wanted) => {
    expect(count(spec)).toEqual({ currentHealthy: 3, expectedPods: 3, ...wanted });
  });

  it('counts neither who is not ready, nor who is going, nor who was let go', () => {
    const going = { ...healthy('going'), metadata: { name: 'going', deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const disrupted = { a: '2026-01-01T00:00:00Z' };
    expect(count({ minAvailable: 1 }, [...three, pod('unready'), going], { disrupted })).toMatchObject({
      currentHealthy: 2,
      expectedPods: 5,
      disruptionsAllowed: 1,
    });
  });

  it('allows nothing where nothing is wanted, or nobody knows how much', () => {
    expect(count({ maxUnavailable: 1 }, [], { wanted: 0 }).disruptionsAllowed).toBe(0);
    const expected = () => {
      throw new Error('found no controllers for pod "a"');
    };
    expect(statusOf(budget({ maxUnavailable: 1 }), { pods: three, disrupted: {}, expected }, now)).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'found no controllers for pod "a"' }],
    });
  });

  it('says since when pods may go', () => {
    const state = { pods: three, disrupted: {}, expected: () => 3 };
    const first = statusOf(budget({ minAvailable: 2 }), state, now);
    expect(first.conditions).toMatchObject([{ status: 'True', reason: 'SufficientPods', lastTransitionTime: '2026-01-01T00:00:00Z' }]);
    const later = statusOf(budget({ minAvailable: 2 }, first), state, now + 60_000);
    expect(later).toEqual(first);
    const none = statusOf(budget({ minAvailable: 3 }, first), state, now + 60_000);
    expect(none.conditions).toMatchObject([{ status: 'False', reason: 'InsufficientPods', lastTransitionTime: '2026-01-01T00:01:00Z' }]);
  });
});

describe('an evicted pod', () => {
  let plane: TestControlPlane;
  beforeAll(async () => {
    plane = await startTestControlPlane();
  });
  afterAll(() => plane?.stop());

  /** It stays to be looked at. */
  const create = (name: string) => {
    const held = { ...pod(name), metadata: { name, namespace: 'default', finalizers: ['example.com/stay'] } };
    return plane.client.create(Pods, { ...held, spec: { ...held.spec, nodeName: 'node-1' } as PodSpec });
  };
  const evict = (name: string, deleteOptions?: object, { urlName = name, query = '', by = plane.client } = {}) =>
    by.send({
      method: 'POST',
      path: `/api/v1/namespaces/default/pods/${urlName}/eviction${query}`,
      body: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' }, deleteOptions }),
    });
  const get = (name: string) => plane.client.get(Pods, { namespace: 'default', name });
  const reasonOf = ({ status }: Pod) => status?.conditions?.find(({ type }) => type === 'DisruptionTarget');

  it('says why it goes, once', async () => {
    await create('web');
    await evict('web');
    const evicted = await get('web');
    expect(evicted.metadata?.deletionTimestamp).toBeDefined();
    const reason = reasonOf(evicted);
    expect(reason).toEqual({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
      lastProbeTime: null,
      lastTransitionTime: expect.any(String),
    });
    await evict('web');
    expect((await get('web')).status?.conditions?.filter(({ type }) => type === 'DisruptionTarget')).toEqual([reason]);
  });

  it('says nothing when it was a rehearsal, another pod was meant, or the wrong one asked', async () => {
    const { metadata } = await create('other');
    await evict('other', undefined, { query: '?dryRun=All' });
    await expect(evict('other', { preconditions: { uid: 'another' } })).rejects.toMatchObject({ status: { code: 409 } });
    await expect(evict('other', { preconditions: { resourceVersion: '1' } })).rejects.toMatchObject({ status: { code: 409 } });
    const by = await plane.clientFor('system:node:node-2', ['system:nodes']);
    await expect(evict('other', undefined, { by })).rejects.toThrow('can only evict pods with spec.nodeName set to itself');
    await expect(evict('web', {}, { urlName: 'other' })).rejects.toMatchObject({
      status: { code: 400, message: expect.stringContaining('name in URL does not match name in Eviction object') },
    });
    const untouched = await get('other');
    expect(reasonOf(untouched)).toBeUndefined();
    expect(untouched.metadata?.resourceVersion).toBe(metadata?.resourceVersion);
  });

  it('goes when just this version of it was meant', async () => {
    const { metadata } = await create('exact');
    await evict('exact', { preconditions: { uid: metadata?.uid, resourceVersion: metadata?.resourceVersion } });
    const evicted = await get('exact');
    expect(evicted.metadata?.deletionTimestamp).toBeDefined();
    expect(reasonOf(evicted)).toBeDefined();
  });
});

describe('an eviction', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['--runtime', 'hollow', '--nodes', '2']);
    await cluster.kubectl('create deployment web --image=kubekata/echo:v1 --replicas=3');
    await cluster.kubectl('create poddisruptionbudget web --selector=app=web --min-available=2');
    await cluster.kubectl('rollout status deployment/web --timeout=30s');
    await allowed('1');
  });
  afterAll(() => cluster?.stop());

  const allowed = (count: string, budget = 'web') =>
    cluster.eventually(`${count} may go`, async () => {
      return (await cluster.kubectl(`get pdb ${budget} -o jsonpath={.status.disruptionsAllowed}`)) === count;
    });
  const names = async () => (await cluster.kubectl('get pods -l app=web -o jsonpath={.items[*].metadata.name}')).split(' ');
  const evict = (name = '', query = '') => {
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } };
    const path = `/api/v1/namespaces/default/pods/${name}/eviction${query}`;
    return cluster.kubectlOutcome(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
  };

  it('is refused when it would leave too few', async () => {
    await cluster.kubectl('patch pdb web --type=merge -p {"spec":{"minAvailable":3}}');
    await allowed('0');
    const [name] = await names();
    const { code, stderr } = await evict(name);
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget.");
    expect(await names()).toContain(name);
    await cluster.kubectl('patch pdb web --type=merge -p {"spec":{"minAvailable":2}}');
    await allowed('1');
  });

  it('spends nothing when it is a rehearsal', async () => {
    const [name] = await names();
    for (const _ of [1, 2]) expect(await evict(name, '?dryRun=All')).toMatchObject({ code: 0 });
    await allowed('1');
  });

  it('of many at once gets through for as many as may go', async () => {
    // Nobody makes new ones in their place.
    const lone = ['lone-a', 'lone-b', 'lone-c'];
    for (const name of lone) await cluster.kubectl(`run ${name} --labels=app=lone --image=kubekata/echo:v1`);
    await cluster.kubectl('create poddisruptionbudget lone --selector=app=lone --min-available=2');
    await allowed('1', 'lone');
    const outcomes = await Promise.all(lone.map((name) => evict(name)));
    expect(outcomes.map(({ code }) => code).sort()).toEqual([0, 1, 1]);
    await cluster.kubectl('delete pod -l app=lone --now');
    await cluster.kubectl('delete pdb lone');
  });

  it('of a pod that two budgets cover is refused', async () => {
    await cluster.kubectl('create poddisruptionbudget other --selector=app=web --min-available=0');
    const { stderr } = await evict((await names())[0]);
    expect(stderr).toContain('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
    await cluster.kubectl('delete pdb other');
  });

  it('one after the other empties a node, and the service never has too few', async () => {
    const output = await cluster.kubectl('drain node-1 --ignore-daemonsets --timeout=40s');
    expect(output).toContain('node/node-1 drained');
    expect(await cluster.kubectl('get pods -l app=web -o jsonpath={.items[*].spec.nodeName}')).not.toContain('node-1');
  });

  it('has a budget that says one thing', async () => {
    const both = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'both' },
      spec: { minAvailable: 1, maxUnavailable: '150%' },
    };
    const { stderr } = await cluster.kubectlOutcome(['create', '-f', '-'], JSON.stringify(both));
    expect(stderr).toContain('minAvailable and maxUnavailable cannot be both set');
    expect(stderr).toContain('spec.maxUnavailable: Invalid value: "150%": must not be greater than 100%');
  });
});
