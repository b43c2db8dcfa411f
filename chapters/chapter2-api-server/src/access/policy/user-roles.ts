// What people are given: everything, or `admin`, `edit` and `view` in a namespace. These three are empty here: each gathers the rules of
// all ClusterRoles that carry its label, so a new kind can add itself to them.
// Kubernetes: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go

import { may, mayVisit, type Roles, read, readAndWrite, write } from './rule-words.ts';

export const userRoles: Roles = {
  'cluster-admin': [may('*', '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }],
  'system:aggregate-to-admin': [
    may('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
    may(readAndWrite, 'rbac.authorization.k8s.io', 'rolebindings roles'),
  ],
  'system:aggregate-to-edit': [
    may(read, 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
    may('impersonate', 'core', 'serviceaccounts'),
    may(write, 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
    may('create', 'core', 'pods/eviction'),
    may(
      write,
      'core',
      'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    ),
    may('create', 'core', 'serviceaccounts/token'),
    may(
      write,
      'apps',
      'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
    ),
    may(write, 'autoscaling', 'horizontalpodautoscalers'),
    may(write, 'batch', 'cronjobs jobs'),
    may(
      write,
      'extensions',
      'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
    ),
    may(write, 'policy', 'poddisruptionbudgets'),
    may(write, 'networking.k8s.io', 'ingresses networkpolicies'),
    may(readAndWrite, 'coordination.k8s.io', 'leases'),
  ],
  'system:aggregate-to-view': [
    may(
      read,
      'core',
      'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
    ),
    may(
      read,
      'core',
      'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
    ),
    may(read, 'core', 'namespaces'),
    may(read, 'discovery.k8s.io', 'endpointslices'),
    may(
      read,
      'apps',
      'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
    ),
    may(read, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
    may(read, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
    may(
      read,
      'extensions',
      'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
    ),
    may(read, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
    may(read, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  ],
  'system:basic-user': [
    may('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    may('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:discovery': [mayVisit('/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/')],
  'system:public-info-viewer': [mayVisit('/healthz /livez /readyz /version /version/')],
};

/** Roles that gather, widest last: each has a label of its own, and may itself go into a wider one. */
export const gatheringRoles = [
  { name: 'view', goesInto: 'edit' },
  { name: 'edit', goesInto: 'admin' },
  { name: 'admin', goesInto: undefined },
];

/** `rbac.authorization.k8s.io/aggregate-to-edit`: a ClusterRole with this label, and the value "true", goes into `edit`. */
export function gatheringLabel(name: string): string {
  return `rbac.authorization.k8s.io/aggregate-to-${name}`;
}
