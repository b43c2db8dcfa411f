// Node ports: a Service's port that is open on every node, at every address of it. What arrives from outside passes
// KUBE-NODEPORTS → KUBE-EXT-… and then goes the cluster IP's way.
// Kubernetes: pkg/proxy/iptables/proxier.go (usesExternalTrafficChain and what follows)

import { endpointChainName, externalChainName, localChainName, serviceChainName } from './chain-names.ts';
import { comment, endpointChain, spreadRules } from './cluster-ip.ts';
import { addressOf } from './endpoints.ts';
import { markForMasquerade } from './masquerade.ts';
import type { ServicePortPlan } from './plan.ts';
import type { Tables } from './restore-input.ts';

export const nodePortsChain = 'KUBE-NODEPORTS';
export const externalServicesChain = 'KUBE-EXTERNAL-SERVICES';

/** The last rule of KUBE-SERVICES (nat): what is for this machine itself may be for a node port. */
export const nodePortsRule = `${comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')} -m addrtype --dst-type LOCAL -j ${nodePortsChain}`;

/** Adds one Service port's node port to the tables, if it has one. */
export function addNodePort(tables: Tables, port: ServicePortPlan, clusterCidr: string): void {
  if (port.nodePort === undefined) return;
  const external = externalChainName(port);
  const toNodePort = `-p ${port.protocol} -m ${port.protocol} --dport ${port.nodePort}`;
  const reachable = port.externalTrafficLocal ? port.localEndpoints : port.endpoints;
  if (reachable.length === 0) {
    // Refused when nobody serves. When only this node has none it stays silent, and a load balancer tries another one.
    const [why, verdict] = port.endpoints.length === 0 ? ['has no endpoints', 'REJECT'] : ['has no local endpoints', 'DROP'];
    const rule = `${comment(`${port.name} ${why}`)} -m addrtype --dst-type LOCAL ${toNodePort} -j ${verdict}`;
    tables.filter.get(externalServicesChain)?.push(rule);
  }
  if (port.endpoints.length === 0) return;
  tables.nat.get(nodePortsChain)?.push(`${comment(port.name)} ${toNodePort} -j ${external}`);
  if (!port.externalTrafficLocal) {
    tables.nat.set(external, [
      `${comment(`masquerade traffic for ${port.name} external destinations`)} -j ${markForMasquerade}`,
      `-j ${serviceChainName(port)}`,
    ]);
    return;
  }
  tables.nat.set(external, localOnlyChain(port, clusterCidr));
  tables.nat.set(localChainName(port), spreadRules(port, port.localEndpoints));
  for (const endpoint of port.localEndpoints) tables.nat.set(endpointChainName(port, addressOf(endpoint)), endpointChain(port, endpoint));
}

/** externalTrafficPolicy Local: pods and the node itself may use every endpoint, the world outside only this node's. */
function localOnlyChain(port: ServicePortPlan, clusterCidr: string): string[] {
  const from = (what: string) => comment(`${what} for ${port.name} external destinations`);
  return [
    `${from('pod traffic')} -s ${clusterCidr} -j ${serviceChainName(port)}`,
    `${from('masquerade LOCAL traffic')} -m addrtype --src-type LOCAL -j ${markForMasquerade}`,
    `${from('route LOCAL traffic')} -m addrtype --src-type LOCAL -j ${serviceChainName(port)}`,
    ...(port.localEndpoints.length > 0 ? [`-j ${localChainName(port)}`] : []),
  ];
}
