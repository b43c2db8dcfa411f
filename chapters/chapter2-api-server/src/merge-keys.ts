// How a strategic merge patch treats a list: which field tells its items apart. A list that is not named here is atomic: a
// patch replaces it whole. A field is named with the field around it (`containers.ports` is a container's, `spec.ports` a
// Service's), which is enough to tell all built-in kinds' fields apart.
// Kubernetes: the tags `patchStrategy` and `patchMergeKey` in staging/src/k8s.io/api/*/types.go

const inEveryContainer: Record<string, string> = {
  env: 'name',
  ports: 'containerPort',
  volumeDevices: 'devicePath',
  volumeMounts: 'mountPath',
};

/** Lists of objects, and the field that identifies an item. */
const mergeKeys: Record<string, string> = {
  'metadata.ownerReferences': 'uid',
  'status.conditions': 'type',

  // Pods
  'spec.containers': 'name',
  'spec.initContainers': 'name',
  'spec.ephemeralContainers': 'name',
  'spec.volumes': 'name',
  'spec.imagePullSecrets': 'name',
  'spec.hostAliases': 'ip',
  'spec.topologySpreadConstraints': 'topologyKey',
  'spec.schedulingGates': 'name',
  'spec.resourceClaims': 'name',
  'status.podIPs': 'ip',
  'status.hostIPs': 'ip',
  'status.resourceClaimStatuses': 'name',
  ...Object.fromEntries(
    ['containers', 'initContainers', 'ephemeralContainers'].flatMap((list) =>
      Object.entries(inEveryContainer).map(([field, key]) => [`${list}.${field}`, key]),
    ),
  ),

  // Services, Nodes, CSINodes, ServiceAccounts (whose list stands at the top of the object)
  'spec.ports': 'port',
  'status.addresses': 'type',
  'spec.drivers': 'name',
  '.secrets': 'name',

  // Webhooks, policies
  '.webhooks': 'name',
  'webhooks.matchConditions': 'name',
  'spec.matchConditions': 'name',
  'spec.variables': 'name',
};

/** Lists of plain values that are merged as sets. */
const sets = new Set(['metadata.finalizers', 'spec.podCIDRs']);

/** Objects of which only one variant may be set: a patch names those fields that stay in `$retainKeys`. */
const unions = new Set(['spec.strategy', 'spec.volumes', 'spec.resourceClaims', 'status.resourceClaimStatuses']);

/** How the list `field` in the object at `parent` is merged; `parent` is `''` at the top of the object. */
export function listStrategy(parent: string, field: string): 'atomic' | 'set' | { mergeKey: string } {
  const path = `${parent}.${field}`;
  const mergeKey = mergeKeys[path];
  if (mergeKey) return { mergeKey };
  return sets.has(path) ? 'set' : 'atomic';
}

/** Whether clients should send `$retainKeys` for this field; it is only told to them (OpenAPI), the patch itself carries it. */
export function retainsKeys(parent: string, field: string): boolean {
  return unions.has(`${parent}.${field}`);
}
