// What the values of a schema are in CEL, where a rule speaks of them: which type they have, and how they get there from JSON.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/cel/common/schemas.go and values.go, .../pkg/cel/escaping.go

import { attempt, celMap, celValue, ExpressionFailure, type ObjectTypes } from '../expressions.ts';
import { isObject } from '../json.ts';
import { type Schema, schemaOfField, schemaOfItems } from './schema.ts';

/** A text of one of these formats is not a text in CEL. */
const formats: Record<string, { type: string; read(text: string): unknown }> = {
  byte: { type: 'bytes', read: (text) => new Uint8Array(Buffer.from(text, 'base64')) },
  date: { type: 'google.protobuf.Timestamp', read: (text) => attempt('timestamp(text)', { text: `${text}T00:00:00Z` }) },
  'date-time': { type: 'google.protobuf.Timestamp', read: (text) => attempt('timestamp(text)', { text }) },
  duration: { type: 'google.protobuf.Duration', read: (text) => attempt('duration(text)', { text }) },
};
const simpleTypes: Record<string, string> = { boolean: 'bool', integer: 'int', number: 'double', string: 'string' };

/** The type of the schema's values; of objects in it, it adds the types to `types`. What nobody has said a type of may be anything. */
export function celTypeOf(schema: Schema, types: ObjectTypes): string {
  const { type, format = '', items, additionalProperties } = schema;
  if (schema['x-kubernetes-int-or-string'] || type === undefined) return 'dyn';
  if (type === 'array') return `list<${items ? celTypeOf(items, types) : 'dyn'}>`;
  if (type !== 'object')
    return (type === 'string' && Object.hasOwn(formats, format) && formats[format]?.type) || (simpleTypes[type] ?? 'dyn');
  if (isObject(additionalProperties)) return `map<string, ${celTypeOf(additionalProperties as Schema, types)}>`;
  if (!schema.properties && schema['x-kubernetes-preserve-unknown-fields']) return 'dyn';
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const escaped = escapedName(name);
    return escaped === undefined ? [] : [[escaped, celTypeOf(field, types)]];
  });
  const name = `object${types.size + 1}`;
  types.set(name, Object.fromEntries(fields));
  return name;
}

/** A whole API object has these, whatever its schema says. */
export function withMetadata(schema: Schema): Schema {
  const text: Schema = { type: 'string' };
  const metadata: Schema = { type: 'object', properties: { name: text, generateName: text } };
  return { ...schema, type: 'object', properties: { ...schema.properties, apiVersion: text, kind: text, metadata } };
}

/** The value as its type wants it: numbers as the schema says, and fields by names that can be written in an expression. */
export function celValueOf(value: unknown, schema: Schema): unknown {
  if (schema['x-kubernetes-int-or-string'] || schema.type === undefined) return celValue(value);
  if (typeof value === 'number') return schema.type === 'number' ? value : celValue(value);
  if (typeof value === 'string') return textOf(value, schema);
  if (Array.isArray(value)) return value.map((item) => celValueOf(item, schemaOfItems(schema)));
  if (!isObject(value)) return value;
  const fields = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    const key = schema.properties ? escapedName(name) : name;
    return key === undefined ? [] : [[key, celValueOf(field, schemaOfField(schema, name) ?? {})]];
  });
  return celMap(fields);
}

/** What is not in its format, as the schema's own check will tell, stays a text. */
function textOf(text: string, { type, format = '' }: Schema): unknown {
  const known = type === 'string' && Object.hasOwn(formats, format) ? formats[format] : undefined;
  const value = known?.read(text) ?? text;
  return value instanceof ExpressionFailure ? text : value;
}

const reserved =
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' ');
const escapes: Record<string, string> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' };

/** `__namespace__`, `a__dash__b`; undefined for a field that no expression can speak of. */
function escapedName(name: string): string | undefined {
  if (reserved.includes(name)) return `__${name}__`;
  return /^[A-Za-z_./-][\w./-]*$/.test(name) ? name.replace(/__|[./-]/g, (part) => escapes[part] ?? part) : undefined;
}
