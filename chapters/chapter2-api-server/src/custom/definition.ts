// A CustomResourceDefinition: an object that makes a kind.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/types.go

import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from 'kubernetes-types/apiextensions/v1';
import type { ApiObject } from '../object.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { Schema } from './schema.ts';

export type Definition = CustomResourceDefinition & ApiObject;
export type Condition = CustomResourceDefinitionCondition;
export type Names = CustomResourceDefinitionNames;
export type Version = CustomResourceDefinitionVersion;

export const definitions = findResource('apiextensions.k8s.io', 'v1', 'customresourcedefinitions') as ResourceDefinition;

/** As long as it is there, objects of the kind may be, too. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

export function isTrue({ status }: Pick<Definition, 'status'>, type: 'NamesAccepted' | 'Established' | 'Terminating'): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
}

/** The conditions with this one in the place of the other of its type. When its status is the same as before, so is the time since when. */
export function withCondition(conditions: Condition[], condition: Condition, now: string): Condition[] {
  const old = conditions.find(({ type }) => type === condition.type);
  const since = old?.status === condition.status ? old.lastTransitionTime : now;
  const next: Condition = { ...condition, ...(since === undefined ? {} : { lastTransitionTime: since }) };
  return old ? conditions.map((other) => (other === old ? next : other)) : [...conditions, next];
}

/** Everything goes where there is no schema: only definitions from before v1 had none. */
export function schemaOf({ schema }: Version): Schema {
  return (schema?.openAPIV3Schema ?? { 'x-kubernetes-preserve-unknown-fields': true }) as Schema;
}
