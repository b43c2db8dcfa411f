// The part of an OpenAPI document that says what can be done with a resource, and how.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/installer.go

import { NotImplemented } from '#kit/not-implemented';
import { apiVersionOf, type GroupVersionKind, type ResourceDefinition } from './resources.ts';

export type PathItem = Record<string, Operation>;

export interface Operation {
  'x-kubernetes-action': string;
  'x-kubernetes-group-version-kind': GroupVersionKind;
  parameters?: Parameter[];
  requestBody?: { required: true; content: Content };
  responses: Record<string, { description: string; content: Content }>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query';
  required?: true;
  schema: { type: string };
}

/** By media type. */
type Content = Record<string, { schema: object }>;

/** All paths of a resource; `schemaName` names its schema in the same document. */
export function operationsOf(resource: ResourceDefinition, schemaName: string): Record<string, PathItem> {
  const { group, version, kind, plural, namespaced } = resource;
  const start = `${group ? '/apis' : '/api'}/${apiVersionOf(resource)}`;
  const collection = `${start}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const gvk = { group, version, kind };
  const object = jsonOf(schemaName);
  const list = jsonOf(`${schemaName}List`);
  const operation = (action: string, answer: Content, rest: Partial<Operation> = {}): Operation => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
    ...rest,
    responses: { 200: { description: 'OK', content: answer } },
  });
  const write = (action: string) =>
    operation(action, object, { parameters: writeParameters(), requestBody: { required: true, content: object } });
  const everywhere: Record<string, PathItem> = namespaced ? { [`${start}/${plural}`]: { get: operation('list', list) } } : {};
  return {
    ...everywhere,
    [collection]: { get: operation('list', list), post: write('post') },
    [`${collection}/{name}`]: {
      get: operation('get', object),
      put: write('put'),
      patch: resource.custom ? withoutStrategicMerge(patchOperation(gvk, object)) : patchOperation(gvk, object),
      delete: operation('delete', object),
    },
  };
}

/**
 * What the document says of PATCH on one object. kubectl apply looks here before it sends anything: the kind it is about,
 * the patch languages in the request body (a strategic merge only if it is among them; merge and JSON patches as well), and
 * whether `fieldValidation` is among the parameters: then the server finds misspelt fields, and kubectl need not.
 */
export function patchOperation(kind: GroupVersionKind, answer: Content): Operation {
  throw new NotImplemented('2.8', 'Describe PATCH: its kind, its parameters, and the patch languages it takes');
}

/** Nobody knows how the lists of a custom kind would be merged. */
function withoutStrategicMerge(operation: Operation): Operation {
  const { 'application/strategic-merge-patch+json': _, ...content } = operation.requestBody?.content ?? {};
  return { ...operation, requestBody: { required: true, content } };
}

/** What every request that writes may say in its query. */
export function writeParameters(): Parameter[] {
  return ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({ name, in: 'query', schema: { type: 'string' } }));
}

function jsonOf(schemaName: string): Content {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName}` } } };
}
