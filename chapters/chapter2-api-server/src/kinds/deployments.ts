// The workloads that keep pods running: Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet.
// Kubernetes: pkg/apis/apps/v1/defaults.go and pkg/apis/apps/validation/validation.go

import type { DaemonSet, Deployment, ReplicaSet, StatefulSet, StatefulSetSpec } from 'kubernetes-types/apps/v1';
import type { PodTemplateSpec, ReplicationController } from 'kubernetes-types/core/v1';
import type { LabelSelector, StatusCause } from 'kubernetes-types/meta/v1';
import { forbiddenField, immutable, invalidValue } from './field-errors.ts';
import { setPodSpecDefaults } from './pod-defaults.ts';
import { notNegative, oneOf, validateTemplate } from './pod-validation.ts';
import type { KindStrategy } from './strategy.ts';

export const deployments: KindStrategy<Deployment> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    spec.strategy ??= {};
    spec.strategy.type ??= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate')
      spec.strategy.rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...spec.strategy.rollingUpdate };
    setTemplateDefaults(spec.template);
  },

  validate({ spec }, old) {
    const { type, rollingUpdate } = spec?.strategy ?? {};
    const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
    const standsStill = isNone(maxUnavailable) && isNone(maxSurge);
    return [
      ...validateWorkload(spec, old?.spec),
      ...oneOf('spec.strategy.type', type, ['Recreate', 'RollingUpdate']),
      ...(type === 'Recreate' && rollingUpdate
        ? [forbiddenField('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'")]
        : []),
      ...(rollingUpdate && standsStill
        ? [invalidValue('spec.strategy.rollingUpdate.maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
        : []),
      ...(spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)
        ? [invalidValue('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds')]
        : []),
    ];
  },

  async prepareForCreate(deployment) {
    Object.assign(deployment, { status: {} });
  },
};

export const replicaSets: KindStrategy<ReplicaSet> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    setTemplateDefaults(spec.template);
  },

  validate: ({ spec }, old) => validateWorkload(spec, old?.spec),

  async prepareForCreate(replicaSet) {
    Object.assign(replicaSet, { status: { replicas: 0 } });
  },
};

/** The ReplicaSet's older brother: its selector is a plain map, taken from the template when it is absent, and may change. */
export const replicationControllers: KindStrategy<ReplicationController> = {
  setDefaults({ metadata, spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    const labels = spec.template?.metadata?.labels;
    if (labels && Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (labels && metadata && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    setTemplateDefaults(spec.template);
  },

  validate({ spec }) {
    const selector = spec?.selector;
    return [
      ...notNegative('spec.replicas', spec?.replicas),
      ...validateTemplate(
        { ...(selector ? { selector: { matchLabels: selector } } : {}), ...(spec?.template ? { template: spec.template } : {}) },
        'spec',
      ),
    ];
  },

  async prepareForCreate(controller) {
    Object.assign(controller, { status: { replicas: 0 } });
  },
};

export const statefulSets: KindStrategy<StatefulSet> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.podManagementPolicy ??= 'OrderedReady';
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate')
      spec.updateStrategy.rollingUpdate = { partition: 0, ...spec.updateStrategy.rollingUpdate };
    spec.persistentVolumeClaimRetentionPolicy = {
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
      ...spec.persistentVolumeClaimRetentionPolicy,
    };
    spec.volumeClaimTemplates?.forEach((claim, index, claims) => {
      claims[index] = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', ...claim, status: { phase: 'Pending', ...claim.status } };
      claims[index].spec = { volumeMode: 'Filesystem', ...claim.spec };
    });
    setTemplateDefaults(spec.template);
  },

  validate: ({ spec }, old) => validateWorkload(spec && withClaims(spec), old?.spec),

  async prepareForCreate(statefulSet) {
    Object.assign(statefulSet, { status: { replicas: 0, availableReplicas: 0 } });
  },
};

/** The claims that are made for each pod are volumes of it, in the place of those of the same name. */
function withClaims({ volumeClaimTemplates = [], template, ...spec }: StatefulSetSpec): WorkloadSpec {
  const claimed = volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? '');
  if (claimed.length === 0 || !template?.spec) return { ...spec, template };
  const others = (template.spec.volumes ?? []).filter(({ name }) => !claimed.includes(name));
  const volumes = [...others, ...claimed.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))];
  return { ...spec, template: { ...template, spec: { ...template.spec, volumes } } };
}

export const daemonSets: KindStrategy<DaemonSet> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.revisionHistoryLimit ??= 10;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...spec.updateStrategy.rollingUpdate };
    }
    setTemplateDefaults(spec.template);
  },

  validate: ({ spec }, old) => validateWorkload(spec, old?.spec),

  async prepareForCreate(daemonSet) {
    Object.assign(daemonSet, { status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 } });
  },
};

interface WorkloadSpec {
  replicas?: number;
  minReadySeconds?: number;
  selector?: LabelSelector;
  template?: PodTemplateSpec;
}

function validateWorkload(spec: WorkloadSpec = {}, old?: WorkloadSpec): StatusCause[] {
  return [
    ...notNegative('spec.replicas', spec.replicas),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateTemplate(spec, 'spec'),
    ...(old ? immutable('spec.selector', spec.selector, old.selector) : []),
  ];
}

function setTemplateDefaults(template: PodTemplateSpec | undefined): void {
  if (template?.spec) setPodSpecDefaults(template.spec);
}

function isNone(amount: number | string | undefined): boolean {
  return amount === 0 || amount === '0%' || amount === '0';
}
