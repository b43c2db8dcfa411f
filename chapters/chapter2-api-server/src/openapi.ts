// OpenAPI v3: what every kind's fields are called, what type they have and what they mean. `kubectl explain` prints it, and
// `kubectl apply` reads from it how lists are merged and whether the server checks unknown fields itself. One document for
// each group and version, so that a client reads no more than it needs; an index says where they are.
// Kubernetes: staging/src/k8s.io/kube-openapi/pkg/handler3/handler.go

import { createHash } from 'node:crypto';
import { NotImplemented } from '#kit/not-implemented';
import { operationsOf, type PathItem } from './openapi-operations.ts';
import { apiVersionOf, type ResourceDefinition, resources } from './resources.ts';
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
const documents = new Map<string, OpenApiDocument>();
const described = new Map<string, OpenApiDocument>();
let index: OpenApiIndex | undefined;

/** Answers GET `/openapi/v3` and the documents below it; undefined for any other path. */
export function answerOpenApi(path: string): { body: object } | undefined {
  if (path === root) {
    index ??= openApiIndex(resources);
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
  const prefix = prefixOf(served[0] as ResourceDefinition);
  const document = documents.get(prefix) ?? {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.32.0' },
    paths: Object.assign({}, ...served.map((resource) => operationsOf(resource, schemaNameOf(resource)))),
    components: { schemas: reachableSchemas(served.map(schemaNameOf)) },
  };
  documents.set(prefix, document);
  return document;
}

/**
 * The document that is served: with what the fields mean. The hash in its address is made without: descriptions are long,
 * and every kubectl apply asks for the index.
 */
function describedDocumentOf(served: ResourceDefinition[]): OpenApiDocument {
  const prefix = prefixOf(served[0] as ResourceDefinition);
  const known = described.get(prefix);
  if (known) return known;
  const document = documentOf(served);
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => [name, describeSchema(name, schema)]);
  const withDescriptions = { ...document, components: { schemas: Object.fromEntries(schemas) } };
  described.set(prefix, withDescriptions);
  return withDescriptions;
}

/** The named schemas, their lists, and all that they refer to. */
function reachableSchemas(names: string[]): Record<string, OpenApiSchema> {
  const reached = new Set<string>();
  const queue = names.flatMap((name) => [name, `${name}List`]);
  for (let name = queue.pop(); name; name = queue.pop()) {
    const schema = schemas[name];
    if (!schema || reached.has(name)) continue;
    reached.add(name);
    queue.push(...references(schema));
  }
  return Object.fromEntries([...reached].sort().map((name) => [name, schemas[name] ?? {}]));
}

function references({ $ref, allOf = [], items, additionalProperties, properties = {} }: OpenApiSchema): string[] {
  const inner = [...allOf, ...Object.values(properties), ...[items, additionalProperties].filter((schema) => schema !== undefined)];
  return [...($ref ? [nameOfReference($ref)] : []), ...inner.flatMap(references)];
}
