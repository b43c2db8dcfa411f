// Ephemeral containers: added to a pod that runs already, to look into it (`kubectl debug`). They come through a door of their own, and
// stay: none is ever changed or taken out again, and none is restarted.
// Kubernetes: pkg/apis/core/validation/validation.go, validateEphemeralContainers, ValidatePodEphemeralContainersUpdate

import type { EphemeralContainer, PodSpec } from 'kubernetes-types/core/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { equalJson } from '../json.ts';
import type { ApiObject } from '../object.ts';
import { validateContainer } from './container-validation.ts';
import { duplicateValue, forbiddenField, unknownValue } from './field-errors.ts';
import { setContainerDefaults } from './pod-defaults.ts';

const field = 'spec.ephemeralContainers';
/** What belongs to the pod's work, which these have no part in. */
const notForThem = ['lifecycle', 'livenessProbe', 'ports', 'readinessProbe', 'resizePolicy', 'restartPolicy', 'startupProbe'] as const;

/** Through /ephemeralcontainers nothing else of the pod changes. */
export function ephemeralContainersUpdated(old: ApiObject, wanted: ApiObject): ApiObject {
  const ephemeralContainers = structuredClone(specOf(wanted).ephemeralContainers ?? []);
  const known = new Set(specOf(old).ephemeralContainers?.map(({ name }) => name));
  for (const container of ephemeralContainers) if (!known.has(container.name)) setEphemeralDefaults(container);
  return { ...old, spec: { ...specOf(old), ephemeralContainers } };
}

/** They have no resources of their own: the field stays away. */
function setEphemeralDefaults(container: EphemeralContainer): void {
  const { resources } = container;
  setContainerDefaults(container);
  if (resources) container.resources = resources;
  else delete container.resources;
}

/** What is wrong with the change from `old` to `spec`. */
export function validateEphemeralContainers(spec: PodSpec, old: PodSpec): StatusCause[] {
  const wanted = spec.ephemeralContainers ?? [];
  const others = [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name);
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  return [
    ...wanted.flatMap((container, index) => {
      const at = `${field}[${index}]`;
      const { name, targetContainerName, resources } = container;
      const isTaken = others.includes(name) || wanted.slice(0, index).some((other) => other.name === name);
      const forbidden = [...notForThem.filter((key) => container[key] !== undefined), ...(isEmpty(resources) ? [] : ['resources'])];
      return [
        ...validateContainer(container, at, volumes),
        ...(isTaken ? [duplicateValue(`${at}.name`, name)] : []),
        ...(targetContainerName && !others.includes(targetContainerName)
          ? [unknownValue(`${at}.targetContainerName`, targetContainerName)]
          : []),
        ...forbidden.map((key) => forbiddenField(`${at}.${key}`, 'cannot be set for an Ephemeral Container')),
      ];
    }),
    ...(old.ephemeralContainers ?? []).flatMap((before) => changed(before, wanted)),
  ];
}

function changed(before: EphemeralContainer, wanted: EphemeralContainer[]): StatusCause[] {
  const now = wanted.find(({ name }) => name === before.name);
  if (now && equalJson(now, before)) return [];
  const name = JSON.stringify(before.name);
  return [forbiddenField(field, `existing ephemeral containers ${name} may not be ${now ? 'changed' : 'removed'}`)];
}

function isEmpty(value: object | undefined): boolean {
  return Object.keys(value ?? {}).length === 0;
}

function specOf(object: ApiObject): PodSpec {
  return object.spec as PodSpec;
}
