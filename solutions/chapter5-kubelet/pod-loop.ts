// Which pods this node has: a worker for each pod that is bound to it, from the moment it is seen until nothing of it is left.
// What the runtime has and the API doesn't is removed.
// Kubernetes: pkg/kubelet/kubelet.go (syncLoopIteration), pkg/kubelet/kubelet_pods.go (HandlePodCleanups)

import { Informer } from '#controller-manager/informer';
import { type Container, type Pod, Pods, type Service, Services } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import type { EventRecorder } from '#kit/events';
import { type ClusterDns, podDns } from './dns.ts';
import type { EnvironmentSources } from './environment.ts';
import { eventsOf, type Happening } from './pod-happenings.ts';
import { PodVolumes } from './pod-volumes.ts';
import { PodWorker } from './pod-worker.ts';
import { fetchReferences } from './references.ts';
import type { ContainerRuntime, RuntimePod } from './runtime.ts';
import { StatusWriter } from './status-writer.ts';
import type { Volumes } from './volumes.ts';

export interface PodLoopOptions {
  client: Client;
  nodeName: string;
  nodeIp: string;
  runtime: ContainerRuntime;
  volumes: Volumes | undefined;
  dns: ClusterDns;
  events: EventRecorder;
}

/** For what is left of pods that nobody knows any more. Seconds. */
const orphanGraceSeconds = 2;

export class PodLoop {
  readonly #options: PodLoopOptions;
  readonly #context: ComponentContext;
  readonly #pods: Informer<Pod>;
  readonly #services: Informer<Service>;
  readonly #statuses: StatusWriter;
  readonly #workers = new Map<string, PodWorker>();
  #begun: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: PodLoopOptions, context: ComponentContext) {
    this.#options = options;
    this.#context = context;
    this.#pods = new Informer(options.client, Pods, context, { fieldSelector: `spec.nodeName=${options.nodeName}` });
    this.#services = new Informer(options.client, Services, context);
    this.#statuses = new StatusWriter(options.client, context);
    options.runtime.onChange((uid) => this.#workers.get(uid)?.wake());
    this.#pods.onChange({
      added: (pod) => this.#seen(pod),
      updated: (pod) => this.#seen(pod),
      deleted: ({ metadata }) => this.#workers.get(metadata?.uid ?? '')?.removed(),
    });
  }

  /** After the runtime was started. Returns at once: the API server may not be there yet. */
  start(): void {
    this.#begun = this.#begin().catch((error) => this.#context.log.error('the kubelet can not follow its pods', { error }));
  }

  /** Lets go of the pods; they go on running. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#pods.stop(), this.#services.stop()]);
    await this.#begun;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    await this.#statuses.stop();
  }

  /** The pods bound to this node, as the API has them. */
  list(): Pod[] {
    return this.#pods.list();
  }

  get(namespace: string, name: string): Pod | undefined {
    return this.#pods.get(`${namespace}/${name}`);
  }

  async #begin(): Promise<void> {
    // Services first: a container's environment is made once and tells of those there were.
    await this.#services.start();
    if (this.#stopped) return;
    await this.#pods.start();
    const { runtime, volumes } = this.#options;
    const orphans = runtime.pods().filter(({ uid }) => !this.#workers.has(uid));
    await Promise.all(orphans.map((orphan) => this.#removeOrphan(orphan)));
    await volumes?.keepOnly((uid) => this.#workers.has(uid));
  }

  #seen(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const known = this.#workers.get(uid);
    known?.update(pod);
    this.#statuses.seen(pod);
    if (known || this.#stopped) return;
    const worker = this.#worker(pod, uid);
    this.#workers.set(uid, worker);
    worker.wake();
  }

  #worker(pod: Pod, uid: string): PodWorker {
    const { client, nodeIp, runtime, volumes, dns, events } = this.#options;
    const { clock, log } = this.#context;
    return new PodWorker(pod, {
      client,
      runtime,
      clock,
      log,
      hostIp: nodeIp,
      statuses: this.#statuses,
      dns: (pod) => podDns(pod, dns),
      environmentSources: (pod, container, podIp) => this.#environmentSources(pod, container, podIp),
      report: (happening) => this.#report(pod, happening),
      volumes: new PodVolumes({ volumes, clock, warn: (reason, message) => events.event(pod, 'Warning', reason, message) }),
      done: () => this.#workers.delete(uid),
    });
  }

  async #environmentSources(pod: Pod, container: Container, podIp: string): Promise<EnvironmentSources> {
    const references = await fetchReferences(this.#options.client, pod, container);
    return { ...references, podIp, hostIp: this.#options.nodeIp, services: this.#services.list() };
  }

  #report(pod: Pod, happening: Happening): void {
    for (const { type, reason, message } of eventsOf(happening, pod)) this.#options.events.event(pod, type, reason, message);
  }

  /** Its pod was deleted by force while no kubelet ran here. */
  async #removeOrphan({ name, namespace, containers, sandboxes }: RuntimePod): Promise<void> {
    const { runtime } = this.#options;
    this.#context.log.info('removing a pod that is no longer in the API', { pod: name, namespace });
    const running = containers.filter(({ state }) => state === 'running');
    await Promise.all(running.map(({ id }) => runtime.stopContainer(id, orphanGraceSeconds)));
    await Promise.all(containers.map(({ id }) => runtime.removeContainer(id)));
    await Promise.all(sandboxes.map(({ id }) => runtime.removeSandbox(id)));
  }
}
