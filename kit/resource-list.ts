// Amounts of resources by name, as the API writes them: `{ cpu: '500m', memory: '64Mi' }`. What a list does not name is none of it.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/quota/v1/resources.go

import { formatQuantity, parseQuantity, type Quantity } from './quantity.ts';

export type ResourceList = Record<string, string>;

/** Zero for what is not there. Throws InvalidQuantity. */
export function amountOf(list: ResourceList | undefined, name: string): Quantity {
  // A resource may be called `constructor`, which every object has.
  const amount = list && Object.hasOwn(list, name) ? list[name] : undefined;
  return parseQuantity(amount ?? '0');
}

export function plus(one: ResourceList, other: ResourceList): ResourceList {
  return combined(one, other, (a, b) => a + b);
}

/** What is less than nothing is nothing. */
export function minus(one: ResourceList, other: ResourceList): ResourceList {
  return combined(one, other, (a, b) => (a > b ? a - b : 0n));
}

export function largest(one: ResourceList, other: ResourceList): ResourceList {
  return combined(one, other, (a, b) => (a > b ? a : b));
}

/** Only what the names say. */
export function only(list: ResourceList, names: readonly string[]): ResourceList {
  return Object.fromEntries(Object.entries(list).filter(([name]) => names.includes(name)));
}

/** `cpu=500m,pods=1`: in the order of the names, each amount in its shortest form. */
export function inWords(list: ResourceList): string {
  const names = Object.keys(list).sort();
  return names.map((name) => `${name}=${formatQuantity(amountOf(list, name), list[name])}`).join(',');
}

function combined(one: ResourceList, other: ResourceList, combine: (a: Quantity, b: Quantity) => Quantity): ResourceList {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  const amount = (name: string) => formatQuantity(combine(amountOf(one, name), amountOf(other, name)), one[name] ?? other[name]);
  return Object.fromEntries(names.map((name) => [name, amount(name)]));
}
