// OpenAPI v3: what every kind's fields are called, what type they have and what they mean. `kubectl explain` prints it, and
// `kubectl apply` reads from it how lists are merged and whether the server checks unknown fields itself. One document for
// each group and version, so that a client reads no more than it needs; an index says where they are.
// Kubernetes: staging/src/k8s.io/kube-openapi/pkg/handler3/handler.go

import { createHash } from 'node:crypto';
import { NotImplemented } from '#kit/not-implemented';
import { componentsOf } from './custom/components.ts';
import { operationsOf, type PathItem } from './openapi-operations.ts';
import { apiVersionOf, type ResourceDefinition } from './resources.ts';
import { describeSchema } from './schema-descriptions.ts';
import { nameOfReference, type OpenApiSchema, schemaNameOf, schemas } from './schemas.ts';

export interface OpenApiDocument {
  openapi: '3.0.0';
  info: { title: string; version: string };
  paths: Record<string, PathItem>;
  components: { schemas: Record<string, OpenApiSchema> };
}

/** Where each document is, by `api/v1`, `apis/apps/v1`, … */
export interface OpenApiIndex {
  paths: Record<string, { serverRelativeURL: string }>;
}

const root = '/openapi/v3';
/** By the last resource in the document: custom ones are last, and are made anew when something changes. */
const documents = new WeakMap<ResourceDefinition, OpenApiDocument>();
const described = new WeakMap<ResourceDefinition, OpenApiDocument>();
/** By the table. */
const indexes = new WeakMap<ResourceDefinition[], OpenApiIndex>();

/** Answers GET `/openapi/v3` and the documents below it, from the table of all `resources`; undefined for any other path. */
export function answerOpenApi(path: string, resources: ResourceDefinition[]): { body: object } | undefined {
  if (path === root) {
    const index = indexes.get(resources) ?? openApiIndex(resources);
    indexes.set(resources, index);
    return { body: index };
  }
  const served = path.startsWith(`${root}/`) ? resources.filter((resource) => path === `${root}/${prefixOf(resource)}`) : [];
  return served.length > 0 ? { body: describedDocumentOf(served) } : undefined;
}

/**
 * The index: for each group and version, by `prefixOf` its resources, the address of its document. The address ends in
 * `?hash=` and a hash of the document (`hashOf`): a client that has seen this hash before need not ask again.
 */
export function openApiIndex(served: ResourceDefinition[]): OpenApiIndex {
  throw new NotImplemented('2.8', 'List the documents, each at an address that changes when the document does');
}

/** `api/v1`, `apis/apps/v1`: how the resource's URLs begin, and its document's name. */
export function prefixOf(resource: ResourceDefinition): string {
  return `${resource.group ? 'apis' : 'api'}/${apiVersionOf(resource)}`;
}

export function hashOf(document: OpenApiDocument): string {
  return createHash('sha256').update(JSON.stringify(document)).digest('hex').toUpperCase();
}

/** The document of one group and version, which all the given resources are of. Made once. */
function documentOf(served: ResourceDefinition[]): OpenApiDocument {
  const last = served.at(-1) as ResourceDefinition;
  const document = documents.get(last) ?? {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.32.0' },
    paths: Object.assign({}, ...served.map((resource) => operationsOf(resource, schemaNameOf(resource)))),
    components: { schemas: reachableSchemas(served) },
  };
  documents.set(last, document);
  return document;
}

/**
 * The document that is served: with what the fields mean. The hash in its address is made without: descriptions are long,
 * and every kubectl apply asks for the index.
 */
function describedDocumentOf(served: ResourceDefinition[]): OpenApiDocument {
  const last = served.at(-1) as ResourceDefinition;
  const known = described.get(last);
  if (known) return known;
  const document = documentOf(served);
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => [name, describeSchema(name, schema)]);
  const withDescriptions = { ...document, components: { schemas: Object.fromEntries(schemas) } };
  described.set(last, withDescriptions);
  return withDescriptions;
}

/** The schemas of these resources, their lists, and all that they refer to. */
function reachableSchemas(served: ResourceDefinition[]): Record<string, OpenApiSchema> {
  const custom: Record<string, OpenApiSchema> = Object.assign({}, ...served.map(componentsOf));
  const reached = new Set<string>();
  const queue = served.map(schemaNameOf).flatMap((name) => [name, `${name}List`]);
  for (let name = queue.pop(); name; name = queue.pop()) {
    const schema = custom[name] ?? schemas[name];
    if (!schema || reached.has(name)) continue;
    reached.add(name);
    queue.push(...references(schema));
  }
  return Object.fromEntries([...reached].sort().map((name) => [name, custom[name] ?? schemas[name] ?? {}]));
}

function references({ $ref, allOf = [], items, additionalProperties, properties = {} }: OpenApiSchema): string[] {
  const inner = [...allOf, ...Object.values(properties), ...[items, additionalProperties].filter((schema) => schema !== undefined)];
  return [...($ref ? [nameOfReference($ref)] : []), ...inner.flatMap(references)];
}
