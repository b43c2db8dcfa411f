// A container's environment, from all its sources. Pure: config maps, secrets and services were fetched before.
// Kubernetes: pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables

import type { EnvFromSource, EnvVar } from 'kubernetes-types/core/v1';
import type { ConfigMap, Container, Pod, Secret, Service } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { ContainerProblem } from './container-problem.ts';
import { expand } from './expansion.ts';
import { resourceField } from './resource-field.ts';
import type { EnvironmentVariable } from './runtime.ts';
import { serviceEnvironment, visibleServices } from './service-environment.ts';

export interface EnvironmentSources {
  podIp: string;
  hostIp: string;
  services: Service[];
  /** Those of the pod's namespace that it refers to and that exist, by name. */
  configMaps: ReadonlyMap<string, ConfigMap>;
  secrets: ReadonlyMap<string, Secret>;
}

/**
 * The variables in this order, a later one of the same name replacing an earlier: services', then `envFrom` in order, then `env` in
 * order. `$(NAME)` in an `env` value is expanded with the variables that come before it. Throws a ContainerProblem `CreateContainerConfigError`
 * when a config map, secret or key is missing that is not optional.
 */
export function environmentOf(pod: Pod, container: Container, sources: EnvironmentSources): EnvironmentVariable[] {
  throw new NotImplemented('5.2', 'Collect the variables of services, envFrom and env, expanding $(NAME) on the way');
}

/**
 * The value of a pod's field, as `fieldRef` names it: `metadata.name`, `metadata.namespace`, `metadata.uid`, `metadata.labels['key']`,
 * `metadata.annotations['key']` (empty text when there is none), `spec.nodeName`, `spec.serviceAccountName`, `status.podIP`, `status.podIPs`,
 * `status.hostIP`, `status.hostIPs`. The pod's own status is not written yet when its containers are made, so both addresses come from
 * `addresses`. Throws a ContainerProblem `CreateContainerConfigError` for any other path.
 */
export function fieldValue(path: string, pod: Pod, addresses: { podIp: string; hostIp: string }): string {
  throw new NotImplemented('5.2', 'Read the field that the path names');
}

/** A variable's value from elsewhere; undefined when that is optional and not there. */
function valueFrom({ valueFrom: from }: EnvVar, pod: Pod, container: Container, sources: EnvironmentSources): string | undefined {
  if (from?.fieldRef) return fieldValue(from.fieldRef.fieldPath, pod, sources);
  if (from?.resourceFieldRef) return resourceField(from.resourceFieldRef, pod, container);
  const reference = from?.configMapKeyRef ?? from?.secretKeyRef;
  if (!reference) throw configError('a variable has a valueFrom that names no source');
  const kind = from?.configMapKeyRef ? 'configmap' : 'secret';
  const name = reference.name ?? '';
  const data = kind === 'configmap' ? configMapData(sources.configMaps.get(name)) : secretData(sources.secrets.get(name));
  if (!data && !reference.optional) throw configError(`${kind} "${name}" not found`);
  const value = data?.get(reference.key);
  if (value === undefined && !reference.optional) {
    const kindName = kind === 'configmap' ? 'ConfigMap' : 'Secret';
    throw configError(`couldn't find key ${reference.key} in ${kindName} ${pod.metadata?.namespace}/${name}`);
  }
  return value;
}

/** All of a config map's or secret's entries. */
function dataOf({ configMapRef, secretRef }: EnvFromSource, pod: Pod, sources: EnvironmentSources): ReadonlyMap<string, string> {
  const name = configMapRef?.name ?? secretRef?.name ?? '';
  const data = configMapRef ? configMapData(sources.configMaps.get(name)) : secretData(sources.secrets.get(name));
  if (data) return data;
  if (configMapRef?.optional || secretRef?.optional) return new Map();
  throw configError(`${configMapRef ? 'configmap' : 'secret'} "${name}" not found in namespace "${pod.metadata?.namespace}"`);
}

function configMapData(configMap: ConfigMap | undefined): ReadonlyMap<string, string> | undefined {
  return configMap && new Map(Object.entries(configMap.data ?? {}));
}

function secretData(secret: Secret | undefined): ReadonlyMap<string, string> | undefined {
  const decoded = Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')] as const);
  return secret && new Map(decoded);
}

function configError(message: string): ContainerProblem {
  return new ContainerProblem('CreateContainerConfigError', message);
}
