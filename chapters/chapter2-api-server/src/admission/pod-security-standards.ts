// The Pod Security Standards: what a pod must not do to be `baseline` (nothing that is known to lead out of a container), and what it must
// say, besides, to be `restricted` (as little as possible). Each check answers in the words that people search the web for.
// Kubernetes: staging/src/k8s.io/pod-security-admission/policy

import type { Container, PodSecurityContext, PodSpec, SecurityContext } from 'kubernetes-types/core/v1';

export type SecurityLevel = 'privileged' | 'baseline' | 'restricted';
export const securityLevels: SecurityLevel[] = ['privileged', 'baseline', 'restricted'];

/** `runAsUser=0 (pod must not set runAsUser=0)`; undefined when there is nothing to say. */
type Check = (spec: PodSpec) => string | undefined;

const defaultCapabilities = ['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'].concat([
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const safeSysctls =
  /^(kernel\.shm_rmid_forced|net\.ipv4\.(ip_local_port_range|ip_unprivileged_port_start|tcp_syncookies|ping_group_range|ip_local_reserved_ports|tcp_keepalive_(time|intvl|probes)|tcp_fin_timeout|tcp_[rw]mem))$/;
const safeSeLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const harmlessVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const safeSeccomp = ['RuntimeDefault', 'Localhost'];

/** All that a pod does against a level. */
export function violations(spec: PodSpec, level: SecurityLevel): string[] {
  return checks[level].flatMap((check) => check(spec) ?? []);
}

const capabilitiesBeyondDefault: Check = (spec) => {
  const added = containersWhere(spec, ({ capabilities }) => capabilities?.add?.some((name) => !defaultCapabilities.includes(name)));
  const names = added
    .flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? [])
    .filter((name) => !defaultCapabilities.includes(name));
  return said('non-default capabilities', added.length > 0 && mustNotInclude(added, names));
};

const hostNamespaces: Check = (spec) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]).map((field) => `${field}=true`);
  return said('host namespaces', used.join(', '));
};

const hostPaths: Check = ({ volumes = [] }) => {
  const used = volumes.filter(({ hostPath }) => hostPath).map(({ name }) => name);
  return said('hostPath volumes', used.length > 0 && named('volume', used));
};

const hostPorts: Check = (spec) => {
  const portsOf = ({ ports = [] }: Container) => ports.flatMap(({ hostPort }) => hostPort || []);
  const users = all(spec).filter((container) => portsOf(container).length > 0);
  const ports = [...new Set(users.flatMap(portsOf))].sort((one, other) => one - other);
  const verb = users.length > 1 ? 'use' : 'uses';
  const detail = `${containers(users)} ${verb} hostPort${ports.length > 1 ? 's' : ''} ${ports.join(', ')}`;
  return said('hostPort', users.length > 0 && detail);
};

const privileged: Check = (spec) => {
  const bad = containersWhere(spec, (context) => context.privileged);
  return said('privileged', bad.length > 0 && `${containers(bad)} must not set securityContext.privileged=true`);
};

const seLinuxOptions: Check = (spec) => {
  const isBad = ({ seLinuxOptions: options }: PodSecurityContext) =>
    !!options && (!safeSeLinuxTypes.includes(options.type ?? '') || !!options.user || !!options.role);
  const setters = settersWhere(spec, isBad);
  const options = [spec.securityContext, ...all(spec).map(({ securityContext }) => securityContext)].flatMap(
    (context) => context?.seLinuxOptions ?? [],
  );
  const types = options.flatMap(({ type = '' }) => (safeSeLinuxTypes.includes(type) ? [] : type));
  const faults = [
    ...(types.length > 0 ? [`type${types.length > 1 ? 's' : ''} ${quoted(types)}`] : []),
    ...(options.some(({ user }) => user) ? ['user may not be set'] : []),
    ...(options.some(({ role }) => role) ? ['role may not be set'] : []),
  ];
  return said('seLinuxOptions', setters && `${setters} set forbidden securityContext.seLinuxOptions: ${faults.join('; ')}`);
};

const sysctls: Check = ({ securityContext }) => {
  const forbidden = (securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safeSysctls.test(name));
  return said('forbidden sysctls', forbidden.join(', '));
};

const unconfined: Check = (spec) => {
  const bad = (context: PodSecurityContext) => !!context.seccompProfile && !safeSeccomp.includes(context.seccompProfile.type);
  const setters = settersWhere(spec, bad);
  const types = [spec.securityContext, ...all(spec).map(({ securityContext }) => securityContext)].flatMap((context) =>
    context && bad(context) ? (context.seccompProfile?.type ?? '') : [],
  );
  return said('seccompProfile', setters && `${setters} must not set securityContext.seccompProfile.type to ${quoted(types)}`);
};

