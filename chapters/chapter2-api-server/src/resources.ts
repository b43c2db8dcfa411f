// The table of built-in resources: every kind the API serves is one row here, and one generic store serves them all.
// Discovery, OpenAPI, tables and the URL router are all read off this table; nothing else lists the kinds.
// Kubernetes: pkg/controlplane/instance.go, and the REST storage of each kind under pkg/registry

import type { Conversion } from './conversion.ts';
import type { CustomKind } from './custom/kind.ts';
import { horizontalPodAutoscalersV1 } from './kinds/autoscaling-v1.ts';
import { eventsV1 } from './kinds/events-v1.ts';

/** One resource of one API version. */
export interface ResourceDefinition {
  /** `''` for the core group, whose URLs begin with `/api/v1` instead of `/apis/<group>/<version>`. */
  group: string;
  version: string;
  kind: string;
  /** As in the URL: `pods`. */
  plural: string;
  singular: string;
  shortNames: string[];
  /** `kubectl get all` asks for every resource of the category `all`. */
  categories: string[];
  namespaced: boolean;
  /** `status`, `scale`, `log`, …: served under `<plural>/<name>/<subresource>`. */
  subresources: string[];
  /** For a version that is not the one in which objects are stored. */
  conversion?: Conversion;
  /** Only for a kind that a CustomResourceDefinition made: what that says of it. */
  custom?: CustomKind;
}

/** The resource of a group, a version and a plural; undefined when there is none. */
export type FindResource = (group: string, version: string, plural: string) => ResourceDefinition | undefined;

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

interface Row {
  short?: string[];
  categories?: string[];
  subresources?: string[];
  conversion?: Conversion;
}

type Scope = 'Namespaced' | 'Cluster';

/** A shorthand for the rows of one group and version. */
function groupVersion(group: string, version: string) {
  return (
    kind: string,
    plural: string,
    scope: Scope,
    { short = [], categories = [], subresources = [], conversion }: Row = {},
  ): ResourceDefinition => ({
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: short,
    categories,
    namespaced: scope === 'Namespaced',
    subresources,
    ...(conversion ? { conversion } : {}),
  });
}

const all = ['all'];
const apiExtensions = ['api-extensions'];
const status = ['status'];
const statusAndScale = ['status', 'scale'];

const core = groupVersion('', 'v1');
const apps = groupVersion('apps', 'v1');
const batch = groupVersion('batch', 'v1');
const autoscaling = groupVersion('autoscaling', 'v2');
const autoscalingV1 = groupVersion('autoscaling', 'v1');
const policy = groupVersion('policy', 'v1');
const networking = groupVersion('networking.k8s.io', 'v1');
const discovery = groupVersion('discovery.k8s.io', 'v1');
const coordination = groupVersion('coordination.k8s.io', 'v1');
const rbac = groupVersion('rbac.authorization.k8s.io', 'v1');
const scheduling = groupVersion('scheduling.k8s.io', 'v1');
const storage = groupVersion('storage.k8s.io', 'v1');
const extensions = groupVersion('apiextensions.k8s.io', 'v1');
const admission = groupVersion('admissionregistration.k8s.io', 'v1');
const certificates = groupVersion('certificates.k8s.io', 'v1');
const node = groupVersion('node.k8s.io', 'v1');
const events = groupVersion('events.k8s.io', 'v1');

