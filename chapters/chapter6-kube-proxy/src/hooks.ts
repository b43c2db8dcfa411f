// Where a packet meets our chains: jumps from the kernel's own chains (INPUT, FORWARD, …) into ours, and the rules that every
// node has. The kernel's chains belong to everybody, so a jump is put in only when it is missing, and nothing else is touched.
// Kubernetes: pkg/proxy/iptables/proxier.go (iptablesJumpChains)

import { masqueradeMark, masqueradeMarked } from './masquerade.ts';
import { externalServicesChain } from './node-ports.ts';
import type { TableName } from './restore-input.ts';

export const servicesChain = 'KUBE-SERVICES';
export const forwardChain = 'KUBE-FORWARD';
export const firewallChain = 'KUBE-FIREWALL';

/** Packets that go through the node: broken ones end here, a Service's pass whatever the node's policy for others is. */
export const forwardRules = [
  '-m conntrack --ctstate INVALID -j DROP',
  `-m comment --comment "kubernetes forwarding rules" -m mark --mark ${masqueradeMark}/${masqueradeMark} -j ACCEPT`,
  '-m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
];

/** Node ports on 127.0.0.1 need route_localnet, which would let neighbours reach what listens on loopback only: not so. */
export const firewallRules = [
  '-m comment --comment "block incoming localnet connections" ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
];

interface Hook {
  table: TableName;
  from: string;
  to: string;
  /** Which packets; absent: all. */
  match?: string;
}

/** Rules are decided once a connection: its first packet is the one in state NEW. */
const newConnections = '-m conntrack --ctstate NEW ';

export const hooks: Hook[] = [
  { table: 'filter', from: 'INPUT', to: firewallChain },
  { table: 'filter', from: 'OUTPUT', to: firewallChain },
  { table: 'filter', from: 'FORWARD', to: forwardChain },
  { table: 'filter', from: 'FORWARD', to: servicesChain, match: newConnections },
  { table: 'filter', from: 'OUTPUT', to: servicesChain, match: newConnections },
  { table: 'filter', from: 'INPUT', to: externalServicesChain, match: newConnections },
  { table: 'filter', from: 'FORWARD', to: externalServicesChain, match: newConnections },
  { table: 'nat', from: 'PREROUTING', to: servicesChain },
  { table: 'nat', from: 'OUTPUT', to: servicesChain },
  { table: 'nat', from: 'POSTROUTING', to: masqueradeMarked },
];

/** A script that puts in, as the first rules, the jumps that are missing. The chains they lead to must be there. */
export function hookScript(): string {
  const lines = hooks.map(({ table, from, to, match = '' }) => {
    const rule = `${from} ${match}-m comment --comment "kubernetes service rules" -j ${to}`;
    return `iptables -w 5 -t ${table} -C ${rule} 2>/dev/null || iptables -w 5 -t ${table} -I ${rule}`;
  });
  return ['set -e', ...lines].join('\n');
}
