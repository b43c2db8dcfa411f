// Reads and writes kubeconfig files: which server, which CA to trust, who I am.
// Kubernetes: staging/src/k8s.io/client-go/tools/clientcmd/api/v1/types.go

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { ClientConfig } from '#kit/client';

interface Kubeconfig {
  'current-context'?: string;
  clusters?: { name: string; cluster: Record<string, string> }[];
  users?: { name: string; user: Record<string, string> }[];
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
}

/** The current context's server and identity. Throws with a remedy when the file has none. */
export function readKubeconfig(path: string, userAgent: string): ClientConfig {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig | null;
  const contextName = config?.['current-context'];
  const context = config?.contexts?.find(({ name }) => name === contextName)?.context;
  const cluster = config?.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config?.users?.find(({ name }) => name === context?.user)?.user ?? {};
  if (!cluster?.server) {
    throw new Error(`${path} names no server: set current-context to a context whose cluster has one (kubectl config use-context NAME)`);
  }
  const material = (from: Record<string, string>, field: string): string | undefined => {
    const inline = from[`${field}-data`];
    if (inline) return Buffer.from(inline, 'base64').toString('utf8');
    return from[field] ? readFileSync(resolve(dirname(path), from[field]), 'utf8') : undefined;
  };
  const ca = material(cluster, 'certificate-authority');
  const cert = material(user, 'client-certificate');
  const key = material(user, 'client-key');
  return {
    server: cluster.server,
    userAgent,
    ...(ca ? { tls: { ca, ...(cert && key ? { cert, key } : {}) } } : {}),
    ...(user.token ? { token: user.token } : {}),
  };
}

/** A kubeconfig with one context, everything inline. PEM texts in, YAML out. */
export function writeKubeconfig({
  name,
  server,
  ca,
  cert,
  key,
}: {
  name: string;
  server: string;
  ca: string;
  cert: string;
  key: string;
}): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(ca) } }],
      users: [{ name, user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
    },
    { lineWidth: 0 },
  );
}