export const resources: ResourceDefinition[] = [
  core('ConfigMap', 'configmaps', 'Namespaced', { short: ['cm'] }),
  core('Endpoints', 'endpoints', 'Namespaced', { short: ['ep'] }),
  core('Event', 'events', 'Namespaced', { short: ['ev'] }),
  core('LimitRange', 'limitranges', 'Namespaced', { short: ['limits'] }),
  core('Namespace', 'namespaces', 'Cluster', { short: ['ns'], subresources: ['finalize', 'status'] }),
  core('Node', 'nodes', 'Cluster', { short: ['no'], subresources: ['proxy', 'status'] }),
  core('PersistentVolumeClaim', 'persistentvolumeclaims', 'Namespaced', { short: ['pvc'], subresources: status }),
  core('PersistentVolume', 'persistentvolumes', 'Cluster', { short: ['pv'], subresources: status }),
  core('Pod', 'pods', 'Namespaced', {
    short: ['po'],
    categories: all,
    subresources: ['attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'log', 'portforward', 'proxy', 'status'],
  }),
  core('PodTemplate', 'podtemplates', 'Namespaced'),
  core('ReplicationController', 'replicationcontrollers', 'Namespaced', { short: ['rc'], categories: all, subresources: statusAndScale }),
  core('ResourceQuota', 'resourcequotas', 'Namespaced', { short: ['quota'], subresources: status }),
  core('Secret', 'secrets', 'Namespaced'),
  core('ServiceAccount', 'serviceaccounts', 'Namespaced', { short: ['sa'], subresources: ['token'] }),
  core('Service', 'services', 'Namespaced', { short: ['svc'], categories: all, subresources: ['proxy', 'status'] }),

  apps('ControllerRevision', 'controllerrevisions', 'Namespaced'),
  apps('DaemonSet', 'daemonsets', 'Namespaced', { short: ['ds'], categories: all, subresources: status }),
  apps('Deployment', 'deployments', 'Namespaced', { short: ['deploy'], categories: all, subresources: statusAndScale }),
  apps('ReplicaSet', 'replicasets', 'Namespaced', { short: ['rs'], categories: all, subresources: statusAndScale }),
  apps('StatefulSet', 'statefulsets', 'Namespaced', { short: ['sts'], categories: all, subresources: statusAndScale }),

  batch('CronJob', 'cronjobs', 'Namespaced', { short: ['cj'], categories: all, subresources: status }),
  batch('Job', 'jobs', 'Namespaced', { categories: all, subresources: status }),

  // The version that clients should prefer comes first.
  autoscaling('HorizontalPodAutoscaler', 'horizontalpodautoscalers', 'Namespaced', {
    short: ['hpa'],
    categories: all,
    subresources: status,
  }),
  autoscalingV1('HorizontalPodAutoscaler', 'horizontalpodautoscalers', 'Namespaced', {
    short: ['hpa'],
    categories: all,
    subresources: status,
    conversion: horizontalPodAutoscalersV1,
  }),

  admission('MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', 'Cluster', { categories: apiExtensions }),
  admission('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', 'Cluster', { categories: apiExtensions }),
  admission('ValidatingAdmissionPolicy', 'validatingadmissionpolicies', 'Cluster', { categories: apiExtensions, subresources: status }),
  admission('ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', 'Cluster', { categories: apiExtensions }),

  policy('PodDisruptionBudget', 'poddisruptionbudgets', 'Namespaced', { short: ['pdb'], subresources: status }),

  networking('IngressClass', 'ingressclasses', 'Cluster'),
  networking('Ingress', 'ingresses', 'Namespaced', { short: ['ing'], subresources: status }),
  networking('NetworkPolicy', 'networkpolicies', 'Namespaced', { short: ['netpol'] }),

  certificates('CertificateSigningRequest', 'certificatesigningrequests', 'Cluster', {
    short: ['csr'],
    subresources: ['approval', 'status'],
  }),

  node('RuntimeClass', 'runtimeclasses', 'Cluster'),
  // The same objects as core's events, in other words.
  events('Event', 'events', 'Namespaced', { short: ['ev'], conversion: eventsV1 }),

  discovery('EndpointSlice', 'endpointslices', 'Namespaced'),
  coordination('Lease', 'leases', 'Namespaced'),

  rbac('ClusterRoleBinding', 'clusterrolebindings', 'Cluster'),
  rbac('ClusterRole', 'clusterroles', 'Cluster'),
  rbac('RoleBinding', 'rolebindings', 'Namespaced'),
  rbac('Role', 'roles', 'Namespaced'),

  scheduling('PriorityClass', 'priorityclasses', 'Cluster', { short: ['pc'] }),

  storage('CSIDriver', 'csidrivers', 'Cluster'),
  storage('CSINode', 'csinodes', 'Cluster'),
  storage('CSIStorageCapacity', 'csistoragecapacities', 'Namespaced'),
  storage('StorageClass', 'storageclasses', 'Cluster', { short: ['sc'] }),
  storage('VolumeAttachment', 'volumeattachments', 'Cluster', { subresources: status }),

  extensions('CustomResourceDefinition', 'customresourcedefinitions', 'Cluster', {
    short: ['crd', 'crds'],
    categories: apiExtensions,
    subresources: status,
  }),
];

const byPath = new Map(resources.map((resource) => [`${resource.group}/${resource.version}/${resource.plural}`, resource]));

/** The built-in resource behind a URL's group, version and plural; undefined when there is none. Your own kinds: custom/definitions.ts. */
export function findResource(group: string, version: string, plural: string): ResourceDefinition | undefined {
  return byPath.get(`${group}/${version}/${plural}`);
}

/** As an object of this resource writes it: `v1`, `apps/v1`. */
export function apiVersionOf({ group, version }: Pick<ResourceDefinition, 'group' | 'version'>): string {
  return group ? `${group}/${version}` : version;
}
