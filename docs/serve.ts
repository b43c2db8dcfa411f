// npm run docs [-- --port 4680]: builds the site in memory and serves it to this machine. Whatever it is made of is watched: after a
// change it is built anew, and open pages load again. The watch loop's progress goes to open pages too.

import { existsSync, readFileSync, watchFile } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { watch } from 'chokidar';
import { systemClock } from '#kit/clock';
import { greenStages } from './progress.ts';
import { makeSite, script } from './site.ts';

/** npm runs its scripts there. */
const root = process.cwd();
/** Always the same one if it is free: a browser keeps the reader's ticks per address. */
const usualPort = 4680;
const { values } = parseArgs({ options: { port: { type: 'string' } } });
const progressFile = join(root, '.kubekata/progress.json');
const types: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

let site = new Map<string, string>();
let problem = '';
const listeners = new Set<ServerResponse>();

async function build(): Promise<void> {
  const begun = systemClock.now();
  try {
    site = await makeSite({ root });
    problem = '';
    console.log(`✓ built (${systemClock.now() - begun} ms)`);
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
    console.error(`✗ ${problem}`);
  }
}

// One build at a time; what changes meanwhile is built afterwards. An editor that saves writes more than once.
let building = false;
let changed = false;
async function rebuild(): Promise<void> {
  changed = true;
  if (building) return;
  building = true;
  while (changed) {
    await systemClock.sleep(50);
    changed = false;
    await build();
  }
  building = false;
  tell('built', problem);
}

function tell(event: string, data: unknown, to: Iterable<ServerResponse> = listeners): void {
  for (const listener of to) listener.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
  if (path === 'live') listen(response);
  else if (path === 'live.js') send(response, 200, types['.js'], script(readFileSync(join(root, 'docs/theme/live.ts'), 'utf8')));
  else sendFile(path, response);
}

function sendFile(path: string, response: ServerResponse): void {
  const name = path === '' || path.endsWith('/') ? `${path}index.html` : path;
  const content = site.get(name);
  if (content === undefined) {
    send(response, 404, 'text/plain', `There is no ${name} here. ${problem || 'The course begins at /'}\n`);
    return;
  }
  const live = extname(name) === '.html' ? content.replace('</head>', '<script src="/live.js" defer></script>\n</head>') : content;
  send(response, 200, types[extname(name)], live);
}

function send(response: ServerResponse, status: number, type = 'text/plain', body = ''): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body);
}

function listen(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  listeners.add(response);
  response.on('close', () => listeners.delete(response));
  tell('progress', progress(), [response]);
  if (problem) tell('built', problem, [response]);
}

function progress(): string[] {
  return existsSync(progressFile) ? greenStages(readFileSync(progressFile, 'utf8')) : [];
}

await build();
const server = createServer(answer);
server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE' && !values.port) {
    server.listen(0, '127.0.0.1');
    return;
  }
  console.error(error.code === 'EADDRINUSE' ? `Port ${values.port} is in use: choose another one, or leave --port away.` : error.message);
  process.exit(1);
});
server.on('listening', () => console.log(`The course: http://127.0.0.1:${(server.address() as AddressInfo).port}/  (Ctrl-C ends it)`));
server.listen(Number(values.port ?? usualPort), '127.0.0.1');

watch(['README.md', 'package.json', 'chapters', 'docs', 'solutions', 'kit'], {
  cwd: root,
  ignoreInitial: true,
  ignored: [/chapters[\\/][^\\/]+[\\/]src/, /docs[\\/]site/],
}).on('all', rebuild);
watchFile(progressFile, { interval: 500 }, () => tell('progress', progress()));
