// Whether two pod templates mean the same, and a short name for what one means. The label `pod-template-hash` is what tells the
// ReplicaSets of one Deployment, and their pods, apart; it is added to copies of the template and is no part of its meaning.
// Kubernetes: pkg/controller/deployment/util/deployment_util.go EqualIgnoreHash; pkg/controller/controller_utils.go ComputeHash

import { isDeepStrictEqual } from 'node:util';
import type { PodTemplateSpec } from '#kit/api';

export const templateHashLabel = 'pod-template-hash';

/** What a hash is written with: no vowels, so no words; no characters that look alike. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The same labels, annotations and spec, whatever the order of the fields, and leaving the hash label aside. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return isDeepStrictEqual(meaningOf(a), meaningOf(b));
}

/**
 * Up to ten characters that are the same for the same template (in any order of fields) and differ for different ones, unless two
 * collide: then the next `collisionCount` gives another hash. FNV-1a, 32 bits, of the template as sorted JSON.
 */
export function templateHash(template: PodTemplateSpec, collisionCount = 0): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${sortedJson(meaningOf(template))}#${collisionCount}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return [...String(hash)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('');
}

function meaningOf({ metadata = {}, spec }: PodTemplateSpec): unknown {
  const { [templateHashLabel]: _hash, ...labels } = metadata.labels ?? {};
  return withoutNulls({ labels, annotations: metadata.annotations ?? {}, spec });
}

/** A field that is null is a field that is not there: kubectl writes `creationTimestamp: null` into templates. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutNulls(field)]));
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_name, field) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
