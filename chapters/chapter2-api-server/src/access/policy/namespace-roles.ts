// Roles inside kube-system and kube-public.
// Kubernetes: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go

import { may, type Roles, read, writeEvents } from './rule-words.ts';

/** By namespace. */
export const namespaceRoles: Record<string, Roles> = {
  'kube-public': {
    'system:controller:bootstrap-signer': [
      may(read, 'core', 'configmaps'),
      may('update', 'core', 'configmaps', 'cluster-info'),
      writeEvents,
    ],
  },
  'kube-system': {
    'extension-apiserver-authentication-reader': [may(read, 'core', 'configmaps', 'extension-apiserver-authentication')],
    'system::leader-locking-kube-controller-manager': [
      may('watch', 'core', 'configmaps'),
      may('get update', 'core', 'configmaps', 'kube-controller-manager'),
      may('create get list update watch', 'coordination.k8s.io', 'leases'),
      may('create get list update watch', 'coordination.k8s.io', 'leasecandidates'),
    ],
    'system::leader-locking-kube-scheduler': [
      may('watch', 'core', 'configmaps'),
      may('get update', 'core', 'configmaps', 'kube-scheduler'),
      may('create get list update watch', 'coordination.k8s.io', 'leases'),
      may('create get list update watch', 'coordination.k8s.io', 'leasecandidates'),
    ],
    'system:controller:bootstrap-signer': [may(read, 'core', 'secrets')],
    'system:controller:cloud-provider': [may('create get list watch', 'core', 'configmaps')],
    'system:controller:token-cleaner': [may('delete get list watch', 'core', 'secrets'), writeEvents],
  },
};
