// One object, several versions: it is stored in one, and served in that and in others. A resource that is not stored as it is
// served says how to convert; everybody behind the handlers (registry, store, watch caches) sees the stored version only.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/runtime/converter.go; upstream converts by way of an internal version

import { checkFields, ignoring } from './field-validation.ts';
import type { ApiObject } from './object.ts';
import { findResource, type ResourceDefinition } from './resources.ts';

/** Both ways must lose nothing: what one version cannot say, it keeps in annotations. Neither changes what it is given. */
export interface Conversion {
  /** The resource's own, where it is absent. */
  storedGroup?: string;
  storedVersion: string;
  toStored(served: ApiObject): ApiObject;
  toServed(stored: ApiObject): ApiObject;
}

/** What came in, as it is stored. Throws BadRequest when something in an annotation cannot be converted. */
export function toStored(object: ApiObject, { group, plural, conversion }: ResourceDefinition): ApiObject {
  if (!conversion) return object;
  const stored = findResource(conversion.storedGroup ?? group, conversion.storedVersion, plural);
  // The conversion of a custom kind leaves out by itself what the other version has not.
  return stored ? checkFields(conversion.toStored(object), stored, ignoring) : conversion.toStored(object);
}

/** What is stored, as it goes out. */
export function toServed(object: ApiObject, { conversion }: ResourceDefinition): ApiObject {
  return conversion ? conversion.toServed(object) : object;
}
