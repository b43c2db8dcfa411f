// Who may do what in this cluster, beyond what every API server says from its first moment.

import { controllerRoles } from '#api-server/access/policy/controller-roles';
import { ClusterRoleBindings, ClusterRoles } from '#kit/api';
import type { Client } from '#kit/client';

const apiGroup = 'rbac.authorization.k8s.io';
const controllerManager = 'system:kube-controller-manager';

export const dnsUser = 'system:dns';

export async function grantPermissions(client: Client): Promise<void> {
  await Promise.all([grantLoops(client), grantDns(client)]);
}

/**
 * The controller manager runs all loops as one user, so that user may do what any of them may. (kubeadm's starts each loop as a service
 * account of its own: --use-service-account-credentials.)
 */
async function grantLoops(client: Client): Promise<void> {
  const name = `${controllerManager}:loops`;
  await client.create(ClusterRoles, { metadata: { name }, rules: Object.values(controllerRoles).flat() });
  await bind(client, name, name, controllerManager);
}

/** The name server reads what it answers from. Kubernetes: cmd/kubeadm/app/phases/addons/dns/manifests.go, CoreDNSClusterRole */
async function grantDns(client: Client): Promise<void> {
  const name = 'system:coredns';
  const verbs = ['list', 'watch'];
  const rules = [
    { verbs, apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'] },
    { verbs, apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
  ];
  await client.create(ClusterRoles, { metadata: { name }, rules });
  await bind(client, name, name, dnsUser);
}

async function bind(client: Client, name: string, role: string, user: string): Promise<void> {
  const roleRef = { apiGroup, kind: 'ClusterRole', name: role };
  await client.create(ClusterRoleBindings, { metadata: { name }, roleRef, subjects: [{ apiGroup, kind: 'User', name: user }] });
}
