// What an object costs where there is a ResourceQuota. The API server charges it when the object is made; a controller counts it all
// again when something is gone. Both must count alike, so both count with this.
// Kubernetes: pkg/quota/v1/evaluator/core

import type { PersistentVolumeClaim, ResourceQuotaSpec, Service } from 'kubernetes-types/core/v1';
import type { KubernetesObject, Pod } from './api.ts';
import { podResources } from './pod-resources.ts';
import { amountOf, type ResourceList } from './resource-list.ts';

/** Where an object lives: its API group and the plural of its kind. */
export interface Counted {
  group: string;
  plural: string;
}

/** These are counted under their plain name, too. */
const plainNames = ['configmaps', 'persistentvolumeclaims', 'pods', 'replicationcontrollers', 'resourcequotas', 'secrets', 'services'];
const computed = ['cpu', 'memory', 'ephemeral-storage'];

/** `{ pods: '1', 'requests.cpu': '500m', … }`: everything that a quota could name. */
export function usageOf({ group, plural }: Counted, object: KubernetesObject): ResourceList {
  const counted = { [`count/${plural}${group && `.${group}`}`]: '1' };
  if (group !== '' || !plainNames.includes(plural)) return counted;
  if (plural === 'pods') return { ...counted, ...podUsage(object as Pod) };
  const named = { ...counted, [plural]: '1' };
  if (plural === 'services') return { ...named, ...serviceUsage(object as Service) };
  if (plural === 'persistentvolumeclaims') return { ...named, ...claimUsage(object as PersistentVolumeClaim) };
  return named;
}

/** A pod that has ended holds nothing any more; it is only still there to be looked at. */
function podUsage(pod: Pod): ResourceList {
  if (hasEnded(pod) || !pod.spec) return {};
  const lists = { requests: podResources(pod.spec, 'requests'), limits: podResources(pod.spec, 'limits') };
  const usage: ResourceList = { pods: '1' };
  for (const what of ['requests', 'limits'] as const) {
    for (const [name, amount] of Object.entries(lists[what])) usage[`${what}.${name}`] = amount;
  }
  // The old names of what is requested.
  for (const name of computed) if (lists.requests[name]) usage[name] = lists.requests[name];
  return usage;
}

export function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function serviceUsage({ spec }: Service): ResourceList {
  const ports = String(spec?.ports?.length ?? 0);
  if (spec?.type === 'NodePort') return { 'services.nodeports': ports };
  if (spec?.type !== 'LoadBalancer') return {};
  return { 'services.loadbalancers': '1', ...(spec.allocateLoadBalancerNodePorts === false ? {} : { 'services.nodeports': ports }) };
}

function claimUsage({ spec }: PersistentVolumeClaim): ResourceList {
  const storage = spec?.resources?.requests?.storage;
  return storage ? { 'requests.storage': storage } : {};
}

/**
 * The containers that leave out what a quota with these names must know: `limits.cpu for: web; requests.cpu for: init,web`. Empty when
 * nothing is missing.
 */
export function missingFor(names: readonly string[], { group, plural }: Counted, object: KubernetesObject): string {
  if (group !== '' || plural !== 'pods') return '';
  const { containers = [], initContainers = [] } = (object as Pod).spec ?? { containers: [] };
  const all = [...containers, ...initContainers];
  return [...names]
    .sort()
    .flatMap((name) => {
      const [what, resource] = computed.includes(name) ? (['requests', name] as const) : splitBound(name);
      if (!what || !computed.includes(resource)) return [];
      const without = all.filter(({ resources }) => resources?.[what]?.[resource] === undefined).map((container) => container.name);
      return without.length > 0 ? [`${name} for: ${without.sort().join(',')}`] : [];
    })
    .join('; ');
}

function splitBound(name: string): ['requests' | 'limits' | undefined, string] {
  const [what = '', ...rest] = name.split('.');
  return [what === 'requests' || what === 'limits' ? what : undefined, rest.join('.')];
}

/** Whether the quota is about this object at all: its scopes choose among pods. */
export function concerns({ scopes = [], scopeSelector }: ResourceQuotaSpec, { group, plural }: Counted, object: KubernetesObject): boolean {
  const wanted = [
    ...scopes.map((scopeName) => ({ scopeName, operator: 'Exists', values: [] as string[] })),
    ...(scopeSelector?.matchExpressions ?? []),
  ];
  if (wanted.length === 0) return true;
  if (group !== '' || plural !== 'pods') return false;
  return wanted.every(({ scopeName, operator, values = [] }) => isInScope(object as Pod, scopeName, operator, values));
}

function isInScope({ spec }: Pod, scope: string, operator: string, values: readonly string[]): boolean {
  switch (scope) {
    case 'Terminating':
      return (spec?.activeDeadlineSeconds ?? -1) >= 0;
    case 'NotTerminating':
      return (spec?.activeDeadlineSeconds ?? -1) < 0;
    case 'BestEffort':
      return isBestEffort(spec);
    case 'NotBestEffort':
      return !isBestEffort(spec);
    case 'PriorityClass':
      return matches(spec?.priorityClassName ?? '', operator, values);
    default:
      return false;
  }
}

function isBestEffort(spec: Pod['spec']): boolean {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ resources }) => resources ?? {});
  return all.every(({ requests, limits }) =>
    ['cpu', 'memory'].every((name) => amountOf(requests, name) === 0n && amountOf(limits, name) === 0n),
  );
}

function matches(value: string, operator: string, values: readonly string[]): boolean {
  if (operator === 'Exists') return value !== '';
  if (operator === 'DoesNotExist') return value === '';
  return values.includes(value) === (operator === 'In');
}
