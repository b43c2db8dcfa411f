// Resource quantities: `250m`, `1Gi`, `1e3`, `0.5`. Read exactly, as whole billionths in a bigint, because 0.1 + 0.2 must be 0.3
// and 1Ei must not lose a byte. Finer than a billionth is rounded away from zero; rounding to a unit is always up, so that
// nobody is promised more than there is.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go

/** An exact amount, in billionths (n). */
export type Quantity = bigint;

export class InvalidQuantity extends Error {
  constructor(text: string) {
    super(`${JSON.stringify(text)} is not a quantity: write a number and perhaps a suffix, as in 250m, 1.5, 2e3, 64Ki or 10G`);
    this.name = 'InvalidQuantity';
  }
}

const billion = 10n ** 9n;
const decimalExponents: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binaryExponents: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9})|([numkMGTPE]|[KMGTPE]i)?)$/;

/** The largest amount Kubernetes keeps, 2^63 - 1; larger ones are cut down to it. */
const largest = (2n ** 63n - 1n) * billion;

/** Throws InvalidQuantity. */
export function parseQuantity(text: string): Quantity {
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = pattern.exec(text) ?? [];
  const digits = whole + fraction;
  if (sign === undefined || digits === '') throw new InvalidQuantity(text);

  const power = exponent === undefined ? (decimalExponents[suffix] ?? 0) : Number(exponent);
  const factor = 1n << (binaryExponents[suffix] ?? 0n);
  const magnitude = scale(BigInt(digits) * factor, power + 9 - fraction.length);
  return sign === '-' ? -magnitude : magnitude;
}

export function isQuantity(text: string): boolean {
  const [, sign, whole = '', fraction = ''] = pattern.exec(text) ?? [];
  return sign !== undefined && whole + fraction !== '';
}

/** In thousandths, rounded up: how CPU is counted. */
export function milliValue(quantity: Quantity): number {
  return Number(divideUp(quantity, 10n ** 6n));
}

/** In whole units, rounded up: how bytes and pieces are counted. */
export function wholeValue(quantity: Quantity): number {
  return Number(divideUp(quantity, billion));
}

/**
 * In the shortest form that loses nothing: `1500m`, `2`, `1k`, `1536Mi`. Binary suffixes where `like`, a quantity that people wrote, has one.
 * Kubernetes: CanonicalizeBytes
 */
export function formatQuantity(quantity: Quantity, like = ''): string {
  if (quantity < 0n) return `-${formatQuantity(-quantity, like)}`;
  if (like.endsWith('i') && quantity >= 1024n * billion) {
    const whole = divideUp(quantity, billion);
    const suffix = Object.keys(binaryExponents).findLast((name) => whole % (1n << (binaryExponents[name] ?? 0n)) === 0n) ?? '';
    return `${whole >> (binaryExponents[suffix] ?? 0n)}${suffix}`;
  }
  if (quantity === 0n) return '0';
  const suffix = Object.keys(decimalExponents).findLast((name) => quantity % unitOf(name) === 0n) ?? 'n';
  return `${quantity / unitOf(suffix)}${suffix}`;
}

/** Billionths in one of it. */
function unitOf(suffix: string): bigint {
  return 10n ** BigInt((decimalExponents[suffix] ?? 0) + 9);
}

/** `magnitude` times 10 to the power, no finer than 1 and no larger than the largest. */
function scale(magnitude: bigint, power: number): bigint {
  if (magnitude === 0n) return 0n;
  // Past these bounds the digits no longer matter, and a bigint of a billion digits would.
  if (power > 40) return largest;
  const length = magnitude.toString().length;
  if (-power > length) return 1n;
  const scaled = power >= 0 ? magnitude * 10n ** BigInt(power) : divideUp(magnitude, 10n ** BigInt(-power));
  return scaled < largest ? scaled : largest;
}

function divideUp(amount: bigint, by: bigint): bigint {
  const quotient = amount / by;
  return amount > 0n && amount % by !== 0n ? quotient + 1n : quotient;
}
