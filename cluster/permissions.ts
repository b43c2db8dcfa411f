// Who may do what in this cluster, beyond what every API server says from its first moment.

import { controllerRoles } from '#api-server/access/policy/controller-roles';
import { ClusterRoleBindings, ClusterRoles } from '#kit/api';
import type { Client } from '#kit/client';

const apiGroup = 'rbac.authorization.k8s.io';
const controllerManager = 'system:kube-controller-manager';

export const dnsUser = 'system:dns';

/**
 * The controller manager runs all loops as one user, so that user has all loops' roles. (kubeadm's starts each loop as a service account
 * of its own: --use-service-account-credentials.) The name server reads what it answers from.
 */
export async function grantPermissions(client: Client): Promise<void> {
  const loops = Object.keys(controllerRoles);
  await Promise.all([
    ...loops.map((loop) => bind(client, `${controllerManager}:${loop}`, `system:controller:${loop}`, controllerManager)),
    grantDns(client),
  ]);
}

/** Kubernetes: cmd/kubeadm/app/phases/addons/dns/manifests.go, CoreDNSClusterRole */
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
