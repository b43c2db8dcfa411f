// The filters: each looks at one pod and one node and says what speaks against it, in Kubernetes' own words. They are asked in
// Kubernetes' order, and the first that objects has the word: one node gives one filter's reasons.
// Kubernetes: pkg/scheduler/framework/plugins/{nodeunschedulable,tainttoleration,nodeaffinity,noderesources}

import type { Pod } from '#kit/api';
import { nodeResourcesFit } from './fits.ts';
import { matchesNodeAffinity } from './node-affinity.ts';
import type { NodeState } from './node-state.ts';

/** None when the pod may go to the node. */
export type Filter = (pod: Pod, node: NodeState) => string[];

const filters: readonly Filter[] = [nodeUnschedulable, taintToleration, nodeAffinity, nodeResourcesFit];

/** Why the pod can't go to the node: the reasons of the first filter that has any; none when it can. */
export function whyNot(pod: Pod, node: NodeState): string[] {
  for (const filter of filters) {
    const reasons = filter(pod, node);
    if (reasons.length > 0) return reasons;
  }
  return [];
}

interface Taint {
  key: string;
  value?: string;
  effect: string;
}

/** A cordoned node, unless the pod tolerates the taint that stands for it, as DaemonSet pods do. */
function nodeUnschedulable(pod: Pod, { node }: NodeState): string[] {
  const cordoned = node?.spec?.unschedulable && !tolerates(pod, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
  return cordoned ? ['node(s) were unschedulable'] : [];
}

function taintToleration(pod: Pod, { node }: NodeState): string[] {
  const taints = [...(node?.spec?.taints ?? []), ...readinessTaint(node)];
  const untolerated = taints.find((taint) => ['NoSchedule', 'NoExecute'].includes(taint.effect) && !tolerates(pod, taint));
  return untolerated ? [`node(s) had untolerated taint {${untolerated.key}: ${untolerated.value ?? ''}}`] : [];
}

/** The controller manager taints nodes that are not ready. It may not have come to it yet, so the condition itself counts as well. */
function readinessTaint(node: NodeState['node']): Taint[] {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'False';
  if (ready === 'True') return [];
  return [{ key: `node.kubernetes.io/${ready === 'Unknown' ? 'unreachable' : 'not-ready'}`, effect: 'NoSchedule' }];
}

// Kubernetes: staging/src/k8s.io/api/core/v1/toleration.go (ToleratesTaint)
function tolerates(pod: Pod, taint: Taint): boolean {
  return (pod.spec?.tolerations ?? []).some(
    ({ key = '', operator = 'Equal', value = '', effect = '' }) =>
      (effect === '' || effect === taint.effect) &&
      (key === '' ? operator === 'Exists' : key === taint.key) &&
      (operator === 'Exists' || value === (taint.value ?? '')),
  );
}

function nodeAffinity(pod: Pod, { node }: NodeState): string[] {
  return node && matchesNodeAffinity(pod, node) ? [] : ["node(s) didn't match Pod's node affinity/selector"];
}
