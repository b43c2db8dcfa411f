// What the tests of this chapter share: builders for the objects that controllers make from others, and a control plane with the
// controllers of a stage running in this process. There is no kubelet here: the tests play it, by writing pod status.

import { startControllerManager } from '#controller-manager';
import {
  type Deployment,
  type KubernetesObject,
  Namespaces,
  type Pod,
  Pods,
  type PodTemplateSpec,
  type ReplicaSet,
  type Resource,
  type Service,
} from '#kit/api';
import type { Client, WatchEvent, WatchOptions } from '#kit/client';
import { systemClock, timestamp } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { isConflict, isNotFound } from '#kit/status';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

export interface Controllers {
  client: Client;
  /** Makes a namespace of the test's own, and begins its story: tests share a control plane and nothing else. */
  namespace(): Promise<string>;
  /** Starts these controllers, all over one client: `client`, or the one given. */
  run(names: string[], client?: Client): Promise<RunningComponent>;
  /** From now on every pod runs and is ready as soon as it is there, except those whose image is `brokenImage`. */
  runPods(): void;
  /** Waits up to 8 s, tells the timeline when it gives up. */
  eventually: TestControlPlane['eventually'];
  /** Stops controllers and control plane. */
  stop(): Promise<void>;
}

export async function startControlPlane(): Promise<Controllers> {
  const plane = await startTestControlPlane();
  const running: RunningComponent[] = [];
  const stopping = new AbortController();
  let playing: Promise<void> = Promise.resolve();
  return {
    client: plane.client,
    async namespace() {
      plane.beginStory();
      const { metadata } = await plane.client.create(Namespaces, { metadata: { generateName: 'test-' } });
      return metadata?.name ?? '';
    },
    async run(controllers, client = plane.client) {
      const manager = await startControllerManager({ client, controllers, listen: { host: '127.0.0.1', port: 0 }, ...plane.context });
      running.push(manager);
      return manager;
    },
    runPods() {
      playing = playKubelets(plane.client, stopping.signal);
    },
    eventually: (what, check, options) => plane.eventually(what, check, { within: 8_000, ...options }),
    async stop() {
      stopping.abort();
      await playing;
      await Promise.all(running.map((manager) => manager.stop()));
      await plane.stop();
    },
  };
}

/** What a kubelet writes about a pod that runs and is ready. */
export function runningStatus(ip: string): NonNullable<Pod['status']> {
  const now = timestamp(systemClock);
  return {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }],
  };
}

let addresses = 1;

/** Plays the kubelet for one pod: it runs and is ready, or what `status` says. */
export async function playKubelet(
  client: Client,
  pod: Pod,
  status: NonNullable<Pod['status']> = runningStatus(newAddress()),
): Promise<void> {
  await change(client, Pods, pod, (fresh) => ({ ...fresh, status: { ...fresh.status, ...status } }), 'status');
}

export function newAddress(): string {
  addresses++;
  return `10.244.${addresses >> 8}.${addresses & 255}`;
}

/** Makes every active pod of the namespace run and be ready that is not yet; answers how many it found. */
export async function allReady(client: Client, namespace: string): Promise<void> {
  for (const pod of await activePods(client, namespace)) if (pod.status?.phase !== 'Running') await playKubelet(client, pod);
}

export const brokenImage = 'kubekata/echo:broken';

async function playKubelets(client: Client, signal: AbortSignal): Promise<void> {
  for await (const { type, object: pod } of client.watch(Pods, { signal })) {
    if (type === 'ADDED' && pod.spec?.containers[0]?.image !== brokenImage) await playKubelet(client, pod);
  }
}

/** Keeps the pod from going when it is deleted, as containers that take their time to stop do. */
export function holdBack(client: Client, pod: Pod): Promise<void> {
  return change(client, Pods, pod, (fresh) => ({ ...fresh, metadata: { ...fresh.metadata, finalizers: ['test/hold-back'] } }));
}

export function letGo(client: Client, pod: Pod): Promise<void> {
  return change(client, Pods, pod, (fresh) => ({ ...fresh, metadata: { ...fresh.metadata, finalizers: [] } }));
}

export async function activePods(client: Client, namespace: string): Promise<Pod[]> {
  const { items } = await client.list(Pods, { namespace });
  return items.filter(
    ({ metadata, status }) => !metadata?.deletionTimestamp && status?.phase !== 'Failed' && status?.phase !== 'Succeeded',
  );
}

/** Reads, changes and writes, again when somebody else wrote in between. An object that is gone is left alone. */
export async function change<T extends KubernetesObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
  how: (fresh: T) => T,
  subresource?: 'status',
): Promise<void> {
  const { name = '', namespace } = object.metadata ?? {};
  while (true) {
    try {
      const changed = how(await client.get(resource, { name, namespace }));
      await (subresource ? client.updateStatus(resource, changed) : client.update(resource, changed));
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
    }
  }
}

