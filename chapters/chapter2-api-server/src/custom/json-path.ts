// JSONPath, the part of it that kinds use to point into their objects: `.spec.size`, `.metadata.labels['app']`, `.spec.ports[0].name`,
// `.spec.hosts[*]`, `.status.conditions[?(@.type=="Ready")].status`. A path is read once, and then walked for each object.
// Kubernetes: staging/src/k8s.io/client-go/util/jsonpath

import { NotImplemented } from '#kit/not-implemented';
import { isObject } from '../json.ts';

/** One step further in: to a field, to an item (from the end, if negative), to every item or field, or to those that meet a condition. */
export type Step = { field: string } | { index: number } | { every: true } | { where: JsonPath; is: '==' | '!='; value: unknown };

export type JsonPath = readonly Step[];

const field = /^\.((?:\\.|[^.[\]\\*])+)/;
const quotedField = /^\[(?:'([^']*)'|"([^"]*)")\]/;
const index = /^\[(-?\d+)\]/;
const every = /^(?:\[\*\]|\.\*)/;
const where = /^\[\?\(\s*@((?:\.[^=!<>()\s]+)+)\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)"|([^()'"\s]+))\s*\)\]/;

/** undefined when the text is not such a path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  for (let rest = text; rest !== ''; ) {
    const match = field.exec(rest) ?? quotedField.exec(rest) ?? index.exec(rest) ?? every.exec(rest) ?? where.exec(rest);
    const step = match && stepOf(match);
    if (!step) return undefined;
    steps.push(step);
    rest = rest.slice(match[0].length);
  }
  return steps;
}

function stepOf(match: RegExpExecArray): Step | undefined {
  const [whole, first = '', second] = match;
  if (where.test(whole)) {
    const path = parseJsonPath(first);
    const [, , , single, double, bare = ''] = match;
    return path && { where: path, is: second as '==' | '!=', value: single ?? double ?? readLiteral(bare) };
  }
  if (every.test(whole)) return { every: true };
  if (index.test(whole)) return { index: Number(first) };
  return { field: quotedField.test(whole) ? first || (second ?? '') : first.replace(/\\(.)/g, '$1') };
}

function readLiteral(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
}

/**
 * The values that a path leads to, in order; none, where it leads nowhere: the field is absent, or the value is no object or no list.
 * A condition keeps those items of a list whose first value behind `where` is equal, or not equal, to `value`; an item without any is
 * not equal.
 */
export function valuesAt(value: unknown, path: JsonPath): unknown[] {
  throw new NotImplemented('2.11', 'Take one step after the other, from all the values that the last step led to');
}
