// Objects and patches: mostly as the kind's schema has them, now and then with something wrong in it.

import type { ResourceDefinition } from '#api-server/resources';
import { apiVersionOf } from '#api-server/resources';
import { nameOfReference, type OpenApiSchema, schemaNameOf, schemas } from '#api-server/schemas';
import type { Random } from '#kit/clock';

const deepest = 8;
const usual = ['a', 'b', 'web', '127.0.0.1'];
const strings = ['', 'a', 'b', 'web', '127.0.0.1', 'http', 'Always', 'constructor', 'a/b', '\u0000', 'x'.repeat(260), '1', '-1', '*'];
const numbers = [0, 1, -1, 80, 8080, 65_536, 2 ** 31, 2 ** 53, 0.5, -0];
const quantities = ['1', '500m', '1Gi', '-1', '1e400', 'x', ''];
const times = ['2026-01-01T12:00:00Z', 'now', ''];
const wrong = [null, 7, 'x', true, [], {}, [[]], [null], { '': null }, { $patch: 'delete' }];
const directives = ['$patch', '$retainKeys', '$setElementOrder/containers', '$deleteFromPrimitiveList/finalizers'];
const pointers = [
  '',
  '/',
  '/metadata',
  '/metadata/labels',
  '/metadata/labels/a',
  '/spec',
  '/spec/replicas',
  '/spec/containers/0',
  '/spec/containers/-',
  '/a~0b~1c/0',
  '/__proto__/x',
];

export function randomObject(resource: ResourceDefinition, name: string, random: Random): unknown {
  const fields = random() < 0.02 ? one(wrong, random) : ofSchema(schemas[schemaNameOf(resource)] ?? {}, 0, random);
  if (typeof fields !== 'object' || fields === null) return fields;
  return { ...fields, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: randomMetadata(name, random) };
}

export function randomPatch(resource: ResourceDefinition, type: string, random: Random): unknown {
  const part = () => ofSchema(schemas[schemaNameOf(resource)] ?? {}, 0, random);
  if (type === 'json-patch+json') {
    return Array.from({ length: Math.floor(random() * 3) }, () => ({
      op: one(['add', 'remove', 'replace', 'move', 'copy', 'test', 'x'], random),
      path: one(pointers, random),
      from: one(pointers, random),
      value: one([...wrong, ...strings], random),
    }));
  }
  if (type === 'apply-patch+yaml') return randomObject(resource, one(['a', 'b', 'web-1'], random), random);
  const patch = part();
  if (typeof patch !== 'object' || patch === null || random() < 0.6) return patch;
  const at = one(['', 'spec', 'metadata'], random);
  const directive = { [one(directives, random)]: one([...wrong, 'delete', 'replace', 'merge', ['a']], random) };
  return at === '' ? { ...patch, ...directive } : { ...patch, [at]: directive };
}

function randomMetadata(name: string, random: Random): unknown {
  if (random() < 0.02) return one(wrong, random);
  return {
    ...(random() < 0.95 ? { name } : { generateName: name }),
    ...(random() < 0.3 ? { labels: { a: one(strings, random), app: 'web' } } : {}),
    ...(random() < 0.1 ? { annotations: { [one(strings, random)]: one(strings, random) } } : {}),
    ...(random() < 0.05 ? { finalizers: [one(['example.com/a', 'x', 'foregroundDeletion'], random)] } : {}),
    ...(random() < 0.05 ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: one(strings, random) }] } : {}),
    ...(random() < 0.03 ? { resourceVersion: one(strings, random) } : {}),
    ...(random() < 0.03 ? { managedFields: [randomManagedFields(random)] } : {}),
  };
}

function randomManagedFields(random: Random): unknown {
  const fieldsV1 = one(
    [{}, { 'f:data': { 'f:a': {} } }, { 'f:spec': { 'k:{"name":"a"}': { '.': {} } } }, { x: 1 }, { 'k:{': {} }, ...wrong],
    random,
  );
  const operation = one(['Apply', 'Update', 'x'], random);
  return { manager: one(strings, random), operation, apiVersion: one(['v1', 'apps/v1', 'x'], random), fieldsType: 'FieldsV1', fieldsV1 };
}

function ofSchema(schema: OpenApiSchema, depth: number, random: Random): unknown {
  if (random() < 0.004) return one(wrong, random);
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference?.endsWith('.Quantity')) return one(random() < 0.9 ? quantities.slice(0, 3) : quantities, random);
  if (reference?.endsWith('Time')) return one(random() < 0.9 ? times.slice(0, 1) : times, random);
  if (reference) return ofSchema(schemas[nameOfReference(reference)] ?? {}, depth, random);
  if (schema.format === 'int-or-string') return one([80, 'http', '25%', -1, ''], random);
  switch (schema.type) {
    case 'string':
      return one(random() < 0.8 ? usual : strings, random);
    case 'integer':
    case 'number':
      return one(random() < 0.8 ? [0, 1, 80] : numbers, random);
    case 'boolean':
      return random() < 0.5;
    case 'array':
      return Array.from({ length: depth > deepest ? 0 : Math.floor(random() * 3) }, () => ofSchema(schema.items ?? {}, depth + 1, random));
    default:
      return fieldsOf(schema, depth, random);
  }
}

function fieldsOf({ properties, additionalProperties }: OpenApiSchema, depth: number, random: Random): object {
  if (depth > deepest) return {};
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? additionalProperties : { type: 'string' };
    return { [one(random() < 0.9 ? usual : strings, random)]: ofSchema(values as OpenApiSchema, depth + 1, random) };
  }
  // The deeper, the fewer: otherwise a pod would have thousands.
  const share = depth < 2 ? 0.6 : 0.25;
  const chosen = Object.entries(properties).filter(([name]) => ['name', 'containers', 'image', 'spec'].includes(name) || random() < share);
  return Object.fromEntries(chosen.map(([name, schema]) => [name, ofSchema(schema, depth + 1, random)]));
}

function one<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)] as T;
}
