// What every controller is given, and what it is to those who run it.

import type { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import type { Informers } from './informers.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ControllerContext extends ComponentContext {
  client: Client;
  informers: Informers;
}

/** Registers its change handlers when it is made; is run when the caches are filled. */
export interface Controller {
  /** As in real Kubernetes: `deployment-controller`. */
  readonly name: string;
  readonly workers: number;
  readonly queue: WorkQueue;
  reconcile(key: string): Promise<void>;
}
