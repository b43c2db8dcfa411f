// May a new kind have the names that it asks for? Two kinds of one group cannot share a name: a client that says it could mean either.
// The answer stands in the definition's status. The kind is served once its names are accepted, and `Established` tells so.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/controller/status/naming_controller.go, .../establish

import type { CustomResourceDefinitionStatus } from 'kubernetes-types/apiextensions/v1';
import { NotImplemented } from '#kit/not-implemented';
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
 */
export function acceptNames({ spec, status }: Definition, all: Definition[]): { accepted: Partial<Names>; condition: Condition } {
  throw new NotImplemented('2.11', 'Give each name that is free, and tell which one is not');
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
 */
export function nextStatus(definition: Definition, all: Definition[], now: string): CustomResourceDefinitionStatus {
  throw new NotImplemented('2.11', 'Put names, conditions and stored versions together');
}
