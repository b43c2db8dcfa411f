// Columns of what the cluster is made of: nodes, namespaces, events, configuration, storage, rights.

import type { ControllerRevision } from 'kubernetes-types/apps/v1';
import type { PersistentVolume, PersistentVolumeClaim } from 'kubernetes-types/core/v1';
import type { ClusterRoleBinding, RoleBinding, Subject } from 'kubernetes-types/rbac/v1';
import type { PriorityClass } from 'kubernetes-types/scheduling/v1';
import type { StorageClass } from 'kubernetes-types/storage/v1';
import type { ConfigMap, Event, KubernetesObject, Lease, Namespace, Node, Secret, ServiceAccount } from '#kit/api';
import { age, blank, type ColumnsOfKind, count, createdAt, kind, name, text, wide } from './column.ts';
import { since } from './duration.ts';

const rolePrefix = 'node-role.kubernetes.io/';

const nodeColumns = kind<Node>(
  '/nodes',
  name,
  text('Status', nodeStatus),
  text('Roles', nodeRoles),
  age,
  blank('Version', ({ status }) => status?.nodeInfo?.kubeletVersion),
  wide(text('Internal-IP', nodeAddress('InternalIP'))),
  wide(text('External-IP', nodeAddress('ExternalIP'))),
  wide(text('OS-Image', ({ status }) => status?.nodeInfo?.osImage || '<unknown>')),
  wide(text('Kernel-Version', ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>')),
  wide(text('Container-Runtime', ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>')),
);

function nodeStatus({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const words = [!ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  return [...words, ...(spec?.unschedulable ? ['SchedulingDisabled'] : [])].join(',');
}

function nodeRoles({ metadata }: Node): string {
  const keys = Object.keys(metadata?.labels ?? {}).filter((key) => key.startsWith(rolePrefix));
  return keys
    .map((key) => key.slice(rolePrefix.length))
    .sort()
    .join(',');
}

function nodeAddress(wanted: string): (node: Node) => string | undefined {
  return ({ status }) => status?.addresses?.find(({ type }) => type === wanted)?.address;
}

const eventColumns = (group: string): ColumnsOfKind =>
  kind<Event>(
    `${group}/events`,
    text('Last Seen', (event, clock) => since(event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen(event), clock)),
    text('Type', ({ type }) => type),
    text('Reason', ({ reason }) => reason),
    text('Object', ({ involvedObject: { kind = '', name = '' } = {} }) => `${kind.toLowerCase()}/${name}`),
    wide(blank('Subobject', ({ involvedObject: { fieldPath = '' } = {} }) => fieldPath)),
    wide(
      text('Source', ({ source, reportingComponent, reportingInstance }) => {
        const component = source?.component || reportingComponent;
        const host = source?.host || reportingInstance;
        return host ? `${component}, ${host}` : component;
      }),
    ),
    blank('Message', ({ message }) => message?.trim()),
    wide(text('First Seen', (event, clock) => since(firstSeen(event), clock))),
    wide(count('Count', ({ count, series }) => series?.count ?? count ?? 1)),
    wide(name),
  );

function firstSeen({ firstTimestamp, eventTime }: Event): string | undefined {
  return firstTimestamp ?? eventTime;
}

const volumeColumns = kind<PersistentVolume>(
  '/persistentvolumes',
  name,
  text('Capacity', ({ spec }) => spec?.capacity?.storage),
  text('Access Modes', ({ spec }) => accessModes(spec?.accessModes)),
  text('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy),
  text('Status', ({ metadata, status }) => (metadata?.deletionTimestamp ? 'Terminating' : status?.phase)),
  blank<PersistentVolume>('Claim', ({ spec }) => (spec?.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : undefined)),
  blank<PersistentVolume>('StorageClass', ({ spec }) => spec?.storageClassName),
  age,
  wide(text('VolumeMode', ({ spec }) => spec?.volumeMode)),
);

const claimColumns = kind<PersistentVolumeClaim>(
  '/persistentvolumeclaims',
  name,
  text('Status', ({ metadata, status }) => (metadata?.deletionTimestamp ? 'Terminating' : status?.phase)),
  blank<PersistentVolumeClaim>('Volume', ({ spec }) => spec?.volumeName),
  blank<PersistentVolumeClaim>('Capacity', ({ status }) => status?.capacity?.storage),
  blank<PersistentVolumeClaim>('Access Modes', ({ status }) => accessModes(status?.accessModes)),
  blank<PersistentVolumeClaim>('StorageClass', ({ spec }) => spec?.storageClassName),
  age,
  wide(text('VolumeMode', ({ spec }) => spec?.volumeMode)),
);

function accessModes(modes: string[] = []): string {
  const short: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
  return modes.map((mode) => short[mode] ?? mode).join(',');
}

function bindingColumns(plural: string): ColumnsOfKind {
  const subjects = (kind: Subject['kind']) => (binding: RoleBinding | ClusterRoleBinding) =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(({ namespace, name }) => (namespace ? `${namespace}/${name}` : name))
      .join(', ');
  return kind<RoleBinding | ClusterRoleBinding>(
    `rbac.authorization.k8s.io/${plural}`,
    name,
    text('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
    age,
    wide(text('Users', subjects('User'))),
    wide(text('Groups', subjects('Group'))),
    wide(text('ServiceAccounts', subjects('ServiceAccount'))),
  );
}

function webhookColumns(plural: string) {
  return kind<KubernetesObject & { webhooks?: object[] }>(
    `admissionregistration.k8s.io/${plural}`,
    name,
    count('Webhooks', ({ webhooks = [] }) => webhooks.length),
    age,
  );
}

export const clusterColumns: ColumnsOfKind[] = [
  nodeColumns,
  eventColumns(''),
  eventColumns('events.k8s.io'),
  volumeColumns,
  claimColumns,
  bindingColumns('rolebindings'),
  bindingColumns('clusterrolebindings'),
  kind<KubernetesObject>('rbac.authorization.k8s.io/roles', name, createdAt),
  kind<KubernetesObject>('rbac.authorization.k8s.io/clusterroles', name, createdAt),
  kind<KubernetesObject>('/limitranges', name, createdAt),
  kind<KubernetesObject>('apiextensions.k8s.io/customresourcedefinitions', name, createdAt),
  kind<Namespace>(
    '/namespaces',
    name,
    text('Status', ({ status }) => status?.phase),
    age,
  ),
  kind<ConfigMap>(
    '/configmaps',
    name,
    count('Data', ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length),
    age,
  ),
  kind<Secret>(
    '/secrets',
    name,
    text('Type', ({ type }) => type),
    count('Data', ({ data = {} }) => Object.keys(data).length),
    age,
  ),
  kind<ServiceAccount>(
    '/serviceaccounts',
    name,
    count('Secrets', ({ secrets = [] }) => secrets.length),
    age,
  ),
  kind<Lease>(
    'coordination.k8s.io/leases',
    name,
    text('Holder', ({ spec }) => spec?.holderIdentity),
    age,
  ),
  kind<ControllerRevision>(
    'apps/controllerrevisions',
    name,
    text('Controller', ({ metadata }) => {
      const owner = metadata?.ownerReferences?.find(({ controller }) => controller);
      return owner && `${owner.kind.toLowerCase()}.${owner.apiVersion.split('/')[0]}/${owner.name}`;
    }),
    count('Revision', ({ revision }) => revision),
    age,
  ),
  webhookColumns('mutatingwebhookconfigurations'),
  webhookColumns('validatingwebhookconfigurations'),
  kind<PriorityClass>(
    'scheduling.k8s.io/priorityclasses',
    name,
    count('Value', ({ value }) => value),
    text('Global-Default', ({ globalDefault }) => `${globalDefault ?? false}`),
    age,
    text('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy),
  ),
  kind<StorageClass>(
    'storage.k8s.io/storageclasses',
    name,
    text('Provisioner', ({ provisioner }) => provisioner),
    text('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy),
    text('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode),
    text('AllowVolumeExpansion', ({ allowVolumeExpansion }) => `${allowVolumeExpansion ?? false}`),
    age,
  ),
];
