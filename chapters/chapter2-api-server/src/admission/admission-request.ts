// What is told of a write to those outside who judge it: webhooks get it in a message, expressions ask for it by the name `request`.
// Kubernetes: staging/src/k8s.io/api/admission/v1/types.go, AdmissionRequest;
// staging/src/k8s.io/apiserver/pkg/admission/plugin/cel/compile.go, BuildRequestType

import { toServed } from '../conversion.ts';
import { celValue, type Declarations, Language, type Values } from '../expressions.ts';
import type { ApiObject } from '../object.ts';
import type { ResourceDefinition } from '../resources.ts';
import type { Write } from './admission.ts';
import { operationOf } from './webhook-rules.ts';

/** @param seenAs the resource that the asker's rules name, where the write comes in another of its versions */
export function admissionRequest(write: Write, seenAs: ResourceDefinition = write.target.resource) {
  const { target, user, subresource, dryRun } = write;
  const { name: username, groups, uid, extra } = user;
  const { kind: requestKind, resource: requestResource } = typesOf(target.resource);
  return {
    ...typesOf(seenAs),
    requestKind,
    requestResource,
    ...(subresource ? { subResource: subresource, requestSubResource: subresource } : {}),
    name: target.name,
    ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
    operation: operationOf(write),
    userInfo: { username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) },
    dryRun,
  };
}

function typesOf({ group, version, kind, plural }: ResourceDefinition) {
  return { kind: { group, version, kind }, resource: { group, version, resource: plural } };
}

const kind = { group: 'string', version: 'string', kind: 'string' };
const resource = { group: 'string', version: 'string', resource: 'string' };
const request: Declarations[string] = {
  kind,
  resource,
  subResource: 'string',
  requestKind: kind,
  requestResource: resource,
  requestSubResource: 'string',
  name: 'string',
  namespace: 'string',
  operation: 'string',
  userInfo: { username: 'string', uid: 'string', groups: 'list<string>', extra: 'map<string, list<string>>' },
  dryRun: 'bool',
};

/** What every expression about a write can speak of. What is not there is null. */
export const aboutWrites = new Language({ object: 'dyn', oldObject: 'dyn', namespaceObject: 'dyn', request });

/** What they then speak of, but for the namespace. */
export function valuesOf(write: Write, seenAs?: ResourceDefinition): Values {
  const { object, old } = write;
  const seen = (one: ApiObject | undefined) => celValue(one && seenAs ? toServed(one, seenAs) : (one ?? null));
  return { object: seen(object), oldObject: seen(old), namespaceObject: null, request: celValue(admissionRequest(write, seenAs)) };
}
