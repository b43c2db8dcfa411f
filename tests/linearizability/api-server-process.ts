// An API server as a process of its own that can be killed. It is sent its settings, and tells its parent where it serves.

import { startApiServer } from '#api-server';
import { systemClock, systemRandom } from '#kit/clock';
import type { ServingTls } from '#kit/component';
import { silentLogger } from '#kit/log';

export interface ApiServerSettings {
  etcdUrl: string;
  tls: Required<ServingTls>;
}

process.once('message', async ({ etcdUrl, tls }: ApiServerSettings) => {
  const { url } = await startApiServer({
    etcdServers: [etcdUrl],
    listen: { host: '127.0.0.1', port: 0 },
    tls,
    disableAdmissionPlugins: ['ServiceAccount'],
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  process.send?.(url);
});
process.on('disconnect', () => process.exit());
