import { describe, expect, it } from '@jest/globals';
import { PodNetwork } from '#kit/node/pod-network';
import type { NodeShell } from '#kit/node/shell';

const noShell: NodeShell = { run: () => Promise.reject(new Error('allocation runs nothing')), close: () => {} };

describe('PodNetwork', () => {
  const network = new PodNetwork(noShell, '10.244.3.0/24');

  it('gives the first free address after the gateway', () => {
    expect(network.allocate([])).toBe('10.244.3.2');
    expect(network.allocate(['10.244.3.2', '10.244.3.4'])).toBe('10.244.3.3');
  });

  it('gives 253 of the 256 addresses: not the network, the gateway, or the broadcast address', () => {
    const used: string[] = [];
    for (let count = 0; count < 253; count++) used.push(network.allocate(used));
    expect(used.at(-1)).toBe('10.244.3.254');
    expect(() => network.allocate(used)).toThrow('no pod address is free in 10.244.3.0/24');
  });
});
