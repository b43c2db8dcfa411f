// What must hold in every object's metadata, whatever its kind; the name itself has rules of its own (names.ts).
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go

import type { OwnerReference, StatusCause } from 'kubernetes-types/meta/v1';
import { invalidValue, tooLong } from './kinds/field-errors.ts';
import { validateLabelKey, validateLabels } from './kinds/name-rules.ts';
import type { Metadata } from './object.ts';

/** Annotations hold whole configurations; all of an object's together, keys and values. */
const annotationsLimitInBytes = 256 * 1024;

export function metadataProblems({ labels, annotations, finalizers = [], ownerReferences = [] }: Metadata): StatusCause[] {
  return [
    ...validateLabels('metadata.labels', labels),
    ...validateAnnotations('metadata.annotations', annotations),
    ...validateOwners('metadata.ownerReferences', ownerReferences),
    ...finalizers.flatMap((finalizer) => validateLabelKey('metadata.finalizers', finalizer)),
  ];
}

/** Keys as those of labels, in either case; values of any form. */
function validateAnnotations(field: string, annotations: Record<string, string> = {}): StatusCause[] {
  const entries = Object.entries(annotations);
  const size = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return [
    ...entries.flatMap(([key]) => validateLabelKey(field, key.toLowerCase())),
    ...(size > annotationsLimitInBytes ? [tooLong(field, annotationsLimitInBytes)] : []),
  ];
}

/** The garbage collector and the controllers find an owner by all of these; only one owner can be in charge. */
function validateOwners(field: string, owners: readonly OwnerReference[]): StatusCause[] {
  const incomplete = owners.flatMap(({ apiVersion, kind, name, uid }) => [
    ...(apiVersion ? [] : [invalidValue(`${field}.apiVersion`, apiVersion ?? '', 'version must not be empty')]),
    ...Object.entries({ kind, name, uid }).flatMap(([what, value]) =>
      value ? [] : [invalidValue(`${field}.${what}`, value ?? '', `${what} must not be empty`)],
    ),
  ]);
  const [first, second] = owners.filter(({ controller }) => controller).map(({ kind, name }) => `${kind}/${name}`);
  if (second === undefined) return incomplete;
  const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${second}`;
  return [...incomplete, invalidValue(field, owners, why)];
}
