// Columns of what runs: pods, and the kinds that make pods.

import type { DaemonSet, StatefulSet } from 'kubernetes-types/apps/v1';
import type { HorizontalPodAutoscaler, MetricSpec } from 'kubernetes-types/autoscaling/v2';
import type { CronJob, Job } from 'kubernetes-types/batch/v1';
import type { PodTemplate } from 'kubernetes-types/core/v1';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1';
import type { Deployment, Pod, ReplicaSet, ReplicationController } from '#kit/api';
import type { Clock } from '#kit/clock';
import { age, blank, type ColumnsOfKind, containersAndImages, count, kind, labels, name, none, selector, text, wide } from './column.ts';
import { humanDuration, since } from './duration.ts';
import { podReadiness, podRestarts, podStatus } from './pod-status.ts';

const podColumns = kind<Pod>(
  '/pods',
  name,
  text('Ready', (pod) => {
    const { ready, total } = podReadiness(pod);
    return `${ready}/${total}`;
  }),
  text('Status', podStatus),
  text('Restarts', (pod, clock) => {
    const { count, last } = podRestarts(pod);
    return count > 0 && last ? `${count} (${since(last, clock)} ago)` : `${count}`;
  }),
  age,
  wide(text('IP', ({ status }) => status?.podIP)),
  wide(text('Node', ({ spec }) => spec?.nodeName)),
  wide(text('Nominated Node', ({ status }) => status?.nominatedNodeName)),
  wide(text('Readiness Gates', readinessGates)),
);

function readinessGates({ spec, status }: Pod): string {
  const gates = (spec?.readinessGates ?? []).map(({ conditionType }) => conditionType);
  const open = (status?.conditions ?? []).filter(({ type, status }) => gates.includes(type) && status === 'True');
  return gates.length > 0 ? `${open.length}/${gates.length}` : '';
}

const deploymentColumns = kind<Deployment>(
  'apps/deployments',
  name,
  text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
  count('Up-to-date', ({ status }) => status?.updatedReplicas),
  count('Available', ({ status }) => status?.availableReplicas),
  age,
  ...containersAndImages<Deployment>(({ spec }) => spec?.template),
  wide(text('Selector', ({ spec }) => selector(spec?.selector))),
);

function replicaColumns(groupAndPlural: string, selectorOf: (object: ReplicaSet | ReplicationController) => string): ColumnsOfKind {
  return kind<ReplicaSet | ReplicationController>(
    groupAndPlural,
    name,
    count('Desired', ({ spec }) => spec?.replicas),
    count('Current', ({ status }) => status?.replicas),
    count('Ready', ({ status }) => status?.readyReplicas),
    age,
    ...containersAndImages<ReplicaSet | ReplicationController>(({ spec }) => spec?.template),
    wide(text('Selector', selectorOf)),
  );
}

const statefulSetColumns = kind<StatefulSet>(
  'apps/statefulsets',
  name,
  text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
  age,
  ...containersAndImages<StatefulSet>(({ spec }) => spec?.template),
);

const daemonSetColumns = kind<DaemonSet>(
  'apps/daemonsets',
  name,
  count('Desired', ({ status }) => status?.desiredNumberScheduled),
  count('Current', ({ status }) => status?.currentNumberScheduled),
  count('Ready', ({ status }) => status?.numberReady),
  count('Up-to-date', ({ status }) => status?.updatedNumberScheduled),
  count('Available', ({ status }) => status?.numberAvailable),
  text('Node Selector', ({ spec }) => labels(spec?.template.spec?.nodeSelector)),
  age,
  ...containersAndImages<DaemonSet>(({ spec }) => spec?.template),
  wide(text('Selector', ({ spec }) => selector(spec?.selector))),
);

const jobColumns = kind<Job>(
  'batch/jobs',
  name,
  text('Status', jobStatus),
  text('Completions', jobCompletions),
  blank('Duration', jobDuration),
  age,
  ...containersAndImages<Job>(({ spec }) => spec?.template),
  wide(text('Selector', ({ spec }) => selector(spec?.selector))),
);

