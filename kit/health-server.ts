// What every component without an API of its own serves over plain HTTP: /healthz, /livez and /readyz for whoever watches over it,
// /metrics for Prometheus. It answers 200 `ok`, or 500 with the reason why the component is not well.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/server/healthz

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress, RunningComponent } from '#kit/component';

export interface HealthOptions {
  listen: ListenAddress;
  /** Undefined while all is well, else what is wrong. */
  unhealthy?: () => string | undefined;
  /** In Prometheus' text format. */
  metrics?: () => string;
}

export async function serveHealth({ listen, unhealthy = () => undefined, metrics = () => '' }: HealthOptions): Promise<RunningComponent> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (['/healthz', '/livez', '/readyz'].includes(pathname)) {
      const reason = unhealthy();
      response.writeHead(reason === undefined ? 200 : 500, { 'content-type': 'text/plain' }).end(reason ?? 'ok');
    } else if (pathname === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(metrics());
    } else {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    stop: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}
