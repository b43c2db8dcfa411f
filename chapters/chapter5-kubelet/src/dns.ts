// A pod's resolver: where it asks for names, and what it tries behind a short one.
// Kubernetes: pkg/kubelet/network/dns/dns.go

import type { Pod } from '#kit/api';
import type { PodDns } from './runtime.ts';

export interface ClusterDns {
  /** The DNS service's address. */
  server: string;
  /** `cluster.local` */
  domain: string;
}

/** With five dots or more a name is complete; others are first looked up in the pod's namespace, then in the cluster. */
export function podDns(pod: Pod, { server, domain }: ClusterDns): PodDns {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  const { nameservers = [], searches = [], options = [] } = pod.spec?.dnsConfig ?? {};
  const own = options.map(({ name, value }) => (value === undefined ? `${name}` : `${name}:${value}`));
  if (policy === 'None' || policy === 'Default') return { servers: nameservers, searches, options: own };
  const namespace = pod.metadata?.namespace ?? 'default';
  return {
    servers: [server, ...nameservers],
    searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...searches],
    options: ['ndots:5', ...own],
  };
}
