// The API's kinds: their types (from the `kubernetes-types` package, wire-shaped) and, for each kind that the components use,
// a `Resource` that tells the client where it lives.

import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1';
import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1';
import type { SubjectAccessReview } from 'kubernetes-types/authorization/v1';
import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1';
import type { Lease } from 'kubernetes-types/coordination/v1';
import type {
  ConfigMap,
  Container,
  ContainerStatus,
  Endpoints as EndpointsObject,
  Event,
  LimitRange,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  PodCondition,
  PodSpec,
  PodTemplateSpec,
  ReplicationController,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
  ServicePort,
} from 'kubernetes-types/core/v1';
import type { Endpoint, EndpointSlice } from 'kubernetes-types/discovery/v1';
import type { LabelSelector, ListMeta, ObjectMeta, OwnerReference } from 'kubernetes-types/meta/v1';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from 'kubernetes-types/rbac/v1';
import type { PriorityClass } from 'kubernetes-types/scheduling/v1';

export type {
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  Container,
  ContainerStatus,
  CustomResourceDefinition,
  Deployment,
  Endpoint,
  EndpointSlice,
  EndpointsObject,
  Event,
  LabelSelector,
  Lease,
  LimitRange,
  ListMeta,
  Namespace,
  Node,
  ObjectMeta,
  OwnerReference,
  PersistentVolumeClaim,
  Pod,
  PodCondition,
  PodDisruptionBudget,
  PodSpec,
  PodTemplateSpec,
  PolicyRule,
  PriorityClass,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
  ServicePort,
};

/** What every API object has. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

export interface KubernetesList<T> {
  apiVersion?: string;
  kind?: string;
  metadata: ListMeta;
  items: T[];
}

/** Where a kind lives in the API. `T` is only a type: `client.list(Pods)` answers pods. */
export interface Resource<T extends KubernetesObject> {
  /** `'v1'` or `'group/version'` */
  readonly apiVersion: string;
  readonly kind: string;
  /** as in the URL: `'pods'` */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly type?: T;
}

function resource<T extends KubernetesObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster',
): Resource<T> {
  return { apiVersion, kind, plural, namespaced: scope === 'Namespaced' };
}

export const Namespaces = resource<Namespace>('v1', 'Namespace', 'namespaces', 'Cluster');
export const Nodes = resource<Node>('v1', 'Node', 'nodes', 'Cluster');
export const Pods = resource<Pod>('v1', 'Pod', 'pods', 'Namespaced');
export const Services = resource<Service>('v1', 'Service', 'services', 'Namespaced');
export const Endpoints = resource<EndpointsObject>('v1', 'Endpoints', 'endpoints', 'Namespaced');
export const ConfigMaps = resource<ConfigMap>('v1', 'ConfigMap', 'configmaps', 'Namespaced');
export const Secrets = resource<Secret>('v1', 'Secret', 'secrets', 'Namespaced');
export const ServiceAccounts = resource<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts', 'Namespaced');
/** A question: its answer is what a create returns. */
export const SubjectAccessReviews = resource<SubjectAccessReview>(
  'authorization.k8s.io/v1',
  'SubjectAccessReview',
  'subjectaccessreviews',
  'Cluster',
);
export const Events = resource<Event>('v1', 'Event', 'events', 'Namespaced');
export const ReplicationControllers = resource<ReplicationController>(
  'v1',
  'ReplicationController',
  'replicationcontrollers',
  'Namespaced',
);
export const Deployments = resource<Deployment>('apps/v1', 'Deployment', 'deployments', 'Namespaced');
export const ReplicaSets = resource<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets', 'Namespaced');
export const EndpointSlices = resource<EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', 'Namespaced');
export const LimitRanges = resource<LimitRange>('v1', 'LimitRange', 'limitranges', 'Namespaced');
export const ResourceQuotas = resource<ResourceQuota>('v1', 'ResourceQuota', 'resourcequotas', 'Namespaced');
export const PodDisruptionBudgets = resource<PodDisruptionBudget>('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', 'Namespaced');
export const PriorityClasses = resource<PriorityClass>('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', 'Cluster');
export const PersistentVolumeClaims = resource<PersistentVolumeClaim>(
  'v1',
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
  'Namespaced',
);
export const Leases = resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases', 'Namespaced');

export const CertificateSigningRequests = resource<CertificateSigningRequest>(
  'certificates.k8s.io/v1',
  'CertificateSigningRequest',
  'certificatesigningrequests',
  'Cluster',
);

export const CustomResourceDefinitions = resource<CustomResourceDefinition>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  'Cluster',
);

export const Roles = resource<Role>('rbac.authorization.k8s.io/v1', 'Role', 'roles', 'Namespaced');
export const RoleBindings = resource<RoleBinding>('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', 'Namespaced');
export const ClusterRoles = resource<ClusterRole>('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', 'Cluster');
export const ClusterRoleBindings = resource<ClusterRoleBinding>(
  'rbac.authorization.k8s.io/v1',
  'ClusterRoleBinding',
  'clusterrolebindings',
  'Cluster',
);

/** `apps` of `apps/v1`; '' is the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** `namespace/name`, or just `name` for a cluster-scoped object: the key that caches and queues use. */
export function keyOf(object: KubernetesObject): string {
  const { namespace, name } = object.metadata ?? {};
  if (!name) throw new TypeError(`an object of kind ${object.kind ?? '(none)'} has no metadata.name`);
  return namespace ? `${namespace}/${name}` : name;
}

/** The inverse of `keyOf`. */
export function splitKey(key: string): { namespace: string | undefined; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: undefined, name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
