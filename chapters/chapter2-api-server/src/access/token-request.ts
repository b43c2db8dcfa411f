// POST serviceaccounts/<name>/token: a new token for a service account. A kubelet asks for those of its pods, `kubectl create token` for
// anybody's who may.
// Kubernetes: pkg/registry/core/serviceaccount/storage/token.go

import type { TokenRequest } from 'kubernetes-types/authentication/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { timestamp } from '#kit/clock';
import type { ApiResources } from '../api-resources.ts';
import { asRecord, readJson } from '../body.ts';
import { badRequest, conflict, forbidden, invalid } from '../errors.ts';
import { keyOf } from '../keys.ts';
import { invalidValue } from '../kinds/field-errors.ts';
import type { ApiObject, Target } from '../object.ts';
import type { Registry } from '../registry.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { Answer, ApiRequest } from '../server.ts';
import { authorOf, isDryRun } from '../write-options.ts';
import type { BoundKind, ObjectReference } from './service-account-tokens.ts';
import { nodeNameOf, type User } from './users.ts';

const defaultSeconds = 3600;
const minimumSeconds = 600;
const maximumSeconds = 2 ** 32;

type Bound = Partial<Record<BoundKind, ObjectReference>>;

export async function requestToken(target: Target, request: ApiRequest, api: ApiResources): Promise<Answer> {
  const kind = 'TokenRequest';
  const body = asRecord(await readJson(request.message, kind), kind) as unknown as TokenRequest;
  const account = await api.registry.get(target);
  const { audiences, expirationSeconds, boundObjectRef: ref } = body.spec ?? {};
  // A client in Go may write null for what it leaves out.
  const seconds = expirationSeconds ?? defaultSeconds;
  const causes = secondsProblems(seconds);
  if (causes.length > 0) throw invalid({ group: 'authentication.k8s.io', kind }, '', causes);
  const dryRun = isDryRun(request);
  await api.admit({ ...authorOf(request, 'token'), target, object: body as unknown as ApiObject, dryRun }, () => {});
  const bound = ref ? await findBound(target, ref, request.user, api.registry) : {};
  const content = { account, audiences: audiences?.length ? audiences : api.tokens.audiences, seconds, bound };
  const spec = { ...body.spec, audiences: content.audiences, expirationSeconds: seconds };
  const { name, namespace } = account.metadata;
  const token = dryRun ? '' : api.tokens.issue(content);
  const status = { token, expirationTimestamp: timestamp({ now: () => api.clock.now() + seconds * 1000 }) };
  const metadata = { name, namespace, creationTimestamp: timestamp(api.clock) };
  return { code: 201, body: { kind, apiVersion: 'authentication.k8s.io/v1', metadata, spec, status } };
}

function secondsProblems(seconds: number): StatusCause[] {
  const problem =
    seconds < minimumSeconds
      ? 'may not specify a duration less than 10 minutes'
      : seconds > maximumSeconds
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  return problem ? [invalidValue('spec.expirationSeconds', seconds, problem)] : [];
}

/** The object that the token shall live and die with, and for a pod the node that it is on. */
async function findBound(
  { namespace, name: account }: Target,
  { apiVersion = 'v1', kind, name = '', uid }: { apiVersion?: string; kind?: string; name?: string; uid?: string },
  user: User,
  registry: Registry,
): Promise<Bound> {
  const plural = apiVersion === 'v1' ? { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }[kind ?? ''] : undefined;
  if (!plural) throw badRequest(`cannot bind token to object of type ${apiVersion}, Kind=${kind}`);
  const resource = findResource('', 'v1', plural) as ResourceDefinition;
  const found = await registry.get({ resource, namespace: resource.namespaced ? namespace : undefined, name });
  if (uid && uid !== found.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', plural: kind ?? '' }, name, why);
  }
  const reference = { name, uid: found.metadata.uid ?? '' };
  if (kind === 'Secret') return { secret: reference };
  if (kind === 'Node') return { node: reference };
  const { serviceAccountName = 'default', nodeName } = (found.spec ?? {}) as { serviceAccountName?: string; nodeName?: string };
  if (serviceAccountName !== account)
    throw badRequest(`cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`);
  const asking = nodeNameOf(user);
  if (asking !== undefined && asking !== nodeName) {
    const why = 'node requested token bound to a pod scheduled on a different node';
    throw forbidden({ group: '', plural: 'serviceaccounts' }, account, why);
  }
  return { pod: reference, ...(nodeName ? await nodeReference(nodeName, registry) : {}) };
}

/** A node that is not there any more is told of by its name alone. */
async function nodeReference(name: string, registry: Registry): Promise<Bound> {
  const resource = findResource('', 'v1', 'nodes') as ResourceDefinition;
  const found = await registry.storage.get(keyOf({ resource, namespace: undefined, name }));
  return { node: { name, uid: found?.metadata.uid ?? '' } };
}
