// Who has which built-in role from the first moment.
// Kubernetes: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go and namespace_policy.go

import type { Subject } from 'kubernetes-types/rbac/v1';

const apiGroup = 'rbac.authorization.k8s.io';

function users(...names: string[]): Subject[] {
  return names.map((name) => ({ kind: 'User', name, apiGroup }));
}

function groups(...names: string[]): Subject[] {
  return names.map((name) => ({ kind: 'Group', name, apiGroup }));
}

/** In kube-system. */
export function accounts(...names: string[]): Subject[] {
  return names.map((name) => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' }));
}

/** By the role's name; the binding is called like the role. Nobody has `system:node`: the node authorizer knows better. */
export const clusterBindings: Record<string, Subject[]> = {
  'cluster-admin': groups('system:masters'),
  'system:basic-user': groups('system:authenticated'),
  'system:discovery': groups('system:authenticated'),
  'system:kube-controller-manager': users('system:kube-controller-manager'),
  'system:kube-dns': accounts('kube-dns'),
  'system:kube-scheduler': users('system:kube-scheduler'),
  'system:monitoring': groups('system:monitoring'),
  'system:node': [],
  'system:node-proxier': users('system:kube-proxy'),
  'system:public-info-viewer': groups('system:authenticated', 'system:unauthenticated'),
  'system:service-account-issuer-discovery': groups('system:serviceaccounts'),
  'system:volume-scheduler': users('system:kube-scheduler'),
};

interface NamespaceBinding {
  namespace: string;
  name: string;
  role: string;
  subjects: Subject[];
}

const lock = 'system::leader-locking-kube-';

export const namespaceBindings: NamespaceBinding[] = [
  inKubeSystem('system::extension-apiserver-authentication-reader', users('system:kube-controller-manager', 'system:kube-scheduler'), {
    role: 'extension-apiserver-authentication-reader',
  }),
  inKubeSystem(`${lock}controller-manager`, [
    ...users('system:kube-controller-manager'),
    ...accounts('kube-controller-manager', 'leader-election-controller'),
  ]),
  inKubeSystem(`${lock}scheduler`, [...users('system:kube-scheduler'), ...accounts('kube-scheduler')]),
  inKubeSystem('system:controller:bootstrap-signer', accounts('bootstrap-signer')),
  inKubeSystem('system:controller:cloud-provider', accounts('cloud-provider')),
  inKubeSystem('system:controller:token-cleaner', accounts('token-cleaner')),
  { ...inKubeSystem('system:controller:bootstrap-signer', accounts('bootstrap-signer')), namespace: 'kube-public' },
];

function inKubeSystem(name: string, subjects: Subject[], { role = name }: { role?: string } = {}): NamespaceBinding {
  return { namespace: 'kube-system', name, role, subjects };
}
