// CEL: the language of the rules that are data. An expression is checked when the object that holds it is written, and evaluated at every
// write that it is about. It has no side effects; what it may cost is bounded here, so that nobody's expression can stop the server.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/cel

import { createContext, Script } from 'node:vm';
import { Environment, EvaluationError, type ObjectSchema, Optional, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import { complaintAbout } from './expression-complaints.ts';
import { withFunctions } from './expression-functions.ts';

/** The type of each variable, in CEL's words, or the types of its fields. `dyn` is any. */
export type Declarations = Record<string, string | ObjectSchema>;
/** Types of objects, to be used by their names: the type of each field. One stands behind those that it uses. */
export type ObjectTypes = Map<string, Record<string, string>>;
export type Values = Record<string, unknown>;

/** An expression could not be evaluated, and why. */
export class ExpressionFailure extends Error {
  readonly why: string;

  constructor(why: string, expression?: string) {
    super(expression === undefined ? why : `expression '${expression}' resulted in error: ${why}`);
    this.why = why;
  }
}

const words = withFunctions(new Environment({ enableOptionalTypes: true, limits: { maxAstNodes: 10_000, maxDepth: 100 } }));

/** What there is to speak about. */
export class Language {
  readonly #environment: Environment;

  constructor(declarations: Declarations, types: ObjectTypes = new Map(), base = words.clone()) {
    for (const [name, fields] of types) {
      base.registerType(name, { fields });
      base.registerOperator(`${name} == ${name}`, () => false);
    }
    for (const [name, type] of Object.entries(declarations)) {
      if (typeof type === 'string') base.registerVariable(name, type);
      else base.registerVariable(name, { schema: type });
    }
    this.#environment = base;
  }

  /** This one, with something more to speak about. */
  with(declarations: Declarations): Language {
    return new Language(declarations, new Map(), this.#environment.clone());
  }

  /** The type of what an expression says; or why it says nothing. */
  check(expression: string): { type: string } | { why: string } {
    const { type = 'dyn', error } = this.#environment.check(expression);
    return error ? { why: `compilation failed: ${complaintAbout(expression, error)}` } : { type };
  }

  /** Why it is no expression of one of these types; undefined when it is one. */
  whyNot(expression: string, ...types: string[]): string | undefined {
    const checked = this.check(expression);
    if ('why' in checked) return checked.why;
    if (types.includes(checked.type)) return undefined;
    return `must evaluate to ${types.length === 1 ? types[0] : `one of [${types.join(' ')}]`} but got ${checked.type}`;
  }
}

/** Whoever wrote an expression was told what is wrong with it: here, everything may be spoken about. */
const anything = words.clone({ unlistedVariablesAreDyn: true });
const parsed = new Map<string, ParseResult>();
const mostParsed = 1000;

/** Reading an expression takes twice as long as evaluating it. */
function parse(expression: string): ParseResult {
  const known = parsed.get(expression);
  if (known) return known;
  if (parsed.size >= mostParsed) parsed.clear();
  const result = anything.parse(expression);
  parsed.set(expression, result);
  return result;
}

/** What an expression says of the values (`celValue`). Throws ExpressionFailure. */
export function evaluate(expression: string, values: Values): unknown {
  try {
    return parse(expression)(values);
  } catch (error) {
    if (!(error instanceof EvaluationError || error instanceof ParseError)) throw error;
    const why = error.summary.charAt(0).toLowerCase() + error.summary.slice(1);
    throw new ExpressionFailure(why, expression);
  }
}

/** The same; what is thrown otherwise is the answer. */
export function attempt(expression: string, values: Values): unknown {
  try {
    return evaluate(expression, values);
  } catch (error) {
    if (error instanceof ExpressionFailure) return error;
    throw error;
  }
}

const longestMessage = 5 * 1024;

/** A message to show to somebody; '' when the expression makes none that could be shown. */
export function computeMessage(expression: string | undefined, values: Values): string {
  const computed = expression?.trim() ? attempt(expression, values) : undefined;
  const message = typeof computed === 'string' ? computed.trim() : '';
  return Buffer.byteLength(message) > longestMessage || message.includes('\n') ? '' : message;
}

/** Whether an expression that can be read speaks of a variable. */
export function mentions(expression: string, variable: string): boolean {
  const speaks = (part: unknown): boolean => {
    if (Array.isArray(part)) return part.some(speaks);
    if (!isNode(part)) return false;
    return part.op === 'id' ? part.args === variable : speaks(part.args);
  };
  try {
    return speaks(parse(expression).ast);
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

function isNode(part: unknown): part is { op: string; args: unknown } {
  return typeof part === 'object' && part !== null && 'op' in part && 'args' in part;
}

/** For a variable that may have no value. */
export function optional(value: unknown): unknown {
  return value === undefined ? Optional.none() : Optional.of(value);
}

/** JSON has one kind of number, CEL two: what is whole is an int, which for the library is a bigint. */
export function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value !== 'object' || value === null) return value;
  return celMap(Object.entries(value).map(([key, field]) => [key, celValue(field)]));
}

/** Of its keys and values. The library asks an object for its constructor, and must not find a label of that name. */
export function celMap(entries: [string, unknown][]): object {
  return entries.some(([key]) => key === 'constructor') ? new Map(entries) : Object.fromEntries(entries);
}

/**
 * Kubernetes counts the steps of an expression, and lets those of a webhook's conditions be as many as take about a quarter of a second.
 * The library does not count, so this is time.
 */
const limitInMilliseconds = 250;
export const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run';

/** What `work` says; a failure when it takes longer than the limit. */
export function withinBudget<Result>(work: () => Result): Result | ExpressionFailure {
  const [result] = eachWithinBudget([work], () => work());
  return result as Result | ExpressionFailure;
}

/**
 * What `work` says of each item, in order; a failure for an item that takes longer than the limit. On a busy machine the clock goes on while
 * nothing is done: who did not have the processor for half of the time tries again, with twice the time. Other errors are thrown.
 */
export function eachWithinBudget<Item, Result>(items: Item[], work: (item: Item) => Result): (Result | ExpressionFailure)[] {
  const results: (Result | ExpressionFailure)[] = [];
  let limit = limitInMilliseconds;
  while (results.length < items.length) {
    const before = results.length;
    const processor = process.threadCpuUsage();
    try {
      bounded(limit, () => {
        for (const item of items.slice(before)) results.push(work(item));
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      const { user, system } = process.threadCpuUsage(processor);
      const hadItsTime = (user + system) / 1000 >= limitInMilliseconds / 2;
      // Only the one that began with the clock has had all of it.
      const isItsOwn = results.length === before;
      if (isItsOwn && hadItsTime) results.push(new ExpressionFailure(outOfBudget));
      limit = isItsOwn && !hadItsTime ? limit * 2 : limitInMilliseconds;
    }
  }
  return results;
}

const room: { callback?: () => unknown } = createContext({});
const callIt = new Script('callback()');

/** Node.js can interrupt JavaScript only inside of a script that has a timeout: a loop as well as a regular expression. */
function bounded(timeout: number, callback: () => void): void {
  room.callback = callback;
  try {
    callIt.runInContext(room, { timeout });
  } finally {
    delete room.callback;
  }
}
