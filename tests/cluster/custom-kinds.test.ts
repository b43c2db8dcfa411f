// Your own kinds, with the real kubectl, and with the controllers that must know of them: the garbage collector and the namespace
// controller.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { grantPermissions } from '#cluster/permissions';
import { startControllerManager } from '#controller-manager';
import { ConfigMaps, Namespaces, type Resource } from '#kit/api';
import type { RunningComponent } from '#kit/component';
import { isNotFound } from '#kit/status';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';

interface Website {
  metadata: { name: string; namespace?: string; uid?: string; finalizers?: string[] };
  spec?: object;
}
const websites: Resource<Website> = { apiVersion: 'example.com/v1', kind: 'Website', plural: 'websites', namespaced: true };

describe('your own kinds', () => {
  let plane: TestControlPlane;
  let manager: RunningComponent;
  let kubectl: Kubectl;
  const run = (command: string) => kubectl(command.split(' '));
  const apply = (object: object, ...flags: string[]) => kubectl(['apply', ...flags, '-f', '-'], { stdin: object });
  const website = (name: string, spec: object = { host: `${name}.example.com` }) => ({
    apiVersion: 'example.com/v1',
    kind: 'Website',
    metadata: { name },
    spec,
  });
  const isGone = async (name: string, resource: Resource<Website> = websites, namespace = 'default') => {
    try {
      await plane.client.get(resource, { name, namespace });
      return false;
    } catch (error) {
      return isNotFound(error);
    }
  };

  beforeAll(async () => {
    plane = await startTestControlPlane();
    kubectl = await kubectlFor(plane);
    await grantPermissions(plane.client);
    const controllers = ['garbage-collector-controller', 'namespace-controller'];
    const client = await plane.clientFor('system:kube-controller-manager');
    manager = await startControllerManager({ client, listen: { host: '127.0.0.1', port: 0 }, controllers, ...plane.context });
    await kubectl(['apply', '-f', '-'], { stdin: readFileSync(join(process.cwd(), 'examples', 'websites.yaml'), 'utf8') });
    await run('wait --for=condition=established crd/websites.example.com');
  });

  afterAll(async () => {
    await manager?.stop();
    await kubectl?.dispose();
    await plane?.stop();
  });

  it('are listed, by any of their names, with the columns of their definition', async () => {
    expect(await apply(website('shop'))).toBe('website.example.com/shop created\n');
    expect(await apply(website('shop'))).toBe('website.example.com/shop unchanged\n');
    expect(await run('get ws')).toMatch(/^NAME +HOST +WANTED +READY +AGE\nshop +shop.example.com +1 +\d+s\n$/);
    expect(await run('get website shop -o wide')).toMatch(/THEME +AGE\n.* light +\d+s\n$/);
    expect(await run('get all -o name')).toContain('website.example.com/shop');
    expect(await run('api-resources --api-group example.com --no-headers')).toMatch(/^websites +ws +example.com\/v1 +true +Website\n$/);
    expect(await run('explain ws.spec.replicas')).toContain('How many servers answer.');
    expect(await run('describe ws shop')).toMatch(/Spec:\n +Host: +shop.example.com\n +Replicas: +1\n +Theme: +light/);
  });

  it('are scaled and patched, within what their schema allows', async () => {
    expect(await run('scale ws/shop --replicas=3')).toBe('website.example.com/shop scaled\n');
    await expect(run('scale ws/shop --replicas=30')).rejects.toThrow(
      'The Website "shop" is invalid: spec.replicas: Invalid value: 30: spec.replicas in body should be less than or equal to 10',
    );
    await kubectl(['patch', 'ws', 'shop', '--type=merge', '-p', '{"spec":{"theme":"dark"}}']);
    expect(await run('get ws shop -o jsonpath={.spec.theme},{.spec.replicas},{.metadata.generation}')).toBe('dark,3,3');
    await expect(kubectl(['patch', 'ws', 'shop', '-p', '{}'])).rejects.toThrow(
      'strategic-merge-patch+json is not supported by example.com/v1',
    );
    await expect(apply(website('misspelt', { hots: 'x' }))).rejects.toThrow('strict decoding error: unknown field "spec.hots"');
  });

  it('are applied by the server, each field with its owner', async () => {
    expect(await apply(website('applied'), '--server-side')).toBe('website.example.com/applied serverside-applied\n');
    await run('scale ws/applied --replicas=2');
    const wanted = website('applied', { host: 'applied.example.com', replicas: 4 });
    await expect(apply(wanted, '--server-side')).rejects.toThrow(
      'conflict with "kubectl" with subresource "scale" using example.com/v1: .spec.replicas',
    );
  });

  it('are collected when their owner is gone, and what they own goes with them', async () => {
    const owner = await plane.client.create(websites, { metadata: { name: 'owner', namespace: 'default' }, spec: { host: 'x' } });
    const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Website', name: 'owner', uid: owner.metadata.uid ?? '' }];
    await plane.client.create(websites, {
      metadata: { name: 'owned', namespace: 'default', ownerReferences },
      spec: { host: 'x' },
    } as Website);
    await plane.client.create(ConfigMaps, { metadata: { name: 'owned', namespace: 'default', ownerReferences } });
    await run('delete ws owner');
    await plane.eventually('the website that was owned is gone', () => isGone('owned'));
    await plane.eventually('the config map that was owned is gone', () => isGone('owned', ConfigMaps as Resource<Website>));
  });

  it('go with their namespace', async () => {
    await plane.client.create(Namespaces, { metadata: { name: 'passing' } });
    await plane.client.create(websites, { metadata: { name: 'there', namespace: 'passing' }, spec: { host: 'x' } });
    await run('delete namespace passing');
    expect(await isGone('there', websites, 'passing')).toBe(true);
  });

  it('go with their definition, and what they owned goes as well', async () => {
    const last = await plane.client.create(websites, { metadata: { name: 'last', namespace: 'default' }, spec: { host: 'x' } });
    const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Website', name: 'last', uid: last.metadata.uid ?? '' }];
    await plane.client.create(ConfigMaps, { metadata: { name: 'left', namespace: 'default', ownerReferences } });
    await run('delete crd websites.example.com');
    await expect(run('get ws')).rejects.toThrow(/could not find the requested resource|doesn't have a resource type/);
    await plane.eventually('what the last website owned is gone', () => isGone('left', ConfigMaps as Resource<Website>));
  });
});
