// A kind in several versions: objects are stored in one, and served in each. Between them only apiVersion changes (the conversion
// strategy `None`): a field is the same field, if both versions have it, and is lost on the way, if the other one has not.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/nop_converter.go

import type { Conversion } from '../conversion.ts';
import type { ApiObject } from '../object.ts';
import { fillDefaults } from './defaulting.ts';
import { schemaOf, type Version } from './definition.ts';
import { pruned } from './pruning.ts';

export function conversionBetween(served: Version, stored: Version, group: string): Conversion {
  /** Changes the object, which must be a private copy. */
  const become = (version: Version, object: ApiObject): ApiObject => {
    object.apiVersion = `${group}/${version.name}`;
    return served === stored ? object : pruned(object, schemaOf(version));
  };
  return {
    storedVersion: stored.name,
    toStored: (object) => become(stored, structuredClone(object)),
    toServed: (object) => {
      const read = structuredClone(object);
      // It may be older than a default of today.
      fillDefaults(read, schemaOf(stored));
      return become(served, read);
    },
  };
}
