// Label selectors: `app=web,tier in (front,back),!canary`. All terms must hold.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/labels/selector.go

import type { LabelSelector } from '#kit/api';
import { badRequest } from './errors.ts';

export type Labels = Record<string, string>;

export type LabelTerm =
  | { key: string; operator: 'in' | 'notin'; values: string[] }
  | { key: string; operator: 'exists' | 'missing' }
  | { key: string; operator: 'gt' | 'lt'; value: number };

/**
 * Reads a selector: terms separated by commas, of the forms `k=v` `k==v` `k!=v` `k in (a,b)` `k notin (a,b)` `k` `!k` `k>1`
 * `k<1`, with blanks anywhere between the words. `k=v` is `k in (v)`, `k!=v` is `k notin (v)`. An empty text has no terms.
 * Throws BadRequest, with the text in the message, for anything else.
 *
 * @exercise 2.2 Parse a label selector into its terms
 */
export function parseLabelSelector(text: string): LabelTerm[] {
  return splitTerms(text).map((term) => {
    const parsed = parseTerm(term);
    if (!parsed)
      throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}: ${JSON.stringify(term)} is no term of a label selector`);
    return parsed;
  });
}

/**
 * Whether labels satisfy every term. An object without the label satisfies `notin` (and so `!=`) and `missing`.
 *
 * @exercise 2.2 Tell whether labels satisfy every term of a selector
 */
export function matchesLabels(terms: LabelTerm[], labels: Labels = {}): boolean {
  return terms.every((term) => satisfies(term, Object.hasOwn(labels, term.key) ? labels[term.key] : undefined));
}

/** @solution */
function satisfies(term: LabelTerm, value: string | undefined): boolean {
  switch (term.operator) {
    case 'exists':
      return value !== undefined;
    case 'missing':
      return value === undefined;
    case 'in':
      return value !== undefined && term.values.includes(value);
    case 'notin':
      return value === undefined || !term.values.includes(value);
    case 'gt':
      return numberIn(value) > term.value;
    case 'lt':
      return numberIn(value) < term.value;
  }
}

/**
 * NaN, which is neither greater nor less than anything, for what is no number.
 *
 * @solution
 */
function numberIn(value = ''): number {
  return /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
}

/**
 * At the commas that are not inside parentheses.
 *
 * @solution
 */
function splitTerms(text: string): string[] {
  if (text.trim() === '') return [];
  return text.split(/,(?![^(]*\))/).map((term) => term.trim());
}

const key = '(?:[A-Za-z0-9][-A-Za-z0-9.]*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?';
const value = '(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?';
const forms = {
  equality: new RegExp(`^(${key})\\s*(=|==|!=)\\s*(${value})$`),
  set: new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^()]*)\\)$`),
  presence: new RegExp(`^(!?)\\s*(${key})$`),
  order: new RegExp(`^(${key})\\s*([<>])\\s*(-?\\d+)$`),
  value: new RegExp(`^${value}$`),
};

/** @solution */
function parseTerm(term: string): LabelTerm | undefined {
  const equality = forms.equality.exec(term);
  if (equality) {
    const [, key = '', operator, value = ''] = equality;
    return { key, operator: operator === '!=' ? 'notin' : 'in', values: [value] };
  }
  const set = forms.set.exec(term);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return values.every((value) => forms.value.test(value)) ? { key, operator: operator as 'in' | 'notin', values } : undefined;
  }
  const presence = forms.presence.exec(term);
  if (presence) return { key: presence[2] ?? '', operator: presence[1] ? 'missing' : 'exists' };
  const order = forms.order.exec(term);
  return order ? { key: order[1] ?? '', operator: order[2] === '>' ? 'gt' : 'lt', value: Number(order[3]) } : undefined;
}

/** Whether a selector as objects have it chooses these labels; an absent or empty one chooses everything. */
export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}, labels: Labels): boolean {
  const terms: LabelTerm[] = Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'in', values: [value] }));
  for (const { key, operator, values = [] } of matchExpressions) {
    if (operator === 'In' || operator === 'NotIn') terms.push({ key, operator: operator === 'In' ? 'in' : 'notin', values });
    else terms.push({ key, operator: operator === 'Exists' ? 'exists' : 'missing' });
  }
  return matchesLabels(terms, labels);
}
