// What may stand in the fields of all other kinds, by the types of those fields.
// Kubernetes: the validation.go of each group under pkg/apis

import type { JsonObject } from '../json.ts';
import { certificateRules } from './certificate-rules.ts';
import { invalidValue, required as missing } from './field-errors.ts';
import {
  addressRange,
  anyOf,
  between,
  each,
  holds,
  named,
  notNegative,
  oneOf,
  positive,
  qualifiedName,
  type Rule,
  required,
  type TypeRules,
} from './field-rules.ts';
import { dnsLabel, dnsSubdomain } from './name-rules.ts';
import { networkRules } from './network-rules.ts';
import { podRules } from './pod-rules.ts';

const noSlash = holds("may not contain '/'", (value: string) => !String(value).includes('/'));
const rbacGroup = oneOf('rbac.authorization.k8s.io');
const volumeMode = oneOf('Block', 'Filesystem');
const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const scopes = ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity'];
const isOneOf =
  (supported: string[]): Rule =>
  (field, list) =>
    ((list as string[] | undefined) ?? []).flatMap((item) => oneOf(...supported)(field, item || '?', {}));
const metricSources: Record<string, string> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const scalingTarget = { kind: [required(), noSlash], name: [required(), noSlash] };
/** A driver's name may have capitals. */
const driverName: Rule = (field, value, owner) => named(dnsSubdomain)(field, String(value ?? '').toLowerCase(), owner);
const isResourceRule = ({ nonResourceURLs = [] }: JsonObject) => (nonResourceURLs as string[]).length === 0;
const forResources =
  (detail: string): Rule =>
  (field, value, owner) =>
    isResourceRule(owner) ? required(detail)(field, value, owner) : [];

