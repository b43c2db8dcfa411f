// What a Service gets from the server: a cluster IP that nobody else has, and node ports. A wish is granted if it is free.
// The low end of either range is given out last, so that there it is easy to ask for a certain one (10.96.0.10 for DNS).
// Kubernetes: pkg/registry/core/service/ipallocator, portallocator and pkg/registry/core/service/storage/alloc.go

import type { Random } from '#kit/clock';

const firstNodePort = 30000;
const lastNodePort = 32767;
export const nodePortRange = `${firstNodePort}-${lastNodePort}`;

export class AddressRange {
  readonly cidr: string;
  readonly #network: number;
  /** Addresses that can be given out: all but the network's own and the broadcast address. */
  readonly #size: number;

  /** @param cidr e.g. `10.96.0.0/12` */
  constructor(cidr: string) {
    const [address = '', bits] = cidr.split('/');
    const span = 2 ** (32 - Number(bits));
    const number = toNumber(address);
    if (number === undefined || !Number.isInteger(span) || span < 4) throw new Error(`${cidr} is not an IPv4 range such as 10.96.0.0/12`);
    this.cidr = cidr;
    this.#network = number - (number % span);
    this.#size = span - 2;
  }

  contains(address: string): boolean {
    const offset = (toNumber(address) ?? -1) - this.#network;
    return offset >= 1 && offset <= this.#size;
  }

  /** A free address, or undefined when there is none. */
  pick(taken: ReadonlySet<string>, random: Random): string | undefined {
    const isFree = (offset: number) => !taken.has(toAddress(this.#network + 1 + offset));
    const offset = pickOffset(this.#size, reservedOf(this.#size, 16, 256), isFree, random);
    return offset === undefined ? undefined : toAddress(this.#network + 1 + offset);
  }
}

export function isNodePort(port: number): boolean {
  return port >= firstNodePort && port <= lastNodePort;
}

/** A free node port, or undefined when there is none. */
export function pickNodePort(taken: ReadonlySet<number>, random: Random): number | undefined {
  const size = lastNodePort - firstNodePort + 1;
  const offset = pickOffset(size, reservedOf(size, 32, 128), (offset) => !taken.has(firstNodePort + offset), random);
  return offset === undefined ? undefined : firstNodePort + offset;
}

export function isIpv4(address: string): boolean {
  return toNumber(address) !== undefined;
}

/** How many at the low end are given out last. */
function reservedOf(size: number, part: number, most: number): number {
  return Math.min(Math.max(16, Math.floor(size / part)), most, size);
}

/** Begins anywhere above the reserved ones, and goes round. */
function pickOffset(size: number, reserved: number, isFree: (offset: number) => boolean, random: Random): number | undefined {
  const start = Math.floor(random() * (size - reserved));
  for (let step = 0; step < size - reserved; step++) {
    const offset = reserved + ((start + step) % (size - reserved));
    if (isFree(offset)) return offset;
  }
  for (let offset = 0; offset < reserved; offset++) if (isFree(offset)) return offset;
  return undefined;
}

function toNumber(address: string): number | undefined {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((number, part) => number * 256 + Number(part), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
