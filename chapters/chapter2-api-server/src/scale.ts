// …/scale: how many replicas, whatever kind of thing has them. `kubectl scale` and autoscalers need to know no kind.
// Kubernetes: pkg/registry/apps/deployment/storage/storage.go, ScaleREST

import type { Scale } from 'kubernetes-types/autoscaling/v1';
import type { LabelSelector } from '#kit/api';
import type { ApiResources } from './api-resources.ts';
import { asRecord, readJson } from './body.ts';
import { type CustomScale, readScale, withReplicas } from './custom/custom-scale.ts';
import { badRequest, invalid } from './errors.ts';
import type { ApiObject, Metadata, Target } from './object.ts';
import { readPatch } from './object-handlers.ts';
import { updated } from './object-meta.ts';
import { applyPatch } from './patch.ts';
import type { ResourceDefinition } from './resources.ts';
import type { Answer, ApiRequest } from './server.ts';
import { writeOptions } from './write-options.ts';

const scaleType = { kind: 'Scale', apiVersion: 'autoscaling/v1' } as const;

export async function handleScale(target: Target, request: ApiRequest, { registry }: ApiResources): Promise<Answer> {
  const { resource } = target;
  if (request.method === 'GET') return { body: scaleOf(await registry.get(target), resource) };
  const wanted = await readWantedScale(target, request);
  const change = (object: ApiObject) => scaled(target, object, wanted(scaleOf(object, resource)));
  return { body: scaleOf(await registry.update(target, change, updated, writeOptions(request, target, 'scale')), resource) };
}

/** From the present scale to the wanted one: PUT names it, PATCH says what changes. */
async function readWantedScale({ resource, name }: Target, request: ApiRequest): Promise<(present: Scale) => Scale> {
  if (request.method === 'PUT') {
    const scale = asRecord(await readJson(request.message, 'Scale'), 'Scale') as Scale;
    if ((scale.metadata?.name ?? name) !== name) {
      throw badRequest(`the name of the object (${scale.metadata?.name}) does not match the name on the URL (${name})`);
    }
    return () => scale;
  }
  const { mediaType, body } = await readPatch(request);
  return (present) => applyPatch(mediaType, present, body, resource) as Scale;
}

export function scaleOf(object: ApiObject, resource: ResourceDefinition): Scale {
  const { replicas, present, selector } = resource.custom?.scale ? readScale(object, resource.custom.scale) : builtInScale(object);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    ...scaleType,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as Metadata,
    spec: { ...(replicas === undefined ? {} : { replicas }) },
    status: { replicas: present, ...(selector === undefined ? {} : { selector }) },
  };
}

function builtInScale({ spec, status }: ApiObject): CustomScale {
  const { replicas = 0, selector } = (spec ?? {}) as { replicas?: number; selector?: LabelSelector | Record<string, string> };
  const { replicas: present = 0 } = (status ?? {}) as { replicas?: number };
  return { replicas, present, selector: selectorText(selector) };
}

function scaled({ name, resource }: Target, object: ApiObject, { spec, metadata }: Scale): ApiObject {
  const replicas = spec?.replicas ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0) {
    const message = `Invalid value: ${JSON.stringify(replicas)}: must be a whole number, greater than or equal to 0`;
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [{ field: 'spec.replicas', reason: 'FieldValueInvalid', message }]);
  }
  const { resourceVersion = object.metadata.resourceVersion ?? '', uid = object.metadata.uid ?? '' } = metadata ?? {};
  const identified = { ...object, metadata: { ...object.metadata, uid, resourceVersion } };
  const paths = resource.custom?.scale;
  return paths ? withReplicas(identified, paths, replicas) : { ...identified, spec: { ...(object.spec as object), replicas } };
}

/** A selector the way it is written in a URL; a replication controller's is a plain map. */
function selectorText(selector: LabelSelector | Record<string, string> = {}): string {
  const isLabelSelector = 'matchLabels' in selector || 'matchExpressions' in selector;
  const { matchLabels = {}, matchExpressions = [] } = (isLabelSelector ? selector : { matchLabels: selector }) as LabelSelector;
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return [...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`), ...expressions].join(',');
}
