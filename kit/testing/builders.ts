// Objects for tests, named by what matters in them: `pod('web').requesting({ cpu: '500m' })`, `node('node-1').allocatable({ cpu: '2' })`.
// A builder is the object itself: give it to `client.create` as it is. Every method changes it and returns it.

import type { Container, Node, ObjectMeta, OwnerReference, Pod, PodSpec } from '#kit/api';

type Quantities = Record<string, string>;

/** A node that is Ready, has 4 CPUs and 8 GiB and takes 110 pods. */
export function node(name: string): NodeBuilder {
  return new NodeBuilder(name);
}

/** A pod in namespace `default` with one container of the image `kubekata/echo:v1` that requests nothing. */
export function pod(name: string, namespace = 'default'): PodBuilder {
  return new PodBuilder(name, namespace);
}

export class NodeBuilder implements Node {
  readonly apiVersion = 'v1';
  readonly kind = 'Node';
  readonly metadata: ObjectMeta & { name: string };
  readonly spec: NonNullable<Node['spec']> = {};
  readonly status: NonNullable<Node['status']>;

  constructor(name: string) {
    const room = { cpu: '4', memory: '8Gi', pods: '110' };
    this.metadata = { name, labels: { 'kubernetes.io/hostname': name } };
    this.status = { capacity: { ...room }, allocatable: { ...room } };
    this.ready('True');
  }

  /** What pods may request; what is not named here stays as it is. */
  allocatable(room: Quantities): this {
    this.status.allocatable = { ...this.status.allocatable, ...room };
    return this;
  }

  labelled(labels: Record<string, string>): this {
    this.metadata.labels = { ...this.metadata.labels, ...labels };
    return this;
  }

  /** As `kubectl cordon` does. */
  cordoned(): this {
    this.spec.unschedulable = true;
    return this;
  }

  tainted(key: string, effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute', value?: string): this {
    this.spec.taints = [...(this.spec.taints ?? []), { key, effect, ...(value === undefined ? {} : { value }) }];
    return this;
  }

  /** What the node's kubelet says of it; `Unknown` is what is said for it when it no longer says anything. */
  ready(status: 'True' | 'False' | 'Unknown'): this {
    const others = (this.status.conditions ?? []).filter(({ type }) => type !== 'Ready');
    this.status.conditions = [...others, { type: 'Ready', status, reason: 'SetByTest', message: '' }];
    return this;
  }
}

export class PodBuilder implements Pod {
  readonly apiVersion = 'v1';
  readonly kind = 'Pod';
  readonly metadata: ObjectMeta & { name: string; namespace: string };
  readonly spec: PodSpec & { containers: [Container, ...Container[]] };
  readonly status: NonNullable<Pod['status']> = {};

  constructor(name: string, namespace: string) {
    this.metadata = { name, namespace };
    this.spec = { containers: [{ name: 'echo', image: 'kubekata/echo:v1' }] };
  }

  /** What the first container requests. */
  requesting(requests: Quantities): this {
    this.spec.containers[0].resources = { requests };
    return this;
  }

  /** One more container. */
  withContainer(container: Partial<Container> & { name: string }): this {
    this.spec.containers.push({ image: 'kubekata/echo:v1', ...container });
    return this;
  }

  withInitContainer(container: Partial<Container> & { name: string }): this {
    this.spec.initContainers = [...(this.spec.initContainers ?? []), { image: 'kubekata/busybox:1', ...container }];
    return this;
  }

  labelled(labels: Record<string, string>): this {
    this.metadata.labels = { ...this.metadata.labels, ...labels };
    return this;
  }

  /** Any other fields of the spec. */
  specified(fields: Partial<PodSpec>): this {
    Object.assign(this.spec, fields);
    return this;
  }

  /** The controller that made it. */
  ownedBy(owner: Pick<OwnerReference, 'kind' | 'name' | 'uid'>, apiVersion = 'apps/v1'): this {
    this.metadata.ownerReferences = [{ apiVersion, controller: true, blockOwnerDeletion: true, ...owner }];
    return this;
  }

  /** Already on a node. */
  boundTo(nodeName: string): this {
    this.spec.nodeName = nodeName;
    return this;
  }

  inPhase(phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'): this {
    this.status.phase = phase;
    return this;
  }

  /** It runs, and answers since that moment. */
  ready(since = '2026-01-01T00:00:00Z'): this {
    this.status.phase = 'Running';
    this.status.conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: since }];
    return this;
  }

  at(ip: string): this {
    this.status.podIP = ip;
    this.status.podIPs = [{ ip }];
    return this;
  }

  restarted(times: number): this {
    const { name, image = '' } = this.spec.containers[0];
    this.status.containerStatuses = [{ name, image, imageID: '', ready: true, restartCount: times }];
    return this;
  }

  annotated(annotations: Record<string, string>): this {
    this.metadata.annotations = { ...this.metadata.annotations, ...annotations };
    return this;
  }

  createdAt(moment: string): this {
    Object.assign(this.metadata, { creationTimestamp: moment });
    return this;
  }

  /** Being deleted: its containers may still run. */
  terminating(since = '2026-01-01T00:00:00Z'): this {
    Object.assign(this.metadata, { deletionTimestamp: since });
    return this;
  }
}
