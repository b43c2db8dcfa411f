// metadata: what the server writes there, and what nobody can change once it is written.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/registry/rest/create.go and update.go

import { type Clock, type Random, timestamp } from '#kit/clock';
import { equalJson } from './json.ts';
import type { ApiObject, Metadata } from './object.ts';
import type { ResourceDefinition } from './resources.ts';

/**
 * The object as it is born: with a uid that no other object ever had or will have, a creationTimestamp, generation 1 where
 * there is a spec, and without what only the server may say (resourceVersion, generation, deletionTimestamp,
 * deletionGracePeriodSeconds).
 *
 * @exercise 2.1 Return a copy with uid, creationTimestamp and generation set, and the server's own other fields removed
 */
export function newborn(object: ApiObject, { clock, random }: { clock: Clock; random: Random }): ApiObject {
  const { resourceVersion, deletionTimestamp, deletionGracePeriodSeconds, generation, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      uid: uuid(random),
      creationTimestamp: timestamp(clock),
      ...(object.spec ? { generation: 1 } : {}),
    },
  };
}

/** Of these nobody asks which wish they follow: the strategies of their kinds don't count. */
const notCounted = new Set([
  ...['/Pod', '/Service', '/Node', '/Namespace', '/LimitRange', '/ResourceQuota', '/PersistentVolume', '/PersistentVolumeClaim'],
  ...['autoscaling/HorizontalPodAutoscaler', 'certificates.k8s.io/CertificateSigningRequest', 'coordination.k8s.io/Lease'],
  ...['storage.k8s.io/CSIDriver', 'storage.k8s.io/CSINode', 'storage.k8s.io/VolumeAttachment'],
]);

export function countsGenerations({ group, kind }: ResourceDefinition): boolean {
  return !notCounted.has(`${group}/${kind}`);
}

/**
 * The object that an update leads to: what the author `wanted`, with all that an update cannot touch kept from `old`:
 * uid, creationTimestamp, generation and the deletion's fields; the status, where the resource has a status subresource.
 * The generation counts the changes of what was *wanted*: where there is one,
 * it goes up by one when anything but metadata and status differs.
 *
 * @exercise 2.3 Keep what an update must not change, and count the generation
 */
export function updated(old: ApiObject, wanted: ApiObject, resource: ResourceDefinition): ApiObject {
  const { status, ...rest } = wanted;
  const next: ApiObject = { ...rest, metadata: keepIdentity(old, wanted) };
  const theirStatus = resource.subresources.includes('status') ? old.status : status;
  if (theirStatus !== undefined) next.status = theirStatus;
  if (!equalJson(wish(old), wish(next)) && old.metadata.generation !== undefined) next.metadata.generation = old.metadata.generation + 1;
  return next;
}

/**
 * The object that an update through `/status` leads to: `old`, with the wanted status, and with the metadata that its author may write beside it
 * (`metadataBesideStatus`: a Deployment's controller notes the revision there).
 *
 * @exercise 2.3 Take the status and the metadata beside it, and leave everything else as it was
 */
export function statusUpdated(old: ApiObject, wanted: ApiObject, resource: ResourceDefinition): ApiObject {
  const { status, ...rest } = old;
  const next = { ...rest, metadata: metadataBesideStatus(old, wanted, resource) };
  return wanted.status === undefined ? (next as ApiObject) : ({ ...next, status: wanted.status } as ApiObject);
}

/** Kinds whose status's author may not touch the metadata; it was allowed for all until that was seen to be a mistake. */
const metadataIsNotStatus = new Set([
  ...['apiregistration.k8s.io/APIService', 'admissionregistration.k8s.io/ValidatingAdmissionPolicy', 'storage.k8s.io/VolumeAttachment'],
  ...['flowcontrol.apiserver.k8s.io/FlowSchema', 'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration'],
]);

/** Kubernetes: the PrepareForUpdate of every kind's status strategy, and ResetObjectMetaForStatus in apimachinery */
function metadataBesideStatus(old: ApiObject, wanted: ApiObject, { group, kind, custom }: ResourceDefinition): Metadata {
  const { managedFields } = wanted.metadata;
  if (custom || metadataIsNotStatus.has(`${group}/${kind}`)) return { ...old.metadata, ...(managedFields && { managedFields }) };
  const metadata = keepIdentity(old, wanted);
  if (kind === 'Deployment') return withKept(metadata, old, 'labels');
  return kind === 'Pod' ? withKept(metadata, old, 'ownerReferences') : metadata;
}

function withKept(metadata: Metadata, old: ApiObject, field: 'labels' | 'ownerReferences'): Metadata {
  const { [field]: _, ...others } = metadata;
  return old.metadata[field] === undefined ? others : { ...others, [field]: old.metadata[field] };
}

/** Everything that says what the author wants: not who the object is, and not how it is doing. */
function wish({ apiVersion, metadata, status, ...rest }: ApiObject): object {
  return rest;
}

function keepIdentity(old: ApiObject, wanted: ApiObject): Metadata {
  const { generation, deletionTimestamp, deletionGracePeriodSeconds, ...theirs } = wanted.metadata;
  const { uid, creationTimestamp, resourceVersion } = old.metadata;
  const kept = {
    uid,
    creationTimestamp,
    resourceVersion,
    generation: old.metadata.generation,
    deletionTimestamp: old.metadata.deletionTimestamp,
    deletionGracePeriodSeconds: old.metadata.deletionGracePeriodSeconds,
  };
  return { ...theirs, ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) };
}

/** Without lists and maps that are empty: they say no more than absent ones. Kubernetes: `omitempty` in ObjectMeta */
export function withoutEmpty(object: ApiObject): ApiObject {
  const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  const entries = Object.entries(object.metadata);
  if (!entries.some(([, value]) => isEmpty(value))) return object;
  return { ...object, metadata: Object.fromEntries(entries.filter(([, value]) => !isEmpty(value))) };
}

/** RFC 9562, version 4, from the given randomness. */
export function uuid(random: Random): string {
  const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
