// What a pod's author may leave out, and what it means then. Pods come alone and inside templates; both are treated alike.
// Kubernetes: pkg/apis/core/v1/defaults.go

import type { Container, PodSpec, Probe, ResourceRequirements, Volume } from 'kubernetes-types/core/v1';
import { NotImplemented } from '#kit/not-implemented';
import type { ResourceList } from '#kit/resource-list';

const fileMode = 0o644;

export function setPodSpecDefaults(spec: PodSpec): void {
  spec.restartPolicy ??= 'Always';
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.schedulerName ??= 'default-scheduler';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.securityContext ??= {};
  // The same field under its old name.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) Object.assign(spec, { serviceAccountName: account, serviceAccount: account });
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    setContainerDefaults(container);
    if (spec.hostNetwork) for (const port of container.ports ?? []) port.hostPort ??= port.containerPort;
  }
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
}

export function setContainerDefaults(container: Container): void {
  container.imagePullPolicy ??= pullPolicyFor(container.image ?? '');
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  const resources = inTexts(container.resources ?? {});
  container.resources = resources.limits ? withDefaultRequests(resources) : resources;
  for (const port of container.ports ?? []) port.protocol ??= 'TCP';
  for (const { valueFrom } of container.env ?? []) if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ??= 'v1';
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) if (probe) setProbeDefaults(probe);
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) if (handler) setHandlerDefaults(handler);
}

/** `cpu: 2` is as good as `cpu: "2"`, and is kept as that. */
function inTexts({ requests, limits, ...rest }: ResourceRequirements): ResourceRequirements {
  const texts = (list: ResourceList) => Object.fromEntries(Object.entries(list).map(([name, amount]) => [name, String(amount)]));
  return { ...rest, ...(limits && { limits: texts(limits) }), ...(requests && { requests: texts(requests) }) };
}

/**
 * The resources of a container that has limits: who sets a limit for a resource, and no request, requests as much as the limit. A request
 * that the author has set stays as it is.
 */
export function withDefaultRequests(resources: ResourceRequirements): ResourceRequirements {
  throw new NotImplemented('2.7', 'Let each limit without a request be its own request');
}

/** An image without a tag, or with `latest`, may mean something else tomorrow: it is pulled each time. */
export function pullPolicyFor(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  return !name.includes(':') || name.endsWith(':latest') ? 'Always' : 'IfNotPresent';
}

function setProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= '';
  setHandlerDefaults(probe);
}

function setHandlerDefaults({ httpGet }: Pick<Probe, 'httpGet'>): void {
  if (!httpGet) return;
  httpGet.path ||= '/';
  httpGet.scheme ??= 'HTTP';
}

function setVolumeDefaults(volume: Volume): void {
  const { name: _, ...sources } = volume;
  if (Object.keys(sources).length === 0) volume.emptyDir = {};
  for (const files of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected]) if (files) files.defaultMode ??= fileMode;
  if (volume.hostPath) volume.hostPath.type ??= '';
  const projected = volume.projected?.sources ?? [];
  for (const { serviceAccountToken } of projected) if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= 3600;
  const downward = [volume.downwardAPI, ...projected.map(({ downwardAPI }) => downwardAPI)].flatMap((source) => source?.items ?? []);
  for (const { fieldRef } of downward) if (fieldRef) fieldRef.apiVersion ??= 'v1';
}
