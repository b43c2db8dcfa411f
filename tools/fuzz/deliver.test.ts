// What the API server makes of bodies that do not come as their heads say.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigMaps } from '#kit/api';
import type { ClientTls } from '#kit/component';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Delivery, deliver } from './deliver.ts';

describe('API server: a body', () => {
  let plane: TestControlPlane;
  let tls: ClientTls;
  beforeAll(async () => {
    plane = await startTestControlPlane();
    tls = { ca: plane.ca, ...(await plane.issue('admin', ['system:masters'])) };
  });
  afterAll(() => plane?.stop());

  const post = (name: string, how: Delivery['how'], share: number) => {
    const body = JSON.stringify({ metadata: { name }, data: { a: 'b'.repeat(100) } });
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', path: '/api/v1/namespaces/default/configmaps', headers, body };
    return deliver(plane.serverUrl, tls, request, { how, share }, AbortSignal.timeout(20_000));
  };
  const isThere = async (name: string) => (await plane.client.list(ConfigMaps)).items.some(({ metadata }) => metadata?.name === name);

  it.each([0, 0.5, 1])('may come in chunks (%d)', async (share) => {
    const name = `in-chunks-${share * 2}`;
    expect(await post(name, 'in chunks', share)).toMatchObject({ code: 201 });
    expect(await isThere(name)).toBe(true);
  });

  it.each<[what: string, how: Delivery['how'], share: number]>([
    ['chunks that break off', 'chunks break off', 0.5],
    ['chunks of a size that is no number', 'chunks without sense', 0.5],
    ['fewer bytes than its head says', 'claims more', 0.5],
    ['more bytes than its head says', 'claims less', 0.5],
    ['a length below nothing', 'claims nonsense', 0],
    ['a length that is no whole number', 'claims nonsense', 0.13],
    ['two lengths', 'claims nonsense', 0.5],
    ['a length, and chunks', 'claims nonsense', 0.63],
  ])('with %s is not stored, and nobody is to blame but who sent it', async (_, how, share) => {
    plane.beginStory();
    const { code = 400 } = await post('broken', how, share);
    // Kubernetes answers some of them with 500 or 504, and others with 400.
    expect(code).toBeGreaterThanOrEqual(400);
    expect(await isThere('broken')).toBe(false);
    expect(plane.story()).not.toContain('failed unexpectedly');
  });
});
