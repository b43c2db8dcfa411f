// What every kubelet may do, whichever node it is on. The node authorizer applies it, and narrows most of it down; the role `system:node`
// has the same rules, for clusters that still bind it to everybody in system:nodes.
// Kubernetes: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, NodeRules

import type { PolicyRule } from 'kubernetes-types/rbac/v1';
import { may, read } from './rule-words.ts';

export const nodeRules: PolicyRule[] = [
  may('create', 'authentication.k8s.io', 'tokenreviews'),
  may('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
  may(read, 'core', 'services'),
  may('create get list watch', 'core', 'nodes'),
  may('patch update', 'core', 'nodes/status'),
  may('patch update', 'core', 'nodes'),
  may('create patch update', 'core', 'events'),
  may(read, 'core', 'pods'),
  may('create delete', 'core', 'pods'),
  may('patch update', 'core', 'pods/status'),
  may('create', 'core', 'pods/eviction'),
  may(read, 'core', 'configmaps secrets'),
  may('get', 'core', 'persistentvolumeclaims persistentvolumes'),
  may('get', 'core', 'endpoints'),
  may('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  may('create delete get patch update', 'coordination.k8s.io', 'leases'),
  may('get', 'storage.k8s.io', 'volumeattachments'),
  may('create', 'core', 'serviceaccounts/token'),
  may('get patch update', 'core', 'persistentvolumeclaims/status'),
  may(read, 'storage.k8s.io', 'csidrivers'),
  may('create delete get patch update', 'storage.k8s.io', 'csinodes'),
  may(read, 'node.k8s.io', 'runtimeclasses'),
];
