// The names of a Service's chains. iptables allows 28 characters, a Service's name alone may have 63: so the names are hashes.
// The same Service has the same chains on every node and after every restart. Kubernetes: pkg/proxy/iptables/proxier.go

import { createHash } from 'node:crypto';
import { NotImplemented } from '#kit/not-implemented';
import type { ServicePort } from './service-ports.ts';

type Named = Pick<ServicePort, 'name' | 'protocol'>;

/** Picks one of the Service port's endpoints. */
export function serviceChainName({ name, protocol }: Named): string {
  return `KUBE-SVC-${chainHash(name + protocol)}`;
}

/** Sends the connection to one endpoint. @param address `10.244.1.2:8080` */
export function endpointChainName({ name, protocol }: Named, address: string): string {
  return `KUBE-SEP-${chainHash(name + protocol + address)}`;
}

/** Takes what comes from outside: a node port. */
export function externalChainName({ name, protocol }: Named): string {
  return `KUBE-EXT-${chainHash(name + protocol)}`;
}

/** Picks one of the Service port's endpoints on this very node. */
export function localChainName({ name, protocol }: Named): string {
  return `KUBE-SVL-${chainHash(name + protocol)}`;
}

/** Hash a text for a chain's name: the first 16 characters of the base32 of its SHA-256 */
export function chainHash(text: string): string {
  throw new NotImplemented('6.1', "Hash a text for a chain's name: the first 16 characters of the base32 of its SHA-256");
}

/** RFC 4648, without padding. */
export function base32(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(held >>> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + alphabet[(held << (5 - bits)) & 31] : text;
}
