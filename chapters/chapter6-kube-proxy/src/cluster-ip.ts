// The rules of one Service port. A connection to its cluster IP goes
//   KUBE-SERVICES (which Service?) → KUBE-SVC-… (which endpoint?) → KUBE-SEP-… (rewrite the destination)
// and the kernel's connection tracking takes the rest of it, and every answer, the same way.
// Kubernetes: pkg/proxy/iptables/proxier.go (syncProxyRules)

import { NotImplemented } from '#kit/not-implemented';
import { endpointChainName, serviceChainName } from './chain-names.ts';
import { addressOf, type Endpoint } from './endpoints.ts';
import { markForMasquerade } from './masquerade.ts';
import type { ServicePortPlan } from './plan.ts';

/** In KUBE-SERVICES (nat): a packet for the port's cluster IP, protocol and port goes to its service chain. */
export function clusterIpRule(port: ServicePortPlan): string {
  throw new NotImplemented('6.2', 'Send what is addressed to the cluster IP to the service chain');
}

/** In KUBE-SERVICES (filter), for a port without endpoints: an answer at once ("connection refused") is kinder than silence. */
export function refuseRule(port: ServicePortPlan): string {
  throw new NotImplemented('6.2', 'Refuse connections to a port that has no endpoints');
}

/**
 * KUBE-SVC-…: first marks connections that come from outside the pods' addresses, whose answers would not find the way back
 * through this node otherwise; then picks an endpoint.
 *
 * @param clusterCidr the addresses of all pods: `10.244.0.0/16`
 */
export function serviceChain(port: ServicePortPlan, clusterCidr: string): string[] {
  throw new NotImplemented('6.2', 'Mark what comes from outside the cluster for masquerading, then spread over the endpoints');
}

/**
 * One rule an endpoint, tried in order: each is taken with the probability that makes all equally likely, written with ten
 * digits (`-m statistic --mode random --probability 0.3333333333`); the last is taken always.
 */
export function spreadRules(port: ServicePortPlan, endpoints: Endpoint[]): string[] {
  throw new NotImplemented('6.2', "Spread connections over the endpoints' chains, each as likely as the others");
}

/**
 * KUBE-SEP-…: rewrites the destination. A pod that reaches itself through its own Service (hairpin) must be masqueraded: it
 * would take an answer that comes from its own address for nonsense.
 */
export function endpointChain(port: ServicePortPlan, endpoint: Endpoint): string[] {
  throw new NotImplemented('6.2', "Rewrite the destination to the endpoint; mark an endpoint's connection to itself for masquerading");
}

/** Matches packets to the port's cluster IP. */
export function toClusterIp({ clusterIp, protocol, port }: ServicePortPlan): string {
  return `-d ${clusterIp}/32 -p ${protocol} -m ${protocol} --dport ${port}`;
}

/** Shown by `iptables-save`: which Service a rule is for. */
export function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}
