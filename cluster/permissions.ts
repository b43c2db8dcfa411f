// Who may do what in this cluster, beyond what every API server says from its first moment.

import { controllerRoles } from '#api-server/access/policy/controller-roles';
import { ClusterRoleBindings, ClusterRoles } from '#kit/api';
import type { Client } from '#kit/client';

const apiGroup = 'rbac.authorization.k8s.io';
const controllerManager = 'system:kube-controller-manager';

export const dnsUser = 'system:dns';

export async function grantPermissions(client: Client): Promise<void> {
  await Promise.all([grantLoops(client), grantDns(client), grantCertificates(client)]);
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

/**
 * Who comes with the token of a node to be may ask for its first certificate, and a node for its next one: nobody has to approve that.
 * Kubernetes: cmd/kubeadm/app/phases/bootstraptoken/node/tlsbootstrap.go
 */
async function grantCertificates(client: Client): Promise<void> {
  const newNodes = 'system:bootstrappers:kubeadm:default-node-token';
  const requests = 'system:certificates.k8s.io:certificatesigningrequests';
  await bind(client, 'kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', newNodes, 'Group');
  await bind(client, 'kubeadm:node-autoapprove-bootstrap', `${requests}:nodeclient`, newNodes, 'Group');
  await bind(client, 'kubeadm:node-autoapprove-certificate-rotation', `${requests}:selfnodeclient`, 'system:nodes', 'Group');
}

async function bind(client: Client, name: string, role: string, subject: string, kind: 'User' | 'Group' = 'User'): Promise<void> {
  const roleRef = { apiGroup, kind: 'ClusterRole', name: role };
  await client.create(ClusterRoleBindings, { metadata: { name }, roleRef, subjects: [{ apiGroup, kind, name: subject }] });
}
