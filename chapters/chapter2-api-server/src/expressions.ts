// CEL: the language of the rules that are data. An expression is checked when the object that holds it is written, and evaluated at every
// write that it is about. It has no side effects; what it may cost is bounded here, so that nobody's expression can stop the server.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/cel

import { createContext, Script } from 'node:vm';
import { Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js';

/** What there is to speak about: `object` and `oldObject` are null where there is none. */
export interface Variables {
  object: unknown;
  oldObject: unknown;
  request: unknown;
}

/** An expression could not be evaluated, and why. */
export class ExpressionFailure extends Error {}

/** Kubernetes bounds what an expression costs by counting its steps. The library does not count, so this is time, generously. */
const limitInMilliseconds = 1000;

const environment = new Environment({ enableOptionalTypes: true, limits: { maxAstNodes: 10_000, maxDepth: 100 } })
  .registerVariable('object', 'dyn')
  .registerVariable('oldObject', 'dyn')
  .registerVariable('request', 'dyn');

/** Why it is no expression that is true or false; undefined when it is one. */
export function whyNoCondition(expression: string): string | undefined {
  const { valid, type, error } = environment.check(expression);
  if (!valid) return `compilation failed: ${error?.message}`;
  return type === 'bool' ? undefined : 'must evaluate to bool';
}

/** The answer of each, in order. Whatever they do, it ends within a second, and then every one of them has failed. */
export function evaluateConditions(expressions: string[], variables: Variables): (boolean | ExpressionFailure)[] {
  const evaluateAll = () => {
    const values = whole(variables) as Record<string, unknown>;
    return expressions.map((expression) => evaluate(expression, values));
  };
  try {
    return bounded(evaluateAll);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return expressions.map((expression) => failure(expression, 'operation cancelled: actual cost limit exceeded'));
  }
}

function evaluate(expression: string, values: Record<string, unknown>): boolean | ExpressionFailure {
  try {
    return environment.evaluate(expression, values) === true;
  } catch (error) {
    if (!(error instanceof EvaluationError || error instanceof ParseError)) throw error;
    return failure(expression, error.summary.charAt(0).toLowerCase() + error.summary.slice(1));
  }
}

function failure(expression: string, why: string): ExpressionFailure {
  return new ExpressionFailure(`expression '${expression}' resulted in error: ${why}`);
}

/** JSON has one kind of number, CEL two: what is whole is an int, which for the library is a bigint. */
function whole(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, whole(field)]));
}

const room: { callback?: () => unknown } = createContext({});
const callIt = new Script('callback()');

/** Node.js can interrupt JavaScript only inside of a script that has a timeout: a loop as well as a regular expression. */
function bounded<T>(callback: () => T): T {
  room.callback = callback;
  try {
    return callIt.runInContext(room, { timeout: limitInMilliseconds }) as T;
  } finally {
    delete room.callback;
  }
}
