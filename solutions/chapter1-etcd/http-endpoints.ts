// What is served over plain HTTP, for those who watch over a member: is it well, which version is it, and its numbers.
// etcd: server/etcdserver/api/etcdhttp

import { createServer, type Server } from 'node:http';
import { statusOf, version } from './maintenance.ts';
import type { ServerMetrics } from './server-metrics.ts';
import type { ServerState } from './services.ts';

interface Page {
  code: number;
  type: string;
  body: string;
}

const plainText = 'text/plain; charset=utf-8';

export function createHttpEndpoints(state: ServerState, metrics: ServerMetrics): Server {
  const pages: Record<string, () => Page> = {
    '/health': () => health(state),
    '/version': () => page('application/json', JSON.stringify({ etcdserver: version, etcdcluster: version.replace(/\d+$/, '0') })),
    '/metrics': () => page('text/plain; version=0.0.4; charset=utf-8', metrics.text(state)),
  };
  return createServer((request, response) => {
    const { code, type, body } = answerTo(request.method ?? '', request.url ?? '', pages);
    response.writeHead(code, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      ...(code === 405 ? { allow: 'GET' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
}

function answerTo(method: string, url: string, pages: Record<string, () => Page>): Page {
  const [path = ''] = url.split('?');
  const answer = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (!answer) return { code: 404, type: plainText, body: '404 page not found\n' };
  if (method !== 'GET' && method !== 'HEAD') return { code: 405, type: plainText, body: 'Method Not Allowed\n' };
  return answer();
}

/** 200 if this member can serve, else 503 with the reason. */
function health(state: ServerState): Page {
  const { leader } = statusOf(state);
  const [alarm] = state.machine.alarms.all();
  const reason = alarm ? `ALARM ${alarm.alarm}` : leader === '0' ? 'RAFT NO LEADER' : undefined;
  const code = reason === undefined ? 200 : 503;
  return { code, type: plainText, body: JSON.stringify({ health: String(reason === undefined), ...(reason ? { reason } : {}) }) };
}

function page(type: string, body: string): Page {
  return { code: 200, type, body };
}
