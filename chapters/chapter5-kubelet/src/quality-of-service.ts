// How firmly a pod may count on its resources, and so in which order the kernel kills when memory runs out.
// Kubernetes: pkg/apis/core/v1/helper/qos/qos.go, pkg/kubelet/qos/policy.go

import { totalmem } from 'node:os';
import type { Container, Pod } from '#kit/api';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Guaranteed: every container limits CPU and memory and requests just that. BestEffort: no container asks for any. */
export function qosClass(pod: Pod): QosClass {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  if (containers.every((container) => amounts(container).every(({ request, limit }) => request === undefined && limit === undefined))) {
    return 'BestEffort';
  }
  const guaranteed = containers.every((container) =>
    amounts(container).every(({ request, limit }) => limit !== undefined && (request ?? limit) === limit),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function amounts({ resources }: Container) {
  return ['cpu', 'memory'].map((name) => ({ request: resources?.requests?.[name], limit: resources?.limits?.[name] }));
}

/**
 * The kernel kills the highest score first. Kubernetes gives Guaranteed pods -997; an engine that itself runs in a container
 * may not set negative scores and then starts nothing at all, so ours begin at 0.
 */
export function oomScore(qos: QosClass, memoryRequestBytes: number, machineBytes: number = totalmem()): number {
  if (qos === 'Guaranteed') return 0;
  if (qos === 'BestEffort') return 1000;
  return Math.min(999, Math.max(2, Math.floor(1000 - (1000 * memoryRequestBytes) / machineBytes)));
}
