// Whether the server is well, asked by whoever watches over it: /livez whether it lives, /readyz whether it can serve, /healthz as older
// clients ask. Each is made of checks; `?verbose` tells them one by one, and `/readyz/etcd` asks for one alone.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go

import { unknownPath } from './errors.ts';
import type { Answer, ApiRequest } from './server.ts';
import type { Storage } from './storage.ts';

/** Rejects, or throws, when it is not well. */
type Check = () => Promise<unknown> | unknown;

export interface HealthChecks {
  /** By their names, in the order in which they are told. */
  [name: string]: Check;
}

export interface Health {
  livez: HealthChecks;
  readyz: HealthChecks;
  healthz: HealthChecks;
}

/** What the server knows of its own life. */
export interface Readiness {
  /** The first objects, roles among them, are there. */
  isPrepared: boolean;
  isStopping(): boolean;
}

const probes = ['/healthz', '/livez', '/readyz'];

/** Whether somebody asks only if the server is well; who must know it under any load. */
export function isProbe(path: string): boolean {
  return probes.includes(path);
}

/** Alive is who answers; ready is who can also reach its memory, and has what everybody relies on. */
export function healthChecks(storage: Storage, readiness: Readiness): Health {
  const ping = () => {};
  const etcd = () => storage.revision();
  const roles = () => must(readiness.isPrepared);
  const shutdown = () => must(!readiness.isStopping());
  return {
    livez: { ping },
    readyz: { ping, etcd, 'poststarthook/rbac/bootstrap-roles': roles, shutdown },
    healthz: { ping, etcd },
  };
}

function must(holds: boolean): void {
  if (!holds) throw new Error('not yet, or no longer');
}

/** undefined for a path that is none of the three, or below. */
export async function answerHealth({ path, query }: ApiRequest, health: Health): Promise<Answer | undefined> {
  const [, endpoint = '', ...below] = path.split('/');
  const checks = Object.hasOwn(health, endpoint) ? health[endpoint as keyof Health] : undefined;
  const one = below.join('/');
  if (!checks) return undefined;
  if (one && !Object.hasOwn(checks, one)) throw unknownPath();
  const wanted = Object.entries(checks).filter(([name]) => (one ? name === one : !query.getAll('exclude').includes(name)));
  const told = await Promise.all(wanted.map(async ([name, check]) => ({ name, well: await isWell(check) })));
  const isAllWell = told.every(({ well }) => well);
  if (isAllWell && !query.has('verbose')) return { body: 'ok' };
  const lines = told.map(({ name, well }) => (well ? `[+]${name} ok` : `[-]${name} failed: reason withheld`));
  const summary = `${endpoint} check ${isAllWell ? 'passed' : 'failed'}`;
  return { code: isAllWell ? 200 : 500, body: `${lines.join('\n')}\n${summary}\n` };
}

async function isWell(check: Check): Promise<boolean> {
  try {
    await check();
    return true;
  } catch {
    return false;
  }
}
