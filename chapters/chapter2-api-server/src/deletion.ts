// Deleting is a conversation: the server marks the object, others finish their work and take their finalizers off, and the
// last one to let go makes it vanish. Pods get time to stop: the kubelet deletes them once more, without grace, when they did.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go, .../generic/registry/store.go, pkg/registry/core/pod/strategy.go

import type { DeleteOptions, StatusCause } from 'kubernetes-types/meta/v1';
import { type Clock, timestamp } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { invalidValue, unsupportedValue } from './kinds/field-errors.ts';
import type { ApiObject, Metadata } from './object.ts';
import type { ResourceDefinition } from './resources.ts';

/** Kubernetes: DefaultTerminationGracePeriodSeconds */
const defaultPodGraceSeconds = 30;
/** The garbage collector (chapter 3) looks for these two, and takes them off when the dependents are dealt with. */
const dependentsFinalizers: Record<string, string> = { Foreground: 'foregroundDeletion', Orphan: 'orphan' };
/** For clients of old: without a word about them, their dependents stay. kubectl always says what it wants. */
const orphanedByDefault = ['/replicationcontrollers', 'batch/jobs'];

const propagationPolicies = ['Foreground', 'Background', 'Orphan'];

/** Kubernetes: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go, ValidateDeleteOptions */
export function deleteOptionsProblems({ propagationPolicy, orphanDependents }: DeleteOptions): StatusCause[] {
  if (propagationPolicy === undefined) return [];
  if (orphanDependents !== undefined) {
    return [invalidValue('propagationPolicy', propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set')];
  }
  return propagationPolicies.includes(propagationPolicy)
    ? []
    : [unsupportedValue('propagationPolicy', propagationPolicy, propagationPolicies)];
}

/** What a DELETE leads to: the object goes at once, or it stays, marked, until others let go of it. */
export type DeletionStep = { remove: true } | { remove: false; next: ApiObject };

/** Nobody has a say in it, and nothing runs: so most objects just go. What this says no to, `nextDeletionStep` decides. */
export function goesAtOnce({ kind, metadata, spec }: ApiObject, options: DeleteOptions, { group, plural }: ResourceDefinition): boolean {
  const isHeld = kind === 'Namespace' || (metadata.finalizers ?? []).length > 0 || orphanedByDefault.includes(`${group}/${plural}`);
  const mayRun = kind === 'Pod' && !!(spec as { nodeName?: string } | undefined)?.nodeName;
  return !isHeld && !mayRun && options.propagationPolicy === undefined && options.orphanDependents === undefined;
}

/**
 * What comes next when `object` is to be deleted: with the finalizers that the options ask for, it is marked; if it is then
 * ready to go (`isReadyToGo`), it is removed, else what `next` is has to be written.
 */
export function nextDeletionStep(object: ApiObject, options: DeleteOptions, resource: ResourceDefinition, clock: Clock): DeletionStep {
  throw new NotImplemented('2.9', 'Give the object its finalizers, mark it, and say whether it goes');
}

/** Marked, nobody holds it, and no time is left to wait for. */
export function isReadyToGo({ metadata, kind, spec }: ApiObject): boolean {
  if (!metadata.deletionTimestamp || metadata.deletionGracePeriodSeconds) return false;
  const namespaceFinalizers = kind === 'Namespace' ? ((spec as { finalizers?: string[] } | undefined)?.finalizers ?? []) : [];
  return !metadata.finalizers?.length && namespaceFinalizers.length === 0;
}

/**
 * The seconds that an object gets to stop. Only pods take time: as much as the options say, else as the pod's spec says
 * (terminationGracePeriodSeconds), else 30; less than 0 means 1. A pod that was never given to a node, or has ended (phase Succeeded or Failed),
 * has nothing to stop: 0. For a pod that is marked already, what it was given can only become less.
 */
export function gracePeriodOf(object: ApiObject, { gracePeriodSeconds: asked }: DeleteOptions, resource: ResourceDefinition): number {
  throw new NotImplemented('2.9', 'Ask the options, then the pod; a marked pod never gets more');
}

/**
 * The finalizers of an object whose deletion is asked for with these options. Propagation policy Foreground adds
 * `foregroundDeletion`, Orphan adds `orphan`, Background neither (`orphanDependents` is the old word: true for Orphan, false for
 * Background); each takes the place of what was asked for before. Without a policy what was asked for before stays; if nothing was,
 * the kinds in `orphanedByDefault` get `orphan`. All other finalizers stay, in their order, in front of the new one.
 */
export function finalizersAfter(finalizers: string[], options: DeleteOptions, { group, plural }: ResourceDefinition): string[] {
  throw new NotImplemented('2.9', 'Find the policy, and put its finalizer in the place of the other');
}

function withFinalizers({ finalizers: _, ...metadata }: Metadata, finalizers: string[]): Metadata {
  return finalizers.length > 0 ? { ...metadata, finalizers } : metadata;
}

/**
 * The object with its deletionTimestamp, the moment when its time is over, and deletionGracePeriodSeconds, how long that is from
 * the moment when its deletion was first asked for. Marking counts as a wish: it raises the generation, where there is one, once.
 * An object that is marked already changes only if its time becomes shorter: then both fields do, counted from the same first
 * moment. A namespace is in phase Terminating from now on.
 */
export function markForDeletion(object: ApiObject, graceSeconds: number, clock: Clock): ApiObject {
  throw new NotImplemented('2.9', 'Mark the object, or shorten the time of one that is marked');
}

/**
 * What is wrong with an update of an object that is being deleted: finalizers can be taken off, but not added, for who ends is not
 * to be held by anyone new. One cause for `metadata.finalizers`, reason FieldValueForbidden, that names all new ones:
 * `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a", "b"}`.
 */
export function newFinalizerProblems(current: ApiObject, next: ApiObject): StatusCause[] {
  throw new NotImplemented('2.9', 'Find the finalizers that are new');
}
