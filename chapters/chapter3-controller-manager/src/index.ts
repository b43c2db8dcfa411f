// The controller manager: all controllers in one process, over shared informers. It starts serving at once and the controllers
// when the caches are filled, so that none decides from half a picture.
// Kubernetes: cmd/kube-controller-manager/app/controllermanager.go

import type { Client } from '#kit/client';
import type { ComponentContext, ListenAddress, RunningComponent } from '#kit/component';
import { serveHealth } from '#kit/health-server';
import { CertificateApprovingController } from './certificate-approving-controller.ts';
import { CertificateCleaner } from './certificate-cleaner.ts';
import { CertificateSigningController, type ClusterSigning } from './certificate-signing-controller.ts';
import { ClusterRoleAggregation } from './cluster-role-aggregation.ts';
import type { Controller, ControllerContext } from './context.ts';
import { runController } from './controller.ts';
import { DeploymentController } from './deployment-controller.ts';
import { DisruptionController } from './disruption-controller.ts';
import { EndpointSliceController, EndpointsController } from './endpoints-controller.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { Informers } from './informers.ts';
import { NamespaceController } from './namespace-controller.ts';
import { replicaSetController, replicationController } from './replica-set-controller.ts';
import { ResourceQuotaController } from './resource-quota-controller.ts';
import { RootCaPublisher } from './root-ca-publisher.ts';
import { ServiceAccountController } from './service-account-controller.ts';
import { TokensController } from './tokens-controller.ts';

/** By the names that kube-controller-manager's `--controllers` flag takes. */
const controllers: Record<string, (context: ControllerContext, options: ControllerManagerOptions) => Controller | undefined> = {
  'replicaset-controller': replicaSetController,
  'replicationcontroller-controller': replicationController,
  'deployment-controller': (context) => new DeploymentController(context),
  'disruption-controller': (context) => new DisruptionController(context),
  'endpoints-controller': (context) => new EndpointsController(context),
  'endpointslice-controller': (context) => new EndpointSliceController(context),
  'garbage-collector-controller': (context) => new GarbageCollector(context),
  'namespace-controller': (context) => new NamespaceController(context),
  'resourcequota-controller': (context) => new ResourceQuotaController(context),
  'serviceaccount-controller': (context) => new ServiceAccountController(context),
  'serviceaccount-token-controller': (context, { tokenKey, rootCa }) =>
    tokenKey ? new TokensController(context, { tokenKey, rootCa }) : undefined,
  'root-ca-certificate-publisher-controller': (context, { rootCa }) => (rootCa ? new RootCaPublisher(context, rootCa) : undefined),
  'clusterrole-aggregation-controller': (context) => new ClusterRoleAggregation(context),
  'certificatesigningrequest-signing-controller': (context, { signing }) =>
    signing ? new CertificateSigningController(context, signing) : undefined,
  'certificatesigningrequest-approving-controller': (context) => new CertificateApprovingController(context),
  'certificatesigningrequest-cleaner-controller': (context) => new CertificateCleaner(context),
};

export interface ControllerManagerOptions extends ComponentContext {
  client: Client;
  /** /healthz and /metrics, over http. */
  listen: ListenAddress;
  /** Which controllers to run; all when absent. */
  controllers?: string[];
  /** PEM: what pods shall trust the API server by. Absent: nobody publishes it. */
  rootCa?: string;
  /** PEM: what tokens are signed with that lie in Secrets; the API server's. Absent: nobody signs them. */
  tokenKey?: string;
  /** What certificates are signed with that somebody approved. Absent: nobody signs. */
  signing?: ClusterSigning;
}

/** Resolves when every cache is filled and the controllers run; until the API server answers it waits. */
export async function startControllerManager(options: ControllerManagerOptions): Promise<RunningComponent> {
  const { client, listen, controllers: names = Object.keys(controllers), clock, random, log } = options;
  const informers = new Informers(client, { clock, random, log });
  const made = names.flatMap((name) => {
    const make = controllers[name];
    if (!make) throw new Error(`there is no controller "${name}"; there are: ${Object.keys(controllers).join(', ')}`);
    return make({ client, informers, clock, random, log }, options) ?? [];
  });
  const health = await serveHealth({ listen, metrics: () => metricsOf(made) });
  let running: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(running.map((controller) => controller.stop()));
    await informers.stop();
    await health.stop();
  };
  try {
    await informers.start();
  } catch (error) {
    await stop();
    throw error;
  }
  running = made.map((controller) => {
    const { name, queue, workers } = controller;
    return runController({ name, queue, workers, reconcile: (key) => controller.reconcile(key), log });
  });
  return { url: health.url, stop };
}

function metricsOf(controllers: Controller[]): string {
  return [
    '# HELP workqueue_depth Keys that are ready and that no worker has taken yet',
    '# TYPE workqueue_depth gauge',
    ...controllers.map(({ name, queue }) => `workqueue_depth{name="${name}"} ${queue.length}`),
    '',
  ].join('\n');
}
