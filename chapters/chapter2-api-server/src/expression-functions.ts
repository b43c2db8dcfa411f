// What Kubernetes adds to CEL: functions for texts, lists and sets, and quantities, so that `1Gi` can be compared with `500Mi`.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/cel/library; the texts' and sets' functions: cel-go, ext

import { type Environment, EvaluationError } from '@marcbachmann/cel-js';
import { type Quantity as Amount, InvalidQuantity, parseQuantity } from '#kit/quantity';
import { equalJson } from './json.ts';

const billion = 10n ** 9n;

class Quantity {
  readonly amount: Amount;

  constructor(amount: Amount) {
    this.amount = amount;
  }
}

/** Where `sets.contains` and its like are. */
class Sets {}

/** Adds them, and gives the environment back. */
export function withFunctions(environment: Environment): Environment {
  const isSame = (one: Quantity, other: Quantity) => one.amount === other.amount;
  environment.registerType('kubernetes.Quantity', Quantity).registerType('Sets', Sets).registerConstant('sets', 'Sets', new Sets());
  environment.registerOperator('kubernetes.Quantity == kubernetes.Quantity', isSame);
  for (const [signature, call] of Object.entries({ ...textFunctions, ...listFunctions, ...setFunctions, ...quantityFunctions })) {
    environment.registerFunction(signature, call);
  }
  return environment;
}

type Functions = Record<string, (...values: never[]) => unknown>;

const textFunctions: Functions = {
  'string.charAt(int): string': (text: string, at: bigint) => [...text][Number(at)] ?? '',
  'string.replace(string, string): string': (text: string, old: string, next: string) => text.replaceAll(old, () => next),
  'string.replace(string, string, int): string': (text: string, old: string, next: string, times: bigint) =>
    times < 0n ? text.replaceAll(old, () => next) : text.split(old).reduce((all, part, index) => all + (index > times ? old : next) + part),
  'string.find(string): string': (text: string, pattern: string) => regularExpression(pattern).exec(text)?.[0] ?? '',
  'string.findAll(string): list<string>': (text: string, pattern: string) =>
    [...text.matchAll(regularExpression(pattern, 'g'))].map(([found]) => found),
};

function regularExpression(pattern: string, flags = ''): RegExp {
  try {
    return new RegExp(pattern, `u${flags}`);
  } catch (error) {
    throw new EvaluationError(`Illegal regex: ${(error as Error).message}`);
  }
}

type Comparable = bigint | number | string;

const listFunctions: Functions = {
  'list.isSorted(): bool': (list: Comparable[]) => list.every((item, index) => index === 0 || (list[index - 1] ?? item) <= item),
  'list<int>.sum(): int': (list: bigint[]) => list.reduce((sum, item) => sum + item, 0n),
  'list<double>.sum(): double': (list: number[]) => list.reduce((sum, item) => sum + item, 0),
  'list.min(): dyn': (list: Comparable[]) => best(list, 'min', (one, other) => one < other),
  'list.max(): dyn': (list: Comparable[]) => best(list, 'max', (one, other) => one > other),
  'list.indexOf(dyn): int': (list: unknown[], item: unknown) => BigInt(list.findIndex((other) => equalJson(other, item))),
  'list.lastIndexOf(dyn): int': (list: unknown[], item: unknown) => BigInt(list.findLastIndex((other) => equalJson(other, item))),
};

function best(list: Comparable[], name: string, isBetter: (one: Comparable, other: Comparable) => boolean): Comparable {
  if (list.length === 0) throw new EvaluationError(`${name} called on empty list`);
  return list.reduce((found, item) => (isBetter(item, found) ? item : found));
}

const isIn = (set: unknown[]) => (item: unknown) => set.some((other) => equalJson(other, item));

const setFunctions: Functions = {
  'Sets.contains(list, list): bool': (_: Sets, set: unknown[], items: unknown[]) => items.every(isIn(set)),
  'Sets.equivalent(list, list): bool': (_: Sets, set: unknown[], other: unknown[]) => set.every(isIn(other)) && other.every(isIn(set)),
  'Sets.intersects(list, list): bool': (_: Sets, set: unknown[], other: unknown[]) => set.some(isIn(other)),
};

const quantityFunctions: Functions = {
  'quantity(string): kubernetes.Quantity': (text: string) => new Quantity(amountOf(text)),
  'isQuantity(string): bool': (text: string) => isQuantity(text),
  'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool': (one: Quantity, other: Quantity) => one.amount < other.amount,
  'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool': (one: Quantity, other: Quantity) => one.amount > other.amount,
  'kubernetes.Quantity.compareTo(kubernetes.Quantity): int': (one: Quantity, other: Quantity) =>
    one.amount < other.amount ? -1n : one.amount > other.amount ? 1n : 0n,
  'kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity': (one: Quantity, other: Quantity) =>
    new Quantity(one.amount + other.amount),
  'kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity': (one: Quantity, other: Quantity) =>
    new Quantity(one.amount - other.amount),
  'kubernetes.Quantity.sign(): int': ({ amount }: Quantity) => (amount < 0n ? -1n : amount > 0n ? 1n : 0n),
  'kubernetes.Quantity.isInteger(): bool': ({ amount }: Quantity) => amount % billion === 0n,
  'kubernetes.Quantity.asInteger(): int': ({ amount }: Quantity) => {
    if (amount % billion !== 0n) throw new EvaluationError('cannot convert value to integer');
    return amount / billion;
  },
  'kubernetes.Quantity.asApproximateFloat(): double': ({ amount }: Quantity) => Number(amount) / Number(billion),
};

function amountOf(text: string): Amount {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (!(error instanceof InvalidQuantity)) throw error;
    throw new EvaluationError(error.message);
  }
}

function isQuantity(text: string): boolean {
  try {
    return parseQuantity(text) !== undefined;
  } catch (error) {
    if (error instanceof InvalidQuantity) return false;
    throw error;
  }
}
