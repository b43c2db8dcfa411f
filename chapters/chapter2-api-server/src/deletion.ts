// Deleting is a conversation: the server marks the object, others finish their work and take their finalizers off, and the
// last one to let go makes it vanish. Pods get time to stop: the kubelet deletes them once more, without grace, when they did.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go, .../generic/registry/store.go, pkg/registry/core/pod/strategy.go

import type { DeleteOptions, StatusCause } from 'kubernetes-types/meta/v1';
import { type Clock, timestamp } from '#kit/clock';
import { invalidValue, unsupportedValue } from './kinds/field-errors.ts';
import type { ApiObject, Metadata } from './object.ts';
import type { ResourceDefinition } from './resources.ts';

const defaultPodGraceSeconds = 30;
const dependentsFinalizers: Record<string, string> = { Foreground: 'foregroundDeletion', Orphan: 'orphan' };

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

export function nextDeletionStep(object: ApiObject, options: DeleteOptions, resource: ResourceDefinition, clock: Clock): DeletionStep {
  const graceSeconds = graceOf(object, options, resource);
  const finalizers = finalizersAfter(object.metadata.finalizers ?? [], options);
  const marked = markForDeletion({ ...object, metadata: withFinalizers(object, finalizers) }, graceSeconds, clock);
  return isReadyToGo(marked) ? { remove: true } : { remove: false, next: marked };
}

/** Marked, nobody holds it, and no time is left to wait for. */
export function isReadyToGo({ metadata, kind, spec }: ApiObject): boolean {
  if (!metadata.deletionTimestamp || metadata.deletionGracePeriodSeconds) return false;
  const namespaceFinalizers = kind === 'Namespace' ? ((spec as { finalizers?: string[] } | undefined)?.finalizers ?? []) : [];
  return !metadata.finalizers?.length && namespaceFinalizers.length === 0;
}

/** Only pods take time to stop. One that was never given to a node, or has ended, has nothing to stop. */
function graceOf(object: ApiObject, { gracePeriodSeconds }: DeleteOptions, { group, plural }: ResourceDefinition): number {
  if (group !== '' || plural !== 'pods') return 0;
  const { nodeName, terminationGracePeriodSeconds } = (object.spec ?? {}) as { nodeName?: string; terminationGracePeriodSeconds?: number };
  const { phase } = (object.status ?? {}) as { phase?: string };
  if (!nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  return Math.max(gracePeriodSeconds ?? terminationGracePeriodSeconds ?? defaultPodGraceSeconds, 0);
}

/** The garbage collector (chapter 3) looks for these two and takes them off when the dependents are dealt with. */
function finalizersAfter(finalizers: string[], { propagationPolicy, orphanDependents }: DeleteOptions): string[] {
  const policy = propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background');
  if (policy === undefined) return finalizers;
  const others = finalizers.filter((finalizer) => !Object.values(dependentsFinalizers).includes(finalizer));
  const asked = dependentsFinalizers[policy];
  return asked ? [...others, asked] : others;
}

function withFinalizers({ metadata: { finalizers: _, ...metadata } }: ApiObject, finalizers: string[]): Metadata {
  return finalizers.length > 0 ? { ...metadata, finalizers } : metadata;
}

/** A second DELETE may shorten the time that is left, never lengthen it. */
function markForDeletion(object: ApiObject, graceSeconds: number, clock: Clock): ApiObject {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, generation, ...metadata } = object.metadata;
  const isMarked = deletionTimestamp !== undefined;
  if (isMarked && graceSeconds >= deletionGracePeriodSeconds) return object;
  return {
    ...object,
    ...(object.kind === 'Namespace' ? { status: { ...(object.status as object | undefined), phase: 'Terminating' } } : {}),
    metadata: {
      ...metadata,
      ...(generation === undefined ? {} : { generation: isMarked ? generation : generation + 1 }),
      deletionTimestamp: timestamp({ now: () => clock.now() + graceSeconds * 1000 }),
      deletionGracePeriodSeconds: graceSeconds,
    },
  };
}
