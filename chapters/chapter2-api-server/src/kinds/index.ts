// Which kinds have something special, and what. A kind that is not here is stored just as its author wrote it.

import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { KubernetesObject } from '#kit/api';
import { customResourceDefinitions } from '../custom/definition-strategy.ts';
import type { ApiObject } from '../object.ts';
import type { ResourceDefinition } from '../resources.ts';
import { certificateSigningRequests } from './certificate-requests.ts';
import { configMaps, secrets } from './config.ts';
import { daemonSets, deployments, replicaSets, replicationControllers, statefulSets } from './deployments.ts';
import { disruptionBudgets } from './disruption-budgets.ts';
import { fieldProblems } from './field-rules.ts';
import { cronJobs, jobs } from './jobs.ts';
import { limitRanges } from './limit-ranges.ts';
import { nodes } from './nodes.ts';
import * as other from './other-defaults.ts';
import { pods } from './pods.ts';
import { policies, policyBindings } from './policies.ts';
import { resourceQuotas } from './resource-quotas.ts';
import { services } from './services.ts';
import type { KindStrategy } from './strategy.ts';
import { typeRules } from './type-rules.ts';
import { webhookConfigurations } from './webhooks.ts';

/** By group and kind. */
const strategies = new Map<string, KindStrategy>();

function register<T extends KubernetesObject>(groupAndKind: string, strategy: KindStrategy<T>): void {
  // The registry hands a strategy objects of its own kind only.
  strategies.set(groupAndKind, strategy as KindStrategy);
}

register('/ConfigMap', configMaps);
register('/Endpoints', other.endpoints);
register('/LimitRange', limitRanges);
register('/Node', nodes);
register('/PersistentVolume', other.persistentVolumes);
register('/PersistentVolumeClaim', other.persistentVolumeClaims);
register('/Pod', pods);
register('/PodTemplate', other.podTemplates);
register('/ReplicationController', replicationControllers);
register('/ResourceQuota', resourceQuotas);
register('/Secret', secrets);
register('/Service', services);
register('apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinitions);
register('admissionregistration.k8s.io/MutatingWebhookConfiguration', webhookConfigurations);
register('admissionregistration.k8s.io/ValidatingWebhookConfiguration', webhookConfigurations);
register('admissionregistration.k8s.io/ValidatingAdmissionPolicy', policies);
register('admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding', policyBindings);
register('apps/DaemonSet', daemonSets);
register('certificates.k8s.io/CertificateSigningRequest', certificateSigningRequests);
register('apps/Deployment', deployments);
register('apps/ReplicaSet', replicaSets);
register('apps/StatefulSet', statefulSets);
register('autoscaling/HorizontalPodAutoscaler', other.horizontalPodAutoscalers);
register('batch/CronJob', cronJobs);
register('batch/Job', jobs);
register('discovery.k8s.io/EndpointSlice', other.endpointSlices);
register('networking.k8s.io/NetworkPolicy', other.networkPolicies);
register('policy/PodDisruptionBudget', disruptionBudgets);
register('rbac.authorization.k8s.io/ClusterRoleBinding', other.roleBindings);
register('rbac.authorization.k8s.io/RoleBinding', other.roleBindings);
register('scheduling.k8s.io/PriorityClass', other.priorityClasses);
register('storage.k8s.io/StorageClass', other.storageClasses);

/** What is wrong with an object; `old` is there on update. */
export function objectProblems(resource: ResourceDefinition, object: ApiObject, old?: ApiObject): StatusCause[] {
  return [...(strategyFor(resource).validate?.(object, old) ?? []), ...fieldProblems(object, resource, typeRules)];
}

const nothingSpecial: KindStrategy = {};

export function strategyFor({ group, kind, custom }: ResourceDefinition): KindStrategy {
  if (custom) return custom.strategy;
  return strategies.get(`${group}/${kind}`) ?? nothingSpecial;
}
