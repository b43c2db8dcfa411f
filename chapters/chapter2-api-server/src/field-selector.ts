// Field selectors: `spec.nodeName=node-1,status.phase!=Running`. Unlike labels, only a few fields can be selected by: each
// is a promise that the server must keep for every client, so the list is short.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/fields/selector.go; the fields: each kind's ToSelectableFields

import { NotImplemented } from '#kit/not-implemented';
import type { ApiError } from '#kit/status';
import { badRequest } from './errors.ts';
import { isObject } from './json.ts';
import type { ApiObject } from './object.ts';
import type { ResourceDefinition } from './resources.ts';

export interface FieldTerm {
  /** `status.phase` */
  field: string;
  value: string;
  equal: boolean;
}

const selectableFields: Record<string, string[]> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  // Selection is by the stored form: those that are called the same in both.
  'events.events.k8s.io': ['reason', 'type'],
  'certificatesigningrequests.certificates.k8s.io': ['spec.signerName'],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  replicationcontrollers: ['status.replicas'],
  'replicasets.apps': ['status.replicas'],
  'jobs.batch': ['status.successful'],
};

const everywhere = ['metadata.name', 'metadata.namespace'];

/** The fields that objects of a resource can be selected by. */
export function selectableFieldsOf({ group, plural, custom }: ResourceDefinition): string[] {
  return [...everywhere, ...(custom?.selectableFields ?? selectableFields[group ? `${plural}.${group}` : plural] ?? [])];
}

/** 400. A kind with fields of its own and one without are refused in words of their own. */
function unknownField(field: string, selectable: string[]): ApiError {
  if (selectable.length > everywhere.length) return badRequest(`field label not supported: ${field}`);
  return badRequest(
    `${JSON.stringify(field)} is not a known field selector: only ${everywhere.map((name) => JSON.stringify(name)).join(', ')}`,
  );
}

/**
 * Reads a selector: `field=value`, `field==value` and `field!=value`, separated by commas; an empty text has no terms.
 * Throws BadRequest for anything else, and `unknownField` for a field that is not selectable.
 */
export function parseFieldSelector(text: string, resource: ResourceDefinition): FieldTerm[] {
  throw new NotImplemented('2.2', 'Parse a field selector into its terms, and refuse fields that cannot be selected by');
}

/** Whether an object satisfies every term. A field that is absent counts as empty (`false`, for one that is true or false). */
export function matchesFields(terms: FieldTerm[], object: ApiObject): boolean {
  throw new NotImplemented('2.2', "Tell whether an object's fields satisfy every term of a selector");
}

const booleanFields = ['spec.unschedulable', 'spec.hostNetwork'];

/** A thousand kubelets watch by their node's name: each path is taken apart once. There are few, for only some fields can be selected. */
const taken = new Map<string, string[]>();

function stepsOf(path: string): string[] {
  const steps = taken.get(path) ?? path.split('.');
  taken.set(path, steps);
  return steps;
}

/** The field's value as text, whatever its type; `source` of an event is the component's name. */
function fieldOf(object: ApiObject, field: string): string {
  const path = object.kind === 'Event' && field === 'source' ? 'source.component' : field;
  let value: unknown = object;
  for (const step of stepsOf(path)) value = isObject(value) ? value[step] : undefined;
  if (value === undefined || value === null) return booleanFields.includes(field) ? 'false' : '';
  return String(value);
}
