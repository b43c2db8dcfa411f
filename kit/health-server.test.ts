import { afterEach, describe, expect, it } from '@jest/globals';
import type { RunningComponent } from '#kit/component';
import { serveHealth } from '#kit/health-server';

describe('health server', () => {
  let server: RunningComponent | undefined;
  const listen = { host: '127.0.0.1', port: 0 };
  afterEach(() => server?.stop());

  it('answers ok while all is well, and with the reason when it is not', async () => {
    let reason: string | undefined;
    server = await serveHealth({ listen, unhealthy: () => reason });
    const well = await fetch(`${server.url}/healthz`);
    expect([well.status, await well.text()]).toEqual([200, 'ok']);
    reason = 'the cache is not filled yet';
    const unwell = await fetch(`${server.url}/readyz`);
    expect([unwell.status, await unwell.text()]).toEqual([500, reason]);
  });

  it('serves metrics, and 404 for anything else', async () => {
    server = await serveHealth({ listen, metrics: () => 'up 1\n' });
    expect(await (await fetch(`${server.url}/metrics`)).text()).toBe('up 1\n');
    expect((await fetch(`${server.url}/other`)).status).toBe(404);
  });

  it('stops twice without complaint', async () => {
    server = await serveHealth({ listen });
    await server.stop();
    await server.stop();
  });
});
