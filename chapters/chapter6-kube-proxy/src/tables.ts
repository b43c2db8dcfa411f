// From the plan to everything this proxy wants a node to have: the chains of two tables. The nat table decides where
// connections go, the filter table which ones are refused. Chains of other programs are no business of ours.

import { NotImplemented } from '#kit/not-implemented';
import { endpointChainName, serviceChainName } from './chain-names.ts';
import { clusterIpRule, comment, endpointChain, refuseRule, serviceChain } from './cluster-ip.ts';
import { addressOf } from './endpoints.ts';
import { firewallChain, firewallRules, forwardChain, forwardRules, servicesChain } from './hooks.ts';
import { markForMasquerade, masqueradeChains, masqueradeMarked } from './masquerade.ts';
import { addNodePort, externalServicesChain, nodePortsChain, nodePortsRule } from './node-ports.ts';
import type { ServicePortPlan } from './plan.ts';
import type { Tables } from './restore-input.ts';

export interface ClusterAddresses {
  /** Of all pods: `10.244.0.0/16` */
  clusterCidr: string;
  /** Of all Services: `10.96.0.0/12` */
  serviceClusterIpRange: string;
}

/**
 * All chains for a plan. A port with endpoints has its rule in KUBE-SERVICES of nat, its KUBE-SVC chain and a KUBE-SEP chain
 * an endpoint; a port without has its refusal in KUBE-SERVICES of filter. `emptyTables` has the chains that are always there.
 */
export function tablesFor(plan: ServicePortPlan[], addresses: ClusterAddresses): Tables {
  throw new NotImplemented('6.2', 'Put the rules of all Service ports into the tables');
}

/**
 * The last rule of KUBE-SERVICES (filter). What is still addressed to the range of cluster IPs here was rewritten by no
 * KUBE-SEP chain: no Service has that address or that port. Without this rule the packet would leave the machine by the
 * default route, to whoever answers there.
 */
export function guardRule(serviceClusterIpRange: string): string {
  throw new NotImplemented('6.2', 'Refuse what is addressed to the service range but to no Service');
}

/** The names of the chains that `emptyTables` has. */
export const chainsOfEveryNode = [
  servicesChain,
  externalServicesChain,
  nodePortsChain,
  forwardChain,
  firewallChain,
  markForMasquerade,
  masqueradeMarked,
];

/** The chains that every node has, with or without Services. */
export function emptyTables(): Tables {
  return {
    filter: new Map([
      [servicesChain, []],
      [externalServicesChain, []],
      [forwardChain, forwardRules],
      [firewallChain, firewallRules],
    ]),
    nat: new Map([[servicesChain, []], [nodePortsChain, []], ...masqueradeChains()]),
  };
}
