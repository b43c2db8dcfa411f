// From a pod to what Docker is asked to create: one `pause` container that holds the pod's namespaces, and one container for
// each of the pod's containers, which joins them. Pure.
// Kubernetes: pkg/kubelet/dockershim/docker_sandbox.go, docker_container.go, helpers_linux.go (until 1.23)

import type { ContainerCreateOptions } from 'dockerode';
import type { Container, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { milliValue, parseQuantity, wholeValue } from '#kit/quantity';
import {
  containerHash,
  containerNameLabel,
  dockerName,
  hashLabel,
  type Labels,
  podIpLabel,
  podLabels,
  sandboxIdLabel,
  sandboxName,
} from './docker-names.ts';
import { oomScore, qosClass } from './quality-of-service.ts';
import type { ContainerRequest, SandboxRequest } from './runtime.ts';

/**
 * The sandbox: `image` is pause's, `ip` the address it will be given. It starts without a network (our own network step connects
 * it), shares its IPC namespace, and holds what Docker refuses to containers that join it: host name, DNS and /etc/hosts.
 * `labels` are added to the pod's own.
 */
export function sandboxOptions(
  { pod, attempt, hostname, dns }: SandboxRequest,
  image: string,
  ip: string,
  labels: Labels,
): ContainerCreateOptions {
  throw new NotImplemented('5.2', "Describe the pause container: name, labels, no network yet, shareable IPC, the pod's DNS and host name");
}

/**
 * One container of the pod. It lives in the sandbox's network and IPC namespaces (`container:<sandbox's id>`). Docker itself must
 * never restart it and never check its health: both are the kubelet's work. Empty command or args leave the image's own.
 */
export function containerOptions(request: ContainerRequest, labels: Labels): ContainerCreateOptions {
  throw new NotImplemented('5.2', 'Describe the container: name, labels, image, command, environment, and the sandbox that it joins');
}

/** The least CPU share there is: pause only sleeps. */
const sandboxLimits = { CpuShares: 2, OomScoreAdj: 0 };

function aliases(pod: Pod): string[] {
  return (pod.spec?.hostAliases ?? []).flatMap(({ ip, hostnames = [] }) => hostnames.map((name) => `${name}:${ip}`));
}

/** CPU requests become shares of 1024 a core, limits become hard bounds. Stage 5.10 goes further. */
function limits(pod: Pod, { resources }: Container): NonNullable<ContainerCreateOptions['HostConfig']> {
  const amount = (value: string | undefined) => (value === undefined ? undefined : parseQuantity(value));
  const cpuRequest = amount(resources?.requests?.cpu ?? resources?.limits?.cpu);
  const cpuLimit = amount(resources?.limits?.cpu);
  const memoryLimit = amount(resources?.limits?.memory);
  const memoryRequest = amount(resources?.requests?.memory ?? resources?.limits?.memory);
  return {
    CpuShares: cpuRequest === undefined ? 2 : Math.max(2, Math.floor((milliValue(cpuRequest) * 1024) / 1000)),
    ...(cpuLimit === undefined ? {} : { CpuPeriod: 100_000, CpuQuota: Math.max(1_000, milliValue(cpuLimit) * 100) }),
    // Docker adds as much swap again unless told otherwise.
    ...(memoryLimit === undefined ? {} : { Memory: wholeValue(memoryLimit), MemorySwap: wholeValue(memoryLimit) }),
    OomScoreAdj: oomScore(qosClass(pod), memoryRequest === undefined ? 0 : wholeValue(memoryRequest)),
  };
}

function userOf(pod: Pod, { securityContext }: Container): { User?: string } {
  const user = securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser;
  const group = securityContext?.runAsGroup ?? pod.spec?.securityContext?.runAsGroup;
  if (user === undefined) return {};
  return { User: group === undefined ? String(user) : `${user}:${group}` };
}

function privileges({ securityContext }: Container): NonNullable<ContainerCreateOptions['HostConfig']> {
  const { privileged = false, readOnlyRootFilesystem = false, capabilities, allowPrivilegeEscalation } = securityContext ?? {};
  return {
    Privileged: privileged,
    ReadonlyRootfs: readOnlyRootFilesystem,
    CapAdd: capabilities?.add ?? [],
    CapDrop: capabilities?.drop ?? [],
    ...(allowPrivilegeEscalation === false ? { SecurityOpt: ['no-new-privileges'] } : {}),
  };
}
