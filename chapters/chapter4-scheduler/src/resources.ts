// Amounts of resources. The API writes them as text (`{ cpu: '250m', memory: '1Gi' }`); sums of a pod's containers are made with
// exact amounts; a node's books are kept in whole numbers: thousandths of a CPU, bytes, pieces.
// Kubernetes: pkg/scheduler/framework/types.go (Resource), staging/src/k8s.io/component-helpers/resource/helpers.go

import { milliValue, parseQuantity, type Quantity, wholeValue } from '#kit/quantity';

/** As the API writes it: name → quantity. */
export type ResourceList = Readonly<Record<string, string>>;

/** Name → exact amount. */
export type ExactResources = Readonly<Record<string, Quantity>>;

/** Name → amount in whole numbers: cpu in thousandths, memory and ephemeral-storage in bytes, everything else in pieces. */
export type Resources = Readonly<Record<string, number>>;

export function parseResources(list: ResourceList = {}): ExactResources {
  return Object.fromEntries(Object.entries(list).map(([name, quantity]) => [name, parseQuantity(quantity)]));
}

/** The sum, resource by resource; one that is missing counts as 0. */
export function plus(a: ExactResources, b: ExactResources): ExactResources {
  const sum: Record<string, Quantity> = { ...a };
  for (const [name, amount] of Object.entries(b)) sum[name] = (sum[name] ?? 0n) + amount;
  return sum;
}

/** The larger of the two, resource by resource; one that is missing counts as 0. */
export function larger(a: ExactResources, b: ExactResources): ExactResources {
  const result: Record<string, Quantity> = { ...a };
  for (const [name, amount] of Object.entries(b)) if (amount > (result[name] ?? 0n)) result[name] = amount;
  return result;
}

/** Rounds up: a pod that asks for a tenth of a thousandth of a CPU is counted with a whole thousandth. */
export function inWholeNumbers(exact: ExactResources): Resources {
  return Object.fromEntries(
    Object.entries(exact).map(([name, amount]) => [name, name === 'cpu' ? milliValue(amount) : wholeValue(amount)]),
  );
}
