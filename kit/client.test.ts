import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Pods } from '#kit/api';
import { Client } from '#kit/client';
import { ApiError, failure, type Status } from '#kit/status';

describe('client', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (let stop = stops.pop(); stop; stop = stops.pop()) stop();
  });

  /** A client of a server that says no to everything. */
  async function refusedWith(status: Status): Promise<Client> {
    const server = createServer((_, response) => response.writeHead(status.code ?? 500).end(JSON.stringify(status))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new Client({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, userAgent: 'test' });
    stops.push(
      () => server.close(),
      () => client.close(),
    );
    return client;
  }

  const web = { name: 'web', namespace: 'default' };

  it('says what was asked when the server does not say what its refusal is about', async () => {
    const client = await refusedWith(failure(404, 'NotFound', 'the server could not find the requested resource'));
    const refusal = client.createSubresource(Pods, web, 'bindings', {});
    await expect(refusal).rejects.toThrow(
      'the server could not find the requested resource (POST /api/v1/namespaces/default/pods/web/bindings)',
    );
    await expect(client.list(Pods, { limit: 1 })).rejects.toThrow(/resource \(GET \/api\/v1\/pods\)$/);
  });

  it("leaves the server's own words alone when they name the object", async () => {
    const client = await refusedWith(failure(404, 'NotFound', 'pods "web" not found', { name: 'web', kind: 'pods' }));
    const refusal = await client.get(Pods, web).catch((error) => error);
    expect(refusal).toBeInstanceOf(ApiError);
    expect(refusal.message).toBe('pods "web" not found');
  });
});