export const names = (objects: KubernetesObject[]): string[] => objects.map(({ metadata }) => metadata?.name ?? '').sort();
export const echoTemplate = (image = 'kubekata/echo:v1'): PodTemplateSpec => ({
  metadata: { labels: { app: 'echo' } },
  spec: { containers: [{ name: 'echo', image }] },
});

/** `echo`: so many replicas of the echo server, labelled `app: echo`. */
export function echoSet(namespace: string, replicas: number): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'echo', namespace },
    spec: { replicas, selector: { matchLabels: { app: 'echo' } }, template: echoTemplate() },
  };
}

/** `echo`: port 80, answered by the echo server's port 8080. */
export function echoService(namespace: string, spec: Partial<NonNullable<Service['spec']>> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'echo', namespace },
    spec: { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  };
}

export function echoDeployment(namespace: string, replicas: number, spec: Partial<NonNullable<Deployment['spec']>> = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'echo', namespace },
    spec: { replicas, selector: { matchLabels: { app: 'echo' } }, template: echoTemplate(), ...spec },
  };
}

/** A client whose watches of one resource tell nothing before `release()`. */
export function lagging(client: Client, resource: Resource<KubernetesObject>): { client: Client; release(): void } {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* watch(of: Resource<KubernetesObject>, options: WatchOptions): AsyncGenerator<WatchEvent<KubernetesObject>> {
    const stopped = new Promise<void>((resolve) => options.signal?.addEventListener('abort', () => resolve()));
    for await (const event of client.watch(of, options)) {
      if (of.plural === resource.plural) await Promise.race([released, stopped]);
      yield event;
    }
  }
  return { client: instead(client, { watch } as Partial<Client>), release };
}

/**
 * A client that learns late and adopts slowly: before it has been told of a pod named `news`, its watch keeps back every pod
 * that has an owner, and its patches of pods wait. So the news comes in the middle of an adoption.
 */
export function learningLate(client: Client): { client: Client; created: string[]; patching(): boolean } {
  let told = () => {};
  let patching = false;
  const news = new Promise<void>((resolve) => {
    told = resolve;
  });
  const created: string[] = [];
  async function* watch(of: Resource<KubernetesObject>, options: WatchOptions): AsyncGenerator<WatchEvent<KubernetesObject>> {
    options.signal?.addEventListener('abort', told);
    let kept: WatchEvent<KubernetesObject>[] | undefined = of.plural === Pods.plural ? [] : undefined;
    for await (const event of client.watch(of, options)) {
      if (kept && event.object.metadata?.name === 'news') {
        yield* kept;
        kept = undefined;
        yield event;
        // Who asks for the next event has done with this one.
        told();
      } else if (kept && event.object.metadata?.ownerReferences) kept.push(event);
      else yield event;
    }
  }
  const methods: Partial<Client> = {
    create: (of, object) => {
      if (of.plural === Pods.plural) created.push(object.metadata?.generateName ?? '');
      return client.create(of, object);
    },
    patch: async (of, ...rest) => {
      if (of.plural === Pods.plural) {
        patching = true;
        await news;
      }
      return client.patch(of, ...rest);
    },
  };
  return { client: instead(client, { ...methods, watch } as Partial<Client>), created, patching: () => patching };
}

/** A client that cannot create or delete objects of one resource before `release()`. */
export function refusing(
  client: Client,
  verb: 'create' | 'delete',
  resource: Resource<KubernetesObject>,
  error: Error,
): { client: Client; release(): void } {
  let refuses = true;
  const call: Client['create'] & Client['delete'] = async (of: Resource<KubernetesObject>, ...rest: [KubernetesObject]) => {
    if (refuses && of.plural === resource.plural) throw error;
    return Reflect.apply(client[verb], client, [of, ...rest]);
  };
  const release = () => {
    refuses = false;
  };
  return { client: instead(client, { [verb]: call }), release };
}

/** A client that remembers which objects of one resource were written, by name, once for each write. */
export function recording(client: Client, resource: Resource<KubernetesObject>): { client: Client; writes: string[] } {
  const writes: string[] = [];
  const record = (of: Resource<KubernetesObject>, name = '') => {
    if (of.plural === resource.plural) writes.push(name);
  };
  const methods: Partial<Client> = {
    update: (of, object) => {
      record(of, object.metadata?.name);
      return client.update(of, object);
    },
    updateStatus: (of, object) => {
      record(of, object.metadata?.name);
      return client.updateStatus(of, object);
    },
    patch: (of, object, ...rest) => {
      record(of, object.name);
      return client.patch(of, object, ...rest);
    },
  };
  return { client: instead(client, methods), writes };
}

function instead(client: Client, methods: Partial<Client>): Client {
  return new Proxy(client, {
    get(target, name) {
      const own = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
