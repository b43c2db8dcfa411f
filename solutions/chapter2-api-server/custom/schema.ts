// A structural schema: what the author of a kind says about its fields. It is the OpenAPI schema of JSON values, a little smaller
// (every field has one type, said in one place), and with a few words of Kubernetes' own.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/structural.go

import { isObject } from '../json.ts';

export interface Schema {
  type?: 'array' | 'boolean' | 'integer' | 'number' | 'object' | 'string';
  description?: string;
  format?: string;
  /** Put where the author of an object wrote nothing. */
  default?: unknown;
  /** null is a value of its own here; elsewhere it is as good as nothing. */
  nullable?: boolean;
  enum?: unknown[];

  // objects
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  minProperties?: number;
  maxProperties?: number;

  // lists
  items?: Schema;
  minItems?: number;
  maxItems?: number;

  // texts
  minLength?: number;
  maxLength?: number;
  pattern?: string;

  // numbers
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;

  /** What these say is checked, too; which fields there are and what type they have stands outside of them. */
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;

  /** Fields that are not named here are kept; what is named below is still pruned. */
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  /** A whole API object: it has apiVersion, kind and metadata without saying so. */
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  /** How the items of a list are told apart: not at all (`atomic`), by their value, or by some of their fields. */
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'atomic' | 'granular';
  /** What must be true of a value beyond all this, in CEL. */
  'x-kubernetes-validations'?: Rule[];
}

/** `rule` speaks of the value as `self`, and of what it was as `oldSelf`: where there was none, such a rule does not count. */
export interface Rule {
  rule: string;
  message?: string;
  messageExpression?: string;
  /** `FieldValueInvalid` unless it says another one. */
  reason?: string;
  /** The field to blame, from here: `.spec.size`. */
  fieldPath?: string;
  /** `oldSelf` is an optional, and the rule always counts. */
  optionalOldSelf?: boolean;
}

/** The schema without what is null in it: a word that is null says nothing, a field that is null has an empty schema. Values keep theirs. */
export function withoutNulls(schema: Schema): Schema {
  if (!isObject(schema)) return schema;
  const words = Object.entries(schema).filter(([, word]) => word !== null);
  return Object.fromEntries(words.map(([name, word]) => [name, cleaned(name, word)]));
}

const isValue = (word: string) => ['default', 'enum', 'example'].includes(word);
const isMapOfSchemas = (word: string) => ['properties', 'patternProperties', 'definitions'].includes(word);

function cleaned(name: string, word: unknown): unknown {
  if (isValue(name) || typeof word !== 'object' || word === null) return word;
  if (Array.isArray(word)) return word.map((item) => cleaned('', item));
  if (!isMapOfSchemas(name)) return withoutNulls(word as Schema);
  return Object.fromEntries(Object.entries(word).map(([field, inner]) => [field, withoutNulls((inner ?? {}) as Schema)]));
}

/** These every API object has; no schema needs to name them. */
export const objectFields = ['apiVersion', 'kind', 'metadata'];

/** The schema of a field in an object of this schema; undefined when there is no such field. */
export function schemaOfField({ properties, additionalProperties }: Schema, field: string): Schema | undefined {
  if (properties && Object.hasOwn(properties, field)) return properties[field];
  if (additionalProperties === true) return { 'x-kubernetes-preserve-unknown-fields': true };
  return additionalProperties || undefined;
}

/** The schema of an item in a list of this schema. Only where all is preserved may a schema say nothing of it. */
export function schemaOfItems({ items }: Schema): Schema {
  return items ?? { 'x-kubernetes-preserve-unknown-fields': true };
}

/** Whether this is true of the schema, or of one in it. */
export function isAnywhere(schema: Schema, isTrue: (schema: Schema) => boolean): boolean {
  const { properties = {}, additionalProperties, items, allOf = [], anyOf = [], oneOf = [], not } = schema;
  const inner = [...Object.values(properties), additionalProperties, items, ...allOf, ...anyOf, ...oneOf, not];
  return isTrue(schema) || inner.some((one) => typeof one === 'object' && isAnywhere(one, isTrue));
}

/** `spec.ports[0].name`: how a message names a place. */
export function fieldIn(path: string, field: string): string {
  return path ? `${path}.${field}` : field;
}
