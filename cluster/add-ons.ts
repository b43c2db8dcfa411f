// What a cluster needs beyond its components: the kube-dns Service, whose endpoint is the name server's process on this machine.
// A Service without a selector, its EndpointSlice written by hand: that is how Kubernetes reaches what isn't a pod.

import { addresses } from '#cluster/layout';
import { EndpointSlices, Services } from '#kit/api';
import type { Client } from '#kit/client';

const name = 'kube-dns';
const namespace = 'kube-system';
const protocols = ['UDP', 'TCP'] as const;

/** @param server where the name server is, as seen from a node */
export async function addDnsService(client: Client, server: { host: string; port: number }): Promise<void> {
  const label = { 'k8s-app': name, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'KubeDNS' };
  await client.create(Services, {
    metadata: { name, namespace, labels: label },
    spec: {
      clusterIP: addresses.clusterDns,
      ports: protocols.map((protocol) => ({ name: protocol === 'UDP' ? 'dns' : 'dns-tcp', port: 53, protocol })),
    },
  });
  await client.create(EndpointSlices, {
    metadata: { name: `${name}-machine`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: protocols.map((protocol) => ({ name: protocol === 'UDP' ? 'dns' : 'dns-tcp', port: server.port, protocol })),
    endpoints: [{ addresses: [server.host], conditions: { ready: true } }],
  });
}
