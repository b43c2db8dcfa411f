// Every namespace has a ConfigMap `kube-root-ca.crt` with the certificate of the CA that signed the API server's: a pod that has it
// knows that it talks to the cluster, and to nobody else.
// Kubernetes: pkg/controller/certificates/rootcacertpublisher/publisher.go

import { type ConfigMap, ConfigMaps, type Namespace, Namespaces } from '#kit/api';
import type { Client } from '#kit/client';
import { isAlreadyExists } from '#kit/status';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { eachNamespace, isActive } from './namespaces.ts';
import { WorkQueue } from './work-queue.ts';

const name = 'kube-root-ca.crt';
const description = { 'kubernetes.io/description': 'The CA of the API server, for clients inside the cluster' };

export class RootCaPublisher implements Controller {
  readonly name = 'root-ca-certificate-publisher-controller';
  readonly workers = 1;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #data: Record<string, string>;
  readonly #namespaces: Informer<Namespace>;
  readonly #configMaps: Informer<ConfigMap>;

  /** @param rootCa PEM */
  constructor(context: ControllerContext, rootCa: string) {
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#data = { 'ca.crt': rootCa };
    this.#namespaces = context.informers.for(Namespaces);
    this.#configMaps = context.informers.for(ConfigMaps);
    eachNamespace(this.#namespaces, this.queue);
    const look = ({ metadata }: ConfigMap) => {
      if (metadata?.name === name) this.queue.add(metadata.namespace ?? '');
    };
    this.#configMaps.onChange({ updated: look, deleted: look });
  }

  async reconcile(namespace: string): Promise<void> {
    if (!isActive(this.#namespaces.get(namespace))) return;
    const present = this.#configMaps.get(`${namespace}/${name}`);
    if (present) return this.#repair(present);
    try {
      await this.#client.create(ConfigMaps, { metadata: { name, namespace, annotations: description }, data: this.#data });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #repair(present: ConfigMap): Promise<void> {
    const { data = {} } = present;
    if (data['ca.crt'] === this.#data['ca.crt'] && Object.keys(data).length === 1) return;
    await this.#client.update(ConfigMaps, { ...present, data: this.#data });
  }
}