export const typeRules: Record<string, TypeRules> = {
  ...podRules,
  ...networkRules,
  ...certificateRules,

  'apps.v1.DeploymentSpec': { revisionHistoryLimit: notNegative, progressDeadlineSeconds: notNegative, minReadySeconds: notNegative },
  'apps.v1.ReplicaSetSpec': { minReadySeconds: notNegative },
  'apps.v1.DaemonSetSpec': { revisionHistoryLimit: notNegative, minReadySeconds: notNegative },
  'apps.v1.StatefulSetSpec': {
    revisionHistoryLimit: notNegative,
    minReadySeconds: notNegative,
    podManagementPolicy: holds("must be 'OrderedReady' or 'Parallel'", (value: string) => ['OrderedReady', 'Parallel'].includes(value)),
  },
  'apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy': {
    whenDeleted: oneOf('Retain', 'Delete'),
    whenScaled: oneOf('Retain', 'Delete'),
  },
  'batch.v1.JobSpec': {
    completionMode: oneOf('NonIndexed', 'Indexed'),
    completions: (field, value, { completionMode }) =>
      completionMode === 'Indexed' && value === undefined ? [missing(field, 'when completion mode is Indexed')] : [],
  },

  'core.v1.NodeSpec': { podCIDRs: each(addressRange) },
  'core.v1.PersistentVolumeSpec': {
    accessModes: [required(), isOneOf(accessModes)],
    capacity: required(),
    persistentVolumeReclaimPolicy: oneOf('Delete', 'Recycle', 'Retain'),
    storageClassName: named(dnsSubdomain),
    volumeMode,
  },
  'core.v1.PersistentVolumeClaimSpec': {
    accessModes: [required('at least 1 access mode is required'), isOneOf(accessModes)],
    storageClassName: named(dnsSubdomain),
    volumeMode,
    resources: (field, value) =>
      (value as { requests?: JsonObject } | undefined)?.requests?.storage === undefined ? [missing(`${field}[storage]`)] : [],
  },
  'core.v1.ResourceQuotaSpec': {
    scopes: (field, list = []) =>
      (list as string[]).every((scope) => scopes.includes(scope)) ? [] : [invalidValue(field, list, 'unsupported scope')],
  },

  'autoscaling.v1.CrossVersionObjectReference': scalingTarget,
  'autoscaling.v2.CrossVersionObjectReference': scalingTarget,
  'autoscaling.v2.HorizontalPodAutoscalerSpec': {
    scaleTargetRef: required(),
    minReplicas: between(1, Number.POSITIVE_INFINITY, 'must be greater than or equal to 1'),
    maxReplicas: [
      (field, value = 0, owner) => positive('must be greater than 0')(field, value, owner),
      (field, value = 0, { minReplicas = 1 }) =>
        (value as number) < (minReplicas as number) ? [invalidValue(field, value, 'must be greater than or equal to `minReplicas`')] : [],
    ],
  },
  'autoscaling.v2.MetricSpec': {
    type: [required('must specify a metric source type'), anyOf(...Object.keys(metricSources))],
    '': (field, _, metric) => {
      const source = metricSources[String(metric.type)];
      return source && !metric[source] ? [missing(inside(field, source), 'must populate information for the given metric source')] : [];
    },
  },
  'autoscaling.v2.MetricIdentifier': { name: required('must specify a metric name') },
  'autoscaling.v2.ResourceMetricSource': { name: required('must specify a resource name') },
  'autoscaling.v2.MetricTarget': {
    type: [
      required('must specify a metric target type'),
      holds('must be either Utilization, Value, or AverageValue', (value: string) =>
        ['Utilization', 'Value', 'AverageValue'].includes(value),
      ),
    ],
    averageUtilization: positive('must be greater than 0'),
  },
  'autoscaling.v2.HPAScalingRules': {
    selectPolicy: oneOf('Disabled', 'Max', 'Min'),
    policies: (field, list) => (Array.isArray(list) && list.length === 0 ? [missing(field, 'must specify at least one Policy')] : []),
  },
  'autoscaling.v2.HPAScalingPolicy': {
    type: anyOf('Percent', 'Pods'),
    value: (field, value = 0, owner) => positive()(field, value, owner),
    periodSeconds: (field, value = 0, owner) => positive()(field, value, owner),
  },

  'rbac.v1.PolicyRule': {
    verbs: required('verbs must contain at least one value'),
    apiGroups: forResources('resource rules must supply at least one api group'),
    resources: forResources('resource rules must supply at least one resource'),
  },
  'rbac.v1.AggregationRule': {
    clusterRoleSelectors: required('at least one clusterRoleSelector required if aggregationRule is non-nil'),
  },
  'rbac.v1.Subject': { name: required(), kind: anyOf('ServiceAccount', 'User', 'Group') },
  'rbac.v1.RoleRef': { apiGroup: rbacGroup, name: noSlash },
  'rbac.v1.RoleBinding': { roleRef: refersTo('Role', 'ClusterRole') },
  'rbac.v1.ClusterRoleBinding': { roleRef: refersTo('ClusterRole') },

  'coordination.v1.LeaseSpec': { leaseDurationSeconds: positive('must be greater than 0') },
  'node.v1.RuntimeClass': { handler: [required(), named(dnsLabel)] },
  'scheduling.v1.PriorityClass': { preemptionPolicy: oneOf('PreemptLowerPriority', 'Never') },
  'storage.v1.StorageClass': {
    provisioner: [required(), (field, value, owner) => (value ? qualifiedName(field, String(value).toLowerCase(), owner) : [])],
    reclaimPolicy: oneOf('Delete', 'Retain'),
    volumeBindingMode: oneOf('Immediate', 'WaitForFirstConsumer'),
  },
  'storage.v1.CSINodeDriver': { name: [required(), driverName], nodeID: required() },
  'storage.v1.VolumeAttachmentSpec': { attacher: [required(), driverName], nodeName: named(dnsSubdomain) },
};

function refersTo(...kinds: string[]): Rule {
  return (field, value) => anyOf(...kinds)(`${field}.kind`, (value as { kind?: string } | undefined)?.kind, {});
}

function inside(path: string, field: string): string {
  return path ? `${path}.${field}` : field;
}
