// Readiness gates: conditions that somebody else must call True before a pod is Ready, whatever its containers say. A load balancer says so
// when it knows the pod, for example.
// Kubernetes: pkg/kubelet/status/generate.go, GeneratePodReadyCondition

import type { PodStatus } from 'kubernetes-types/core/v1';
import type { Pod, PodCondition } from '#kit/api';
import { rfc3339 } from './container-status.ts';

/** The status, but not Ready as long as a gate is closed. `previous` tells since when it has not been Ready. */
export function behindGates(pod: Pod, status: PodStatus, previous: PodStatus | undefined, now: number): PodStatus {
  const message = closedGates(pod);
  if (!message) return status;
  const before = previous?.conditions?.find(({ type }) => type === 'Ready');
  const lastTransitionTime = (before?.status === 'False' && before.lastTransitionTime) || rfc3339(now);
  const closed = { type: 'Ready', status: 'False', lastTransitionTime, reason: 'ReadinessGatesNotReady', message };
  const conditions = status.conditions?.map((condition) => (isTrue(condition) && condition.type === 'Ready' ? closed : condition));
  return { ...status, ...(conditions ? { conditions } : {}) };
}

/** Which gates are not open, and why; '' when all are. */
export function closedGates({ spec, status }: Pod): string {
  const problems = (spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = status?.conditions?.find(({ type }) => type === conditionType);
    if (!condition) return `corresponding condition of pod readiness gate ${JSON.stringify(conditionType)} does not exist.`;
    if (isTrue(condition)) return [];
    return `the status of pod readiness gate ${JSON.stringify(conditionType)} is not "True", but ${condition.status}`;
  });
  return problems.join(', ');
}

function isTrue({ status }: PodCondition): boolean {
  return status === 'True';
}