function jobStatus({ metadata, status }: Job): string {
  const holds = (type: string) => (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (metadata?.deletionTimestamp) return 'Terminating';
  if (holds('Suspended')) return 'Suspended';
  if (holds('FailureTarget')) return 'FailureTarget';
  return holds('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function jobCompletions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration({ status }: Job, clock: Clock): string {
  const { startTime, completionTime } = status ?? {};
  if (!startTime) return '';
  const end = completionTime ? Date.parse(completionTime) : clock.now();
  return humanDuration(end - Date.parse(startTime));
}

const cronJobColumns = kind<CronJob>(
  'batch/cronjobs',
  name,
  text('Schedule', ({ spec }) => spec?.schedule),
  text('Timezone', ({ spec }) => spec?.timeZone),
  text('Suspend', ({ spec }) => (spec?.suspend ? 'True' : 'False')),
  count('Active', ({ status }) => status?.active?.length),
  text('Last Schedule', ({ status }, clock) => (status?.lastScheduleTime ? since(status.lastScheduleTime, clock) : none)),
  age,
  ...containersAndImages<CronJob>(({ spec }) => spec?.jobTemplate.spec?.template),
  wide(text('Selector', ({ spec }) => selector(spec?.jobTemplate.spec?.selector))),
);

const autoscalerColumns = kind<HorizontalPodAutoscaler>(
  'autoscaling/horizontalpodautoscalers',
  name,
  text('Reference', ({ spec }) => spec?.scaleTargetRef && `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`),
  text('Targets', autoscalerTargets),
  text('MinPods', ({ spec }) => `${spec?.minReplicas ?? '<unset>'}`),
  count('MaxPods', ({ spec }) => spec?.maxReplicas),
  count('Replicas', ({ status }) => status?.currentReplicas),
  age,
);

/** `cpu: 12%/80%, memory: <unknown>/200Mi` */
function autoscalerTargets({ spec, status }: HorizontalPodAutoscaler): string {
  const amount = (value: { averageUtilization?: number; averageValue?: string; value?: string } | undefined) =>
    value?.averageUtilization !== undefined ? `${value.averageUtilization}%` : (value?.averageValue ?? value?.value ?? '<unknown>');
  const target = (metric: MetricSpec, index: number) => {
    const current = status?.currentMetrics?.[index];
    const wanted = metric.resource ?? metric.pods ?? metric.object ?? metric.external ?? metric.containerResource;
    const seen = current?.resource ?? current?.pods ?? current?.object ?? current?.external ?? current?.containerResource;
    return `${metric.resource ? `${metric.resource.name}: ` : ''}${amount(seen?.current)}/${amount(wanted?.target)}`;
  };
  return (spec?.metrics ?? []).map(target).join(', ');
}

const disruptionBudgetColumns = kind<PodDisruptionBudget>(
  'policy/poddisruptionbudgets',
  name,
  text('Min Available', ({ spec }) => spec?.minAvailable ?? 'N/A'),
  text('Max Unavailable', ({ spec }) => spec?.maxUnavailable ?? 'N/A'),
  count('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed),
  age,
);

const podTemplateColumns = kind<PodTemplate>(
  '/podtemplates',
  name,
  text('Containers', ({ template }) => template?.spec?.containers.map(({ name }) => name).join(',')),
  text('Images', ({ template }) => template?.spec?.containers.map(({ image }) => image).join(',')),
  text('Pod Labels', ({ template }) => labels(template?.metadata?.labels)),
);

export const workloadColumns: ColumnsOfKind[] = [
  podColumns,
  deploymentColumns,
  replicaColumns('apps/replicasets', ({ spec }) => selector((spec as ReplicaSet['spec'])?.selector)),
  replicaColumns('/replicationcontrollers', ({ spec }) => labels((spec as ReplicationController['spec'])?.selector)),
  statefulSetColumns,
  daemonSetColumns,
  jobColumns,
  cronJobColumns,
  autoscalerColumns,
  disruptionBudgetColumns,
  podTemplateColumns,
];
