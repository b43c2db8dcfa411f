// Which ReplicaSet is which. A Deployment's present template has one, the new set; all others are old. They are numbered by
// revision, the newest highest, so an old template that comes back (`kubectl rollout undo`) finds its old set and renumbers it.
// Kubernetes: pkg/controller/deployment/util/deployment_util.go, sync.go getNewReplicaSet

import type { Deployment, ReplicaSet } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { controllerReference } from './ownership.ts';
import { sameTemplate, templateHash, templateHashLabel } from './pod-template.ts';
import { timeOf } from './pods.ts';

const prefix = 'deployment.kubernetes.io/';
export const revisionAnnotation = `${prefix}revision`;
export const revisionHistoryAnnotation = `${prefix}revision-history`;
/** What the Deployment wanted when the set was last scaled: a difference from now is what tells a scaling from a rollout. */
export const desiredReplicasAnnotation = `${prefix}desired-replicas`;
export const maxReplicasAnnotation = `${prefix}max-replicas`;

/** Annotations of the Deployment that its ReplicaSets do not inherit. */
const notCopied = [
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
];

export interface Generations {
  /** The set with the Deployment's present template; undefined when none was made yet. */
  newSet: ReplicaSet | undefined;
  /** All the others, oldest first. */
  oldSets: ReplicaSet[];
}

/**
 * Finds the new set: the one whose template is the same as the Deployment's (`sameTemplate`), and the oldest when there are several.
 * All others are old, in order of creation.
 */
export function generationsOf(deployment: Deployment, sets: ReplicaSet[]): Generations {
  throw new NotImplemented('3.4', "Find the set with the Deployment's present template; all others are old, oldest first");
}

export function revisionOf({ metadata }: ReplicaSet | Deployment): number {
  return Number(metadata?.annotations?.[revisionAnnotation] ?? 0) || 0;
}

/** The revision that the new set must carry: one more than every old set's. A set that carries that much already keeps its number. */
export function revisionFor({ newSet, oldSets }: Generations): number {
  throw new NotImplemented('3.4', "Return the new set's revision: above all old ones, and never lower than it was");
}

/**
 * The annotations of the new set: the Deployment's own (except `notCopied`), the revision, and, when a set of an earlier revision is
 * used again, the revisions it had before, joined by commas.
 */
export function newSetAnnotations(deployment: Deployment, newSet: ReplicaSet | undefined, revision: number): Record<string, string> {
  const known = newSet?.metadata?.annotations ?? {};
  const copied = Object.entries(deployment.metadata?.annotations ?? {}).filter(([name]) => !notCopied.includes(name));
  const before = newSet ? revisionOf(newSet) : revision;
  const history = [known[revisionHistoryAnnotation], before].filter(Boolean).join(',');
  return {
    ...known,
    ...Object.fromEntries(copied),
    [revisionAnnotation]: String(revision),
    ...(before !== revision && before > 0 ? { [revisionHistoryAnnotation]: history } : {}),
  };
}

/**
 * The ReplicaSet for the Deployment's present template, with no replicas yet: named `<deployment>-<hash>`; the label
 * `pod-template-hash` is in its labels, its selector and its template, or it would count the pods of its sisters.
 */
export function buildNewSet(deployment: Deployment, revision: number): ReplicaSet {
  throw new NotImplemented('3.4', 'Build the new ReplicaSet: name, hash label in three places, owner, annotations');
}

/**
 * The old sets that the history has no room for: without any pods, wanted or there, and of the lowest revisions. `revisionHistoryLimit`
 * (10 when absent) old sets are kept.
 */
export function setsToForget(deployment: Deployment, oldSets: ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const empty = oldSets.filter(({ spec, status, metadata }) => spec?.replicas === 0 && !status?.replicas && !metadata?.deletionTimestamp);
  const tooMany = Math.max(0, oldSets.length - limit);
  return empty.sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, tooMany);
}

function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const byTime = timeOf(a.metadata?.creationTimestamp) - timeOf(b.metadata?.creationTimestamp);
  return byTime || ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1);
}
