// What a CNI plugin does: a pod's network namespace gets an address and a way out. Each pod hangs on a point-to-point veth of
// its own; the node routes. No bridge, so nothing on the way evades the node's iptables.

import type { NodeShell } from '#kit/node/shell';

/** Below Docker's 1500, so that an overlay would still fit. Bytes. */
const mtu = 1400;

export class PodNetwork {
  readonly #shell: NodeShell;
  readonly #podCidr: string;

  /** @param podCidr the node's share of the pods' addresses: `10.244.1.0/24` */
  constructor(shell: NodeShell, podCidr: string) {
    this.#shell = shell;
    this.#podCidr = podCidr;
  }

  /** A free address. The network's own and the gateway (.1) are never given. Throws when all are taken. */
  allocate(used: Iterable<string>): string {
    const taken = new Set(used);
    const { first, last } = addressesOf(this.#podCidr);
    for (let address = first + 2; address < last; address++) {
      if (!taken.has(format(address))) return format(address);
    }
    throw new Error(`no pod address is free in ${this.#podCidr}: the node runs as many pods as it has addresses`);
  }

  /** Gives the network namespace of process `pid` (a pod's pause) this address. When the namespace goes, its veth goes too. */
  async attach(pid: number, ip: string): Promise<void> {
    const gateway = format(addressesOf(this.#podCidr).first + 1);
    const link = `veth${ip.split('.').slice(2).join('x')}`;
    await this.#shell.run(`
      set -e
      /usr/sbin/ip link del ${link} 2>/dev/null || true
      /usr/sbin/ip link add ${link} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${pid}
      /usr/sbin/ip -batch - <<LINES
link set ${link} up
addr add ${gateway}/32 dev ${link}
route replace ${ip}/32 dev ${link} scope link
LINES
      nsenter -t ${pid} -n /usr/sbin/ip -batch - <<LINES
link set lo up
addr add ${ip}/32 dev eth0
link set eth0 up
route add ${gateway} dev eth0 scope link
route add default via ${gateway} onlink dev eth0
LINES`);
  }
}

function addressesOf(cidr: string): { first: number; last: number } {
  const [address = '', bits = '32'] = cidr.split('/');
  const parts = address.split('.').map(Number);
  const first = parts.reduce((sum, part) => sum * 256 + part, 0);
  return { first, last: first + 2 ** (32 - Number(bits)) - 1 };
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
