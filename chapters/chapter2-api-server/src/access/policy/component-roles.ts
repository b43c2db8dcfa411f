// What each component needs, and what clusters usually add: DNS, monitoring, certificates, volumes.
// Kubernetes: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go

import { may, mayVisit, type Roles, read, readAndWrite, writeEvents } from './rule-words.ts';

export const componentRoles: Roles = {
  'system:auth-delegator': [
    may('create', 'authentication.k8s.io', 'tokenreviews'),
    may('create', 'authorization.k8s.io', 'subjectaccessreviews'),
  ],
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': [
    may('create', 'certificates.k8s.io', 'certificatesigningrequests/nodeclient'),
  ],
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': [
    may('create', 'certificates.k8s.io', 'certificatesigningrequests/selfnodeclient'),
  ],
  'system:certificates.k8s.io:kube-apiserver-client-approver': [
    may('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-client'),
  ],
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': [
    may('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-client-kubelet'),
  ],
  'system:certificates.k8s.io:kubelet-serving-approver': [
    may('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/kubelet-serving'),
  ],
  'system:certificates.k8s.io:legacy-unknown-approver': [may('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/legacy-unknown')],
  'system:heapster': [may(read, 'core', 'events namespaces nodes pods'), may(read, 'extensions', 'deployments')],
  'system:kube-aggregator': [may(read, 'core', 'endpoints services')],
  'system:kube-controller-manager': [
    writeEvents,
    may('create', 'coordination.k8s.io', 'leases'),
    may('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
    may('create', 'core', 'secrets serviceaccounts'),
    may('delete', 'core', 'secrets'),
    may('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
    may('update', 'core', 'secrets serviceaccounts'),
    may('create', 'authentication.k8s.io', 'tokenreviews'),
    may('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    may('list watch', '*', '*'),
    may('create', 'core', 'serviceaccounts/token'),
  ],
  'system:kube-dns': [may('list watch', 'core', 'endpoints services')],
  'system:kube-scheduler': [
    writeEvents,
    may('create', 'coordination.k8s.io', 'leases'),
    may('get list update watch', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
    may(readAndWrite, 'coordination.k8s.io', 'leasecandidates'),
    may(read, 'core', 'nodes'),
    may('delete get list watch', 'core', 'pods'),
    may('create', 'core', 'bindings pods/binding'),
    may('patch update', 'core', 'pods/status'),
    may(read, 'core', 'replicationcontrollers services'),
    may(read, 'apps extensions', 'replicasets'),
    may(read, 'apps', 'statefulsets'),
    may(read, 'policy', 'poddisruptionbudgets'),
    may(read, 'core', 'persistentvolumeclaims persistentvolumes'),
    may('create', 'authentication.k8s.io', 'tokenreviews'),
    may('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    may(read, 'storage.k8s.io', 'csinodes'),
    may(read, 'storage.k8s.io', 'volumeattachments'),
    may(read, 'core', 'namespaces'),
    may(read, 'storage.k8s.io', 'csidrivers'),
    may(read, 'storage.k8s.io', 'csistoragecapacities'),
  ],
  'system:kubelet-api-admin': [
    may(read, 'core', 'nodes'),
    may('proxy', 'core', 'nodes'),
    may('*', 'core', 'nodes/log nodes/metrics nodes/proxy nodes/stats'),
  ],
  'system:monitoring': [mayVisit('/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*')],
  'system:node-bootstrapper': [may('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests')],
  'system:node-problem-detector': [may('get', 'core', 'nodes'), may('patch', 'core', 'nodes/status'), writeEvents],
  'system:node-proxier': [
    may('list watch', 'core', 'endpoints services'),
    may(read, 'core', 'nodes'),
    writeEvents,
    may('list watch', 'discovery.k8s.io', 'endpointslices'),
  ],
  'system:persistent-volume-provisioner': [
    may('create delete get list watch', 'core', 'persistentvolumes'),
    may('get list update watch', 'core', 'persistentvolumeclaims'),
    may(read, 'storage.k8s.io', 'storageclasses'),
    may('watch', 'core', 'events'),
    writeEvents,
  ],
  'system:service-account-issuer-discovery': [
    mayVisit('/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/'),
  ],
  'system:volume-scheduler': [
    may('get list patch update watch', 'core', 'persistentvolumes'),
    may(read, 'storage.k8s.io', 'storageclasses'),
    may('get list patch update watch', 'core', 'persistentvolumeclaims'),
  ],
};
