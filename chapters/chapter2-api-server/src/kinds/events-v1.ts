// events.k8s.io/v1's Event, the words that newer components use. It is stored as core's, with which it shares every field but some names:
// what happened to is `regarding`, what is said is `note`, and what core knew first is `deprecated…`.
// Kubernetes: pkg/apis/events/v1/conversion.go

import type { Event as Core } from 'kubernetes-types/core/v1';
import type { Event as V1 } from 'kubernetes-types/events/v1';
import type { Conversion } from '../conversion.ts';
import type { ApiObject } from '../object.ts';

/** What events.k8s.io calls it, and what core does. */
const names: [served: keyof V1, stored: keyof Core][] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];
const servedNames = new Map<string, string>(names.map(([served, stored]) => [stored, served]));
const storedNames = new Map<string, string>(names);

export const eventsV1: Conversion = {
  storedGroup: '',
  storedVersion: 'v1',
  toServed: (stored) => ({ ...renamed(stored, servedNames), apiVersion: 'events.k8s.io/v1' }),
  toStored: (served) => ({ ...renamed(served, storedNames), apiVersion: 'v1' }),
};

function renamed(object: ApiObject, words: Map<string, string>): ApiObject {
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [words.get(field) ?? field, value])) as unknown as ApiObject;
}