const escalation: Check = (spec) => {
  const bad = containersWhere(spec, (context) => context.allowPrivilegeEscalation !== false);
  return said(
    'allowPrivilegeEscalation != false',
    bad.length > 0 && `${containers(bad)} must set securityContext.allowPrivilegeEscalation=false`,
  );
};

const anyCapabilities: Check = (spec) => {
  const isForbidden = (name: string) => name !== 'NET_BIND_SERVICE';
  const keeping = containersWhere(spec, ({ capabilities }) => !capabilities?.drop?.includes('ALL'));
  const adding = containersWhere(spec, ({ capabilities }) => capabilities?.add?.some(isForbidden));
  const names = adding.flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? []).filter(isForbidden);
  const details = [
    ...(keeping.length > 0 ? [`${containers(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0 ? [mustNotInclude(adding, names)] : []),
  ];
  return said('unrestricted capabilities', details.join('; '));
};

const volumeTypes: Check = ({ volumes = [] }) => {
  const typeOf = ({ name: _, ...source }: { name: string }) => Object.keys(source)[0] ?? '';
  const bad = volumes.filter((volume) => !harmlessVolumes.includes(typeOf(volume)));
  const types = [...new Set(bad.map(typeOf))].sort();
  const verb = bad.length > 1 ? 'use' : 'uses';
  const detail = `${named(
    'volume',
    bad.map(({ name }) => name),
  )} ${verb} restricted volume type${types.length > 1 ? 's' : ''} ${quoted(types)}`;
  return said('restricted volume types', bad.length > 0 && detail);
};

const runAsNonRoot: Check = (spec) => {
  const setters = settersWhere(spec, (context) => context.runAsNonRoot === false);
  const silent = containersWhere(spec, (context) => context.runAsNonRoot === undefined);
  const missing = spec.securityContext?.runAsNonRoot !== true && silent.length > 0;
  if (setters) return said('runAsNonRoot != true', `${setters} must not set securityContext.runAsNonRoot=false`);
  return said('runAsNonRoot != true', missing && `pod or ${containers(silent)} must set securityContext.runAsNonRoot=true`);
};

const runAsRoot: Check = (spec) => {
  const setters = settersWhere(spec, (context) => context.runAsUser === 0);
  return said('runAsUser=0', setters && `${setters} must not set runAsUser=0`);
};

const confined: Check = (spec) => {
  const silent = containersWhere(spec, (context) => context.seccompProfile === undefined);
  const missing = spec.securityContext?.seccompProfile === undefined && silent.length > 0;
  const wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return unconfined(spec) ?? said('seccompProfile', missing && `pod or ${containers(silent)} ${wanted}`);
};

const everywhere = [hostPorts, privileged, seLinuxOptions];
/** Where `restricted` has a stricter check for the same thing, it takes the place of baseline's. */
const checks: Record<SecurityLevel, Check[]> = {
  privileged: [],
  baseline: [capabilitiesBeyondDefault, hostNamespaces, hostPaths, ...everywhere, unconfined, sysctls],
  restricted: [hostNamespaces, ...everywhere, sysctls, escalation, anyCapabilities, volumeTypes, runAsNonRoot, runAsRoot, confined],
};

function said(what: string, detail: string | false): string | undefined {
  return detail ? `${what} (${detail})` : undefined;
}

function all({ containers = [], initContainers = [] }: PodSpec): Container[] {
  return [...initContainers, ...containers];
}

function containersWhere(spec: PodSpec, is: (context: SecurityContext) => boolean | undefined): Container[] {
  return all(spec).filter(({ securityContext }) => is(securityContext ?? {}));
}

/** `pod and container "a"`; empty when nobody is it. */
function settersWhere(spec: PodSpec, is: (context: PodSecurityContext) => boolean): string {
  const bad = containersWhere(spec, (context) => is(context as PodSecurityContext));
  return [...(is(spec.securityContext ?? {}) ? ['pod'] : []), ...(bad.length > 0 ? [containers(bad)] : [])].join(' and ');
}

function mustNotInclude(bad: Container[], names: string[]): string {
  return `${containers(bad)} must not include ${quoted([...new Set(names)].sort())} in securityContext.capabilities.add`;
}

function containers(list: Container[]): string {
  return named(
    'container',
    list.map(({ name }) => name),
  );
}

/** `volume "a"`, `volumes "a", "b"` */
function named(what: string, names: string[]): string {
  return `${what}${names.length > 1 ? 's' : ''} ${quoted(names)}`;
}

function quoted(names: string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}
