// May a new kind have the names that it asks for? Two kinds of one group cannot share a name: a client that says it could mean either.
// The answer stands in the definition's status. The kind is served once its names are accepted, and `Established` tells so.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/controller/status/naming_controller.go, .../establish

import type { CustomResourceDefinitionStatus } from 'kubernetes-types/apiextensions/v1';
import { type Condition, type Definition, isTrue, type Names, withCondition } from './definition.ts';

/** The names that must be free, the word for it when they are not, and among which names of others they must not be. */
const claims = [
  { name: 'plural', otherwise: 'PluralConflict', among: 'words' },
  { name: 'singular', otherwise: 'SingularConflict', among: 'words' },
  { name: 'shortNames', otherwise: 'ShortNamesConflict', among: 'words' },
  { name: 'kind', otherwise: 'KindConflict', among: 'kinds' },
  { name: 'listKind', otherwise: 'ListKindConflict', among: 'kinds' },
] as const;

/**
 * The names that a definition has from now on, and the condition `NamesAccepted` that says so. A name may be had if nobody of the same
 * group, neither another definition nor this one, was given it (`status.acceptedNames`): plural, singular and short names must not be among
 * all plurals, singulars and short names; kind and list kind not among all kinds and list kinds. What the definition has already, as the
 * same sort of name, it keeps. What it may not have stays as it is in its own `acceptedNames`. Short names are given all together or not at
 * all; categories always.
 *
 * The condition is True with reason `NoConflicts` and message `no conflicts found`; or False, with the reason (`otherwise`) of the last
 * claim that failed, and the message `"wd" is already in use`; of several names `["wd" is already in use, "wi" is already in use]`.
 *
 * @exercise 2.11 Give each name that is free, and tell which one is not
 */
export function acceptNames({ spec, status }: Definition, all: Definition[]): { accepted: Partial<Names>; condition: Condition } {
  const ofGroup = all.filter((other) => other.spec.group === spec.group);
  const given = ofGroup.flatMap((other) => other.status?.acceptedNames ?? []);
  const taken = {
    words: given.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames]),
    kinds: given.flatMap(({ kind, listKind }) => [kind, listKind]),
  };
  const had: Partial<Names> = status?.acceptedNames ?? {};
  const { categories: _, ...kept } = had;
  const accepted: Record<string, unknown> = { ...kept, ...(spec.names.categories ? { categories: spec.names.categories } : {}) };
  let condition: Condition = { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
  for (const { name, otherwise, among } of claims) {
    const mine = [had[name] ?? []].flat();
    const inUse = [spec.names[name] ?? []].flat().filter((word) => taken[among].includes(word) && !mine.includes(word));
    const words = inUse.map((word) => `"${word}" is already in use`).join(', ');
    const message = inUse.length > 1 ? `[${words}]` : words;
    if (inUse.length > 0) condition = { type: 'NamesAccepted', status: 'False', reason: otherwise, message };
    else if (spec.names[name] === undefined) delete accepted[name];
    else accepted[name] = spec.names[name];
  }
  return { accepted: accepted as Partial<Names>, condition };
}

/**
 * The status that a definition should have. It holds the accepted names and their condition (`acceptNames`), the versions in which objects
 * may be stored (`storedVersions`: all there were, and the storage version), and the condition `Established`:
 *
 *     names accepted, and it is True already, or the status says already that they are    True   InitialNamesAccepted  the initial names have been accepted
 *     names accepted only now                                                             False  Installing            the initial names have been accepted
 *     names not accepted, and it was never True                                           False  NotAccepted           not all names are accepted
 *
 * Once it is True it stays as it is: a kind that is in use is not taken away for a wish that cannot be granted. A definition with
 * accepted names is served as soon as the server sees that in its status; so a client that reads True finds it served. `now` is RFC 3339;
 * `withCondition` keeps the times of conditions that do not change.
 *
 * @exercise 2.11 Put names, conditions and stored versions together
 */
export function nextStatus(definition: Definition, all: Definition[], now: string): CustomResourceDefinitionStatus {
  const { accepted, condition } = acceptNames(definition, all);
  const { conditions = [], storedVersions = [] } = definition.status ?? {};
  const storage = definition.spec.versions.filter((version) => version.storage).map(({ name }) => name);
  const named = withCondition(conditions, condition, now);
  const next = isTrue(definition, 'Established') ? named : withCondition(named, establishment(definition, condition), now);
  return { acceptedNames: accepted as Names, conditions: next, storedVersions: [...new Set([...storedVersions, ...storage])] };
}

/** @solution */
function establishment(definition: Definition, { status }: Condition): Condition {
  const type = 'Established';
  if (status !== 'True') return { type, status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
  const message = 'the initial names have been accepted';
  const isSeen = isTrue(definition, 'NamesAccepted');
  return isSeen
    ? { type, status: 'True', reason: 'InitialNamesAccepted', message }
    : { type, status: 'False', reason: 'Installing', message };
}
