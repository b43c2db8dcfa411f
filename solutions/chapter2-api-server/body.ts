// Request bodies: JSON, YAML or protobuf in, one plain value out. A body that is too long, of an unknown type, or not what its type
// says ends here, before anything looks into it.

import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { badRequest, bodyTooLarge, unsupportedMediaType } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { ApiObject, Collection, Metadata } from './object.ts';
import { readProtobuf } from './protobuf.ts';
import { apiVersionOf, type ResourceDefinition } from './resources.ts';

/** Kubernetes: staging/src/k8s.io/apiserver/pkg/server/config.go, MaxRequestBodyBytes */
const limitInBytes = 3 * 1024 * 1024;

/** So deep is nothing that makes sense, and whatever walks through a value has only so much stack. */
const maximumDepth = 1000;

/** A client that has sent this much does not deserve to be heard out. */
const patienceInBytes = 10 * limitInBytes;

const parsers: Record<string, (body: Buffer) => unknown> = {
  'application/json': (body) => JSON.parse(body.toString('utf8')),
  // Of a field that is there twice, the last counts, as in JSON. To find out, the library would compare each field with all before it.
  'application/yaml': (body) => parse(body.toString('utf8'), { uniqueKeys: false }),
  'application/vnd.kubernetes.protobuf': readProtobuf,
};

/** Requests whose body was read: the audit log may want it afterwards. */
const bodies = new WeakMap<IncomingMessage, Buffer>();

export function bodyRead(request: IncomingMessage): Buffer | undefined {
  return bodies.get(request);
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= limitInBytes) chunks.push(chunk);
      else if (size > patienceInBytes) break;
    }
  } catch {
    // Nobody hears it any more, but for the audit log.
    throw badRequest('the connection was closed before the end of the body');
  }
  // Read on to the end before saying no: a client that is still sending does not listen.
  if (size > limitInBytes) throw bodyTooLarge(limitInBytes);
  const body = Buffer.concat(chunks);
  bodies.set(request, body);
  return body;
}

/** `application/json` of `Application/JSON; charset=utf-8` */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The body as a JSON value, whatever it is written in; undefined for an empty one. `what` is named in the error. */
export async function readJson(request: IncomingMessage, what: string): Promise<unknown> {
  const mediaType = mediaTypeOf(request);
  return parseBody(await readBody(request), mediaType, what);
}

export function asRecord(body: unknown, what: string): JsonObject {
  if (isObject(body)) return body;
  throw badRequest(`the object provided is unrecognized (must be of type ${what}): a JSON object is expected`);
}

/** Any JSON value; undefined for an empty body. `what` is named in the error. */
export function parseBody(body: Buffer, mediaType: string, what: string): unknown {
  const parser = Object.hasOwn(parsers, mediaType) && parsers[mediaType];
  if (!parser) throw unsupportedMediaType(Object.keys(parsers));
  if (body.length === 0) return undefined;
  try {
    return notTooDeep(parser(body));
  } catch (error) {
    const format = mediaType.split(/[/.]/).at(-1);
    const message = (error as Error).message;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${what}): couldn't get version/kind; ${format} parse error: ${message}`,
    );
  }
}

function notTooDeep(value: unknown, depth = 0): unknown {
  if (depth > maximumDepth) throw new Error('exceeded max depth');
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) notTooDeep(part, depth + 1);
  return value;
}

/** An object to be stored: of the resource's kind, in the URL's namespace, under the URL's name if that has one. */
export function asObject(body: unknown, { resource, namespace, name }: Collection & { name?: string }): ApiObject {
  const { kind } = resource;
  const fields = asRecord(body, kind);
  const object = { ...fields, apiVersion: fields.apiVersion ?? apiVersionOf(resource), kind: fields.kind ?? kind } as ApiObject;
  checkType(object, resource);
  object.metadata = { ...checkMetadata(fields.metadata, resource) };
  if (name && (object.metadata.name ?? name) !== name) {
    throw badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`);
  }
  if (name) object.metadata.name = name;
  if (!resource.namespaced) {
    delete object.metadata.namespace;
    return object;
  }
  if (namespace && (object.metadata.namespace || namespace) !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (namespace) object.metadata.namespace = namespace;
  return object;
}

function checkType({ apiVersion, kind }: ApiObject, resource: ResourceDefinition): void {
  const expected = apiVersionOf(resource);
  if (apiVersion !== expected) {
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected})`);
  }
  if (kind !== resource.kind) throw badRequest(`${kind} in version "${apiVersion}" cannot be handled as a ${resource.kind}`);
}

function checkMetadata(metadata: unknown, { kind }: ResourceDefinition): Metadata {
  const wrong = (field: string, expected: string) => badRequest(`${kind} cannot be handled: ${field} must be ${expected}`);
  if (metadata === undefined || metadata === null) return {};
  if (!isObject(metadata)) throw wrong('metadata', 'an object');
  for (const field of ['name', 'generateName', 'namespace', 'resourceVersion', 'uid']) {
    if (metadata[field] === null) delete metadata[field];
    if (metadata[field] !== undefined && typeof metadata[field] !== 'string') throw wrong(`metadata.${field}`, 'a string');
  }
  for (const field of ['labels', 'annotations']) {
    const map = metadata[field] ?? {};
    if (!isObject(map)) throw wrong(`metadata.${field}`, 'a map of strings');
    for (const [key, value] of Object.entries(map)) {
      // Go's zero value, as everywhere: field-validation.ts.
      if (value === null) map[key] = '';
      else if (typeof value !== 'string') throw wrong(`metadata.${field}.${key}`, `a string, not ${JSON.stringify(value)}`);
    }
  }
  return metadata as Metadata;
}
