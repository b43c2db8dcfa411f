// Ports that are free now, for servers that must be told before they start where the others will be. They lie below those that systems give
// to outgoing connections (Linux: from 32768 on; macOS and Windows: from 49152 on), and below node ports (30000 on). Between now and the
// server's start, somebody's connection would take one of those sooner or later.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const lowest = 20_000;
const highest = 29_999;

export async function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const taken: { port: number; server: Server }[] = [];
  try {
    while (taken.length < count) taken.push(await takeOne(host));
    return taken.map(({ port }) => port);
  } finally {
    await Promise.all(taken.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  }
}

async function takeOne(host: string): Promise<{ port: number; server: Server }> {
  for (;;) {
    const port = randomInt(lowest, highest + 1);
    const server = createServer().listen(port, host);
    try {
      await once(server, 'listening');
      return { port, server };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}
