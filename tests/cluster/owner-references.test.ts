import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OwnerReference } from 'kubernetes-types/meta/v1';
import { ConfigMaps, ReplicaSets, RoleBindings, Roles, ServiceAccounts } from '#kit/api';
import type { Client } from '#kit/client';
import { refusal } from '#kit/testing/api-server';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { eventually } from '#kit/testing/wait';

const namespace = 'default';

describe('API server: whose end is whose end (OwnerReferencesPermissionEnforcement)', () => {
  let plane: TestControlPlane;
  let jane: Client;
  let owner: OwnerReference;

  beforeAll(async () => {
    plane = await startTestControlPlane({ apiServer: { enableAdmissionPlugins: ['OwnerReferencesPermissionEnforcement'] } });
    jane = await plane.clientFor('jane');
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'get', 'update'] }];
    await plane.client.create(Roles, { metadata: { name: 'writer', namespace }, rules });
    await bind('writer');
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a' }] } };
    const spec = { selector: { matchLabels: { app: 'a' } }, template };
    const { metadata } = await plane.client.create(ReplicaSets, { metadata: { name: 'owner', namespace }, spec });
    owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'owner', uid: metadata?.uid ?? '' };
    await eventually('jane may write', () =>
      jane.create(ConfigMaps, configMap('first')).then(
        () => true,
        () => false,
      ),
    );
  });
  afterAll(() => plane?.stop());

  const bind = (role: string) =>
    plane.client.create(RoleBindings, {
      metadata: { name: role, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    });
  const allow = async (name: string, apiGroup: string, resource: string, verb: string) => {
    await plane.client.create(Roles, {
      metadata: { name, namespace },
      rules: [{ apiGroups: [apiGroup], resources: [resource], verbs: [verb] }],
    });
    await bind(name);
  };
  const configMap = (name: string, ownerReferences: OwnerReference[] = []) => ({ metadata: { name, namespace, ownerReferences } });

  it('lets everybody give an owner to what they create', async () => {
    expect((await jane.create(ConfigMaps, configMap('born-with-one', [owner]))).metadata?.ownerReferences).toEqual([owner]);
  });

  it('lets everybody change an object that keeps its owners', async () => {
    const found = await jane.get(ConfigMaps, { name: 'born-with-one', namespace });
    expect((await jane.update(ConfigMaps, { ...found, data: { a: 'b' } })).data).toEqual({ a: 'b' });
  });

  it.each([
    ['give an owner to', 'first', () => [owner]],
    ['take the owner from', 'born-with-one', () => []],
  ])('lets only those who may delete an object %s it', async (_, name, owners) => {
    const status = await refusal(jane.update(ConfigMaps, configMap(name, owners())));
    expect(status).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect(status.message).toContain(`configmaps "${name}" is forbidden: cannot set an ownerRef on a resource you can't delete: `);
  });

  it('minds no request for a token: what has no metadata has no owners', async () => {
    await plane.client.create(ServiceAccounts, { metadata: { name: 'owned', namespace } });
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/owned/token`;
    const body = JSON.stringify({ kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: {} });
    expect((await plane.client.send({ method: 'POST', path, body })).code).toBe(201);
  });

  it('lets only those who may finalize an owner block its deletion', async () => {
    const status = await refusal(jane.create(ConfigMaps, configMap('blocking', [{ ...owner, blockOwnerDeletion: true }])));
    expect(status).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect(status.message).toContain(
      "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ",
    );
  });

  it('lets nobody but those who may finalize anything wait for what there is not', async () => {
    const status = await refusal(jane.create(ConfigMaps, configMap('lost', [{ ...owner, kind: 'Nothing', blockOwnerDeletion: true }])));
    expect(status.message).toContain(
      'cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion apps/v1 Kind Nothing',
    );
    const all = await plane.client.create(ConfigMaps, configMap('lost', [{ ...owner, kind: 'Nothing', blockOwnerDeletion: true }]));
    expect(all.metadata?.name).toBe('lost');
  });

  it('lets those do it who may', async () => {
    await allow('deleter', '', 'configmaps', 'delete');
    await allow('finalizer', 'apps', 'replicasets/finalizers', 'update');
    const found = await jane.get(ConfigMaps, { name: 'first', namespace });
    const blocked = { ...found, metadata: { ...found.metadata, ownerReferences: [{ ...owner, blockOwnerDeletion: true }] } };
    const updated = await eventually('jane may do both', () => jane.update(ConfigMaps, blocked).catch(() => undefined));
    expect(updated.metadata?.ownerReferences).toEqual([{ ...owner, blockOwnerDeletion: true }]);
  });
});
