// Every namespace has a service account called `default`: who a pod is that does not say who it is.
// Kubernetes: pkg/controller/serviceaccount/serviceaccounts_controller.go

import { type Namespace, Namespaces, type ServiceAccount, ServiceAccounts } from '#kit/api';
import type { Client } from '#kit/client';
import { isAlreadyExists } from '#kit/status';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { eachNamespace, isActive } from './namespaces.ts';
import { WorkQueue } from './work-queue.ts';

const name = 'default';

export class ServiceAccountController implements Controller {
  readonly name = 'serviceaccount-controller';
  readonly workers = 1;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #namespaces: Informer<Namespace>;
  readonly #accounts: Informer<ServiceAccount>;

  constructor(context: ControllerContext) {
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#namespaces = context.informers.for(Namespaces);
    this.#accounts = context.informers.for(ServiceAccounts);
    eachNamespace(this.#namespaces, this.queue);
    this.#accounts.onChange({ deleted: ({ metadata }) => this.queue.add(metadata?.namespace ?? '') });
  }

  async reconcile(namespace: string): Promise<void> {
    if (!isActive(this.#namespaces.get(namespace)) || this.#accounts.get(`${namespace}/${name}`)) return;
    try {
      await this.#client.create(ServiceAccounts, { metadata: { name, namespace } });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
