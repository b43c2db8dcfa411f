// What the keys of etcd went through, and what follows from it: whether a write was lost, what a list at a revision shows, which events a
// watch tells.

import type { ConfigMap } from '#kit/api';
import type { Stored } from './faulty-api-server.ts';
import type { Outcome } from './random-writers.ts';

/** An object at one moment, in as many words as are compared. */
export interface Version {
  key: string;
  uid: string;
  side: string;
  /** The names of the writes in it. */
  writes: string;
}

/** One change of one key. */
export interface Step {
  revision: number;
  before: Version | undefined;
  after: Version | undefined;
}

/** Which objects somebody sees. */
export interface Scope {
  namespace?: string;
  labelSelector: string;
}

export interface Told {
  /** BOOKMARK: that nothing is missing up to the revision. */
  type: string;
  revision: number;
  version?: Version | undefined;
}

export function versionOf({ metadata, data }: ConfigMap): Version {
  const { namespace, name, uid = '', labels } = metadata ?? {};
  return {
    key: `${namespace}/${name}`,
    uid,
    side: labels?.side ?? '',
    writes: Object.keys(data ?? {})
      .sort()
      .join(' '),
  };
}

/** What has no side was written by the server itself. */
export function stepsOf(history: Stored[]): Step[] {
  const present = new Map<string, Version>();
  const steps: Step[] = [];
  for (const { isThere, key, value, revision } of history) {
    const before = present.get(key);
    const after = isThere ? versionOf(JSON.parse(value) as ConfigMap) : undefined;
    if (!(before ?? after)?.side) continue;
    if (after) present.set(key, after);
    else present.delete(key);
    steps.push({ revision, before, after });
  }
  return steps;
}

/** Where a version does not hold what was there and one write more, or a write came to something else than its writer was told. */
export function lostWrites(steps: Step[], outcomes: ReadonlyMap<string, Outcome>, deleted: readonly string[]): string[] {
  const problems: string[] = [];
  const done = new Map<string, number>();
  const ended = new Map<string, number>();
  for (const { revision, before, after } of steps) {
    if (!after) {
      ended.set(before?.uid ?? '', 1 + (ended.get(before?.uid ?? '') ?? 0));
      continue;
    }
    const known = new Set(before?.writes.split(' '));
    const added = after.writes.split(' ').filter((write) => !known.delete(write));
    if (added.length !== 1) problems.push(`revision ${revision} adds ${added.length} writes: ${added}`);
    if (known.size > 0) problems.push(`revision ${revision} has lost ${[...known]}`);
    if (before && before.uid !== after.uid) problems.push(`revision ${revision} puts another object in the place of ${before.uid}`);
    for (const write of added) done.set(write, 1 + (done.get(write) ?? 0));
  }
  for (const write of new Set([...done.keys(), ...outcomes.keys()])) {
    const [outcome, times] = [outcomes.get(write), done.get(write) ?? 0];
    const isTrue = { acknowledged: times === 1, refused: times === 0, unknown: times <= 1 };
    if (!outcome || !isTrue[outcome]) problems.push(`${write} was ${outcome ?? 'never tried'}, and happened ${times} times`);
  }
  for (const uid of deleted) {
    const times = ended.get(uid) ?? 0;
    if (times !== 1) problems.push(`the deletion of ${uid} was acknowledged, and happened ${times} times`);
  }
  return problems;
}

/** What a list at this revision shows, by key. */
export function stateAt(steps: Step[], revision: number, scope: Scope): Version[] {
  const present = new Map<string, Version>();
  for (const { before, after } of steps.filter((step) => step.revision <= revision)) {
    if (after) present.set(after.key, after);
    else present.delete(before?.key ?? '');
  }
  return [...present.values()].filter((version) => isIn(scope, version)).sort(byKey);
}

/** What a watch tells that begins after this revision. */
export function eventsAfter(steps: Step[], revision: number, scope: Scope): Told[] {
  return steps
    .filter((step) => step.revision > revision)
    .flatMap(({ revision, before, after }): Told[] => {
      const [was, is] = [before && isIn(scope, before), after && isIn(scope, after)];
      if (is) return [{ type: was ? 'MODIFIED' : 'ADDED', revision, version: after }];
      return was ? [{ type: 'DELETED', revision, version: before }] : [];
    });
}

export const byKey = (one: Version, other: Version) => (one.key < other.key ? -1 : 1);

function isIn({ namespace, labelSelector }: Scope, { key, side }: Version): boolean {
  return (!namespace || key.startsWith(`${namespace}/`)) && (labelSelector === 'side' || labelSelector === `side=${side}`);
}
