// The one thing a scheduler writes that matters: which node a pod goes to. It never sets spec.nodeName itself; it posts a Binding and the
// API server writes the name down, once, if the pod is still the same and has no node yet.
// Kubernetes: pkg/scheduler/framework/plugins/defaultbinder/default_binder.go

import { type Pod, Pods } from '#kit/api';
import type { Client } from '#kit/client';
import { NotImplemented } from '#kit/not-implemented';

/**
 * Posts a `v1` Binding to the pod's `binding` subresource: metadata names the pod (name, namespace, and its uid, so that another
 * pod that took over the name is not bound by mistake), target is `{ apiVersion: 'v1', kind: 'Node', name }`.
 * Rejects with ApiError: Conflict when the pod has a node already or another uid, NotFound when it is gone.
 */
export async function bindPod(client: Client, pod: Pod, nodeName: string): Promise<void> {
  throw new NotImplemented('4.1', 'Post a Binding of the pod to the node');
}
