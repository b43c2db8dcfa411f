// Label selectors: `app=web,tier in (front,back),!canary`. All terms must hold.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/labels/selector.go

import type { LabelSelector } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
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
 */
export function parseLabelSelector(text: string): LabelTerm[] {
  throw new NotImplemented('2.2', 'Parse a label selector into its terms');
}

/** Whether labels satisfy every term. An object without the label satisfies `notin` (and so `!=`) and `missing`. */
export function matchesLabels(terms: LabelTerm[], labels: Labels = {}): boolean {
  throw new NotImplemented('2.2', 'Tell whether labels satisfy every term of a selector');
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

/** Whether a selector as objects have it chooses these labels; an absent or empty one chooses everything. */
export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}, labels: Labels): boolean {
  const terms: LabelTerm[] = Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'in', values: [value] }));
  for (const { key, operator, values = [] } of matchExpressions) {
    if (operator === 'In' || operator === 'NotIn') terms.push({ key, operator: operator === 'In' ? 'in' : 'notin', values });
    else terms.push({ key, operator: operator === 'Exists' ? 'exists' : 'missing' });
  }
  return matchesLabels(terms, labels);
}
