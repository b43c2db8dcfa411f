// CEL: the language of the rules that are data. An expression is checked when the object that holds it is written, and evaluated at every
// write that it is about. It has no side effects; callers bound what it may cost (time-budget.ts).
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/cel

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
    throw new ExpressionFailure(whyOf(error), expression);
  }
}

/** Whatever is thrown, by JavaScript itself when a text becomes too long: it is the expression that failed, and not the server. */
function whyOf(error: unknown): string {
  if (error instanceof ExpressionFailure) return error.why;
  const why = error instanceof EvaluationError || error instanceof ParseError ? error.summary : (error as Error).message;
  return why.charAt(0).toLowerCase() + why.slice(1);
}

/** As `evaluate`, but a failure is an answer, too. */
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
