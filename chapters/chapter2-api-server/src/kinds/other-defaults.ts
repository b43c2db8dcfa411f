// The kinds to which little is special: a few defaults, or a first status.
// Kubernetes: the defaults.go of each group under pkg/apis

import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2';
import type { Endpoints, PersistentVolume, PersistentVolumeClaim, PodTemplate } from 'kubernetes-types/core/v1';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1';
import type { ClusterRoleBinding, RoleBinding } from 'kubernetes-types/rbac/v1';
import type { PriorityClass } from 'kubernetes-types/scheduling/v1';
import type { StorageClass } from 'kubernetes-types/storage/v1';
import { forbiddenField, immutable, required } from './field-errors.ts';
import { setPodSpecDefaults } from './pod-defaults.ts';
import { validatePodSpec } from './pod-validation.ts';
import type { KindStrategy } from './strategy.ts';

/** Kubernetes: pkg/apis/scheduling/types.go */
const highestUserPriority = 1_000_000_000;
export const systemPriorities = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
]);

const rbacGroup = 'rbac.authorization.k8s.io';

export const endpoints: KindStrategy<Endpoints> = {
  setDefaults({ subsets = [] }) {
    for (const port of subsets.flatMap(({ ports = [] }) => ports)) port.protocol ??= 'TCP';
  },
};

export const endpointSlices: KindStrategy<EndpointSlice> = {
  setDefaults({ ports = [] }) {
    for (const port of ports) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  validate: ({ addressType }, old) => [
    ...(addressType ? [] : [required('addressType')]),
    ...(old ? immutable('addressType', addressType, old.addressType) : []),
  ],
};

export const horizontalPodAutoscalers: KindStrategy<HorizontalPodAutoscaler> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.minReplicas ??= 1;
    spec.metrics ??= [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
  },
  validate: ({ spec }) => (spec ? [] : [required('spec')]),
  async prepareForCreate(autoscaler) {
    Object.assign(autoscaler, { status: { currentReplicas: 0, desiredReplicas: 0 } });
  },
};

export const persistentVolumes: KindStrategy<PersistentVolume> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.persistentVolumeReclaimPolicy ??= 'Retain';
    spec.volumeMode ??= 'Filesystem';
  },
  async prepareForCreate(volume) {
    Object.assign(volume, { status: { phase: 'Pending' } });
  },
};

export const persistentVolumeClaims: KindStrategy<PersistentVolumeClaim> = {
  setDefaults({ spec }) {
    if (spec) spec.volumeMode ??= 'Filesystem';
  },
  async prepareForCreate(claim) {
    Object.assign(claim, { status: { phase: 'Pending' } });
  },
};

export const podTemplates: KindStrategy<PodTemplate> = {
  setDefaults({ template }) {
    if (template?.spec) setPodSpecDefaults(template.spec);
  },
  validate: ({ template }) => validatePodSpec(template?.spec, 'template.spec'),
};

export const networkPolicies: KindStrategy<NetworkPolicy> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.policyTypes ??= spec.egress && spec.egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
    const rules = [...(spec.ingress ?? []), ...(spec.egress ?? [])];
    for (const port of rules.flatMap(({ ports = [] }) => ports)) port.protocol ??= 'TCP';
  },
};

/** Users and groups are RBAC's own; service accounts are objects of the core group. */
export const roleBindings: KindStrategy<RoleBinding | ClusterRoleBinding> = {
  setDefaults({ roleRef, subjects = [] }) {
    if (roleRef) roleRef.apiGroup ||= rbacGroup;
    for (const subject of subjects) if (subject.kind !== 'ServiceAccount') subject.apiGroup ??= rbacGroup;
  },
  validate: ({ roleRef }, old) => [
    ...(roleRef?.name ? [] : [required('roleRef.name')]),
    ...(old ? immutable('roleRef', roleRef, old.roleRef) : []),
  ],
};

export const priorityClasses: KindStrategy<PriorityClass> = {
  setDefaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  validate: ({ metadata, value }, old) => [
    ...(old ? immutable('value', value, old.value) : []),
    ...(systemPriorities.get(metadata?.name ?? '') === value ? [] : validateUserPriority(metadata?.name ?? '', value)),
  ],
};

function validateUserPriority(name: string, value: number): StatusCause[] {
  const reserved = "priority class names with 'system-' prefix are reserved for system use only";
  const tooHigh = `maximum allowed value of a user defined priority is ${highestUserPriority}`;
  return [
    ...(name.startsWith('system-')
      ? [forbiddenField('metadata.name', `${reserved}. error: ${name} is not a known system priority class`)]
      : []),
    ...(value > highestUserPriority ? [forbiddenField('value', tooHigh)] : []),
  ];
}

export const storageClasses: KindStrategy<StorageClass> = {
  setDefaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
};
