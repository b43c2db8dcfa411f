// …/scale: how many replicas, whatever kind of thing has them. `kubectl scale` and autoscalers need to know no kind.
// Kubernetes: pkg/registry/apps/deployment/storage/storage.go, ScaleREST

import type { Scale } from 'kubernetes-types/autoscaling/v1';
import type { LabelSelector } from '#kit/api';
import type { ApiResources } from './api-resources.ts';
import { asRecord, readJson } from './body.ts';
import { badRequest, invalid } from './errors.ts';
import type { ApiObject, Metadata, Target } from './object.ts';
import { readPatch } from './object-handlers.ts';
import { updated } from './object-meta.ts';
import { applyPatch } from './patch.ts';
import type { Answer, ApiRequest } from './server.ts';
import { writeOptions } from './write-options.ts';

const scaleType = { kind: 'Scale', apiVersion: 'autoscaling/v1' } as const;

export async function handleScale(target: Target, request: ApiRequest, { registry }: ApiResources): Promise<Answer> {
  if (request.method === 'GET') return { body: scaleOf(await registry.get(target)) };
  const wanted = await readWantedScale(target, request);
  const change = (object: ApiObject) => scaled(target, object, wanted(scaleOf(object)));
  return { body: scaleOf(await registry.update(target, change, updated, writeOptions(request, target, 'scale'))) };
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

export function scaleOf({ metadata, spec, status }: ApiObject): Scale {
  const { replicas = 0, selector } = (spec ?? {}) as { replicas?: number; selector?: LabelSelector | Record<string, string> };
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    ...scaleType,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as Metadata,
    spec: { replicas },
    status: { replicas: (status as { replicas?: number } | undefined)?.replicas ?? 0, selector: selectorText(selector) },
  };
}

function scaled({ name }: Target, object: ApiObject, { spec, metadata }: Scale): ApiObject {
  const replicas = spec?.replicas ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0) {
    const message = `Invalid value: ${JSON.stringify(replicas)}: must be a whole number, greater than or equal to 0`;
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [{ field: 'spec.replicas', reason: 'FieldValueInvalid', message }]);
  }
  const { resourceVersion = object.metadata.resourceVersion ?? '', uid = object.metadata.uid ?? '' } = metadata ?? {};
  return { ...object, metadata: { ...object.metadata, uid, resourceVersion }, spec: { ...(object.spec as object), replicas } };
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
