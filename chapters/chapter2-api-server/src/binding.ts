// POST pods/<name>/binding: gives a pod to a node, once. Two schedulers cannot both: the second one gets a Conflict.
// Kubernetes: pkg/registry/core/pod/storage/storage.go, BindingREST

import type { Binding } from 'kubernetes-types/core/v1';
import type { Pod } from '#kit/api';
import { type Clock, timestamp } from '#kit/clock';
import type { ApiResources } from './api-resources.ts';
import { asRecord, readJson } from './body.ts';
import { badRequest, conflict, invalid } from './errors.ts';
import type { ApiObject, Target } from './object.ts';
import { checkPreconditions } from './registry.ts';
import type { Answer, ApiRequest } from './server.ts';
import { writeOptions } from './write-options.ts';

export async function bind(target: Target, request: ApiRequest, { registry, clock }: ApiResources): Promise<Answer> {
  const binding = asRecord(await readJson(request.message, 'Binding'), 'Binding') as unknown as Binding;
  if (binding.metadata?.name !== target.name) throw badRequest('name in URL does not match name in Binding object');
  const nodeName = binding.target?.name;
  if (!nodeName) {
    const cause = { field: 'target.name', reason: 'FieldValueRequired', message: 'Required value' };
    throw invalid({ group: '', kind: 'Binding' }, target.name, [cause]);
  }
  const change = (pod: ApiObject) => {
    const { uid, resourceVersion } = binding.metadata ?? {};
    checkPreconditions(target, pod, { preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) } });
    return bound(pod, nodeName, target, clock);
  };
  await registry.update(target, change, (_, wanted) => wanted, writeOptions(request, target, 'binding'));
  return { code: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}

/** The pod on its node, and the condition that says so. */
function bound(object: ApiObject, nodeName: string, { resource, name }: Target, clock: Clock): ApiObject {
  const pod = object as Pod;
  const refuse = (why: string) => conflict({ group: resource.group, plural: 'pods/binding' }, name, why);
  if (pod.metadata?.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec?.nodeName) throw refuse(`pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  const others = pod.status?.conditions?.filter(({ type }) => type !== 'PodScheduled') ?? [];
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(clock) };
  return { ...object, spec: { ...pod.spec, nodeName }, status: { ...pod.status, conditions: [...others, scheduled] } };
}
