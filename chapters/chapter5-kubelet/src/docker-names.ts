// The names and labels of a pod's Docker containers. They are the kubelet's memory: it keeps no file, so whatever it must know
// after a restart is written on the containers themselves. A name says everything that makes a container unique, so that Docker
// itself refuses to make the same one twice.
// Kubernetes: pkg/kubelet/dockershim/naming.go and labels.go (until 1.23, when the kubelet spoke to Docker)

import { createHash } from 'node:crypto';
import type { Container, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';

export const typeLabel = 'io.kubernetes.docker.type';
export const podNameLabel = 'io.kubernetes.pod.name';
export const podNamespaceLabel = 'io.kubernetes.pod.namespace';
export const podUidLabel = 'io.kubernetes.pod.uid';
export const containerNameLabel = 'io.kubernetes.container.name';
export const sandboxIdLabel = 'io.kubernetes.sandbox.id';
export const hashLabel = 'annotation.io.kubernetes.container.hash';
/** The course's own: the address that the sandbox was given. */
export const podIpLabel = 'kubekata.pod-ip';

/** The sandbox's name in the place of a container's. */
export const sandboxName = 'POD';

export type Labels = Record<string, string>;

/**
 * `k8s_<container>_<pod>_<namespace>_<uid>_<attempt>`; for the sandbox the container is `POD`. No part may contain an underscore,
 * and Kubernetes' names can't.
 */
export function dockerName(containerName: string, pod: Pod, attempt: number): string {
  throw new NotImplemented('5.2', 'Join the parts that make this container unique, with the attempt at the end');
}

/** The attempt at the end of a name that `dockerName` made; Docker puts a slash before names. */
export function attemptOf(name: string): number {
  throw new NotImplemented('5.2', "Read the attempt from the name's last part");
}

/**
 * Labels that every container of the pod carries, the sandbox included: type, the pod's name, namespace and uid, the container's
 * name. The type is `podsandbox` for the sandbox and `container` for the rest.
 */
export function podLabels(containerName: string, pod: Pod): Labels {
  throw new NotImplemented('5.2', 'Say in labels which pod and which container this is');
}

/** Changes when the container must be made anew. Of a running pod's containers only the image can change. */
export function containerHash({ name, image }: Container): string {
  return createHash('sha256')
    .update(JSON.stringify([name, image]))
    .digest('hex')
    .slice(0, 8);
}
