// The API server: the only door to the cluster's memory. Everybody, from kubectl to the kubelet, reads and writes objects
// here over HTTPS, and watches them change; only this component talks to etcd.
// Kubernetes: cmd/kube-apiserver/app/server.go

import type { ClientTls, ComponentContext, ListenAddress, RunningComponent, ServingTls } from '#kit/component';
import { NotImplemented } from '#kit/not-implemented';
import { Authenticator } from './access/authenticator.ts';
import { Authorizer } from './access/authorizer.ts';
import { Gate } from './access/gate.ts';
import { AllServiceAccountTokens } from './access/legacy-tokens.ts';
import { writeInitialPolicy } from './access/policy/initial-policy.ts';
import type { TokenOptions } from './access/service-account-tokens.ts';
import { createAdmission } from './admission/plugins.ts';
import { Audit, type AuditOptions } from './audit/audit.ts';
import { bootstrap } from './bootstrap.ts';
import { Compaction } from './compaction.ts';
import { Caretaker } from './custom/caretaker.ts';
import { Definitions } from './custom/definitions.ts';
import { connectEtcd } from './etcd.ts';
import { EventLeases } from './event-leases.ts';
import { healthChecks, type Readiness } from './health.ts';
import { LiveLists } from './live-lists.ts';
import { MeasuredStorage } from './measured-storage.ts';
import { defaultAddressTypes, NodeConnections } from './node-connections.ts';
import { type PodConnections, PodNetwork } from './pod-network.ts';
import { Registry } from './registry.ts';
import { createHandler } from './routes.ts';
import { startServer } from './server.ts';
import { ServerMetrics } from './server-metrics.ts';
import { defaultLimits, Traffic } from './traffic.ts';
import { WatchCaches } from './watch-caches.ts';

export interface ApiServerOptions extends ComponentContext {
  /** URLs of etcd's members. */
  etcdServers: string[];
  etcdTls?: ClientTls;
  listen: ListenAddress;
  /** Where pods reach the server, at the port it listens on; by default where it listens. */
  advertiseAddress?: string;
  tls: Required<ServingTls>;
  /** For the way to the kubelets' APIs. */
  kubeletTls?: ClientTls;
  /** Which of a node's addresses to try, best first. */
  kubeletPreferredAddressTypes?: string[];
  /** How pods are reached that a proxy is asked for: `direct` by default; `kubelets` where this machine has no routes to them. */
  podConnections?: PodConnections;
  /** CIDR, `10.96.0.0/12` by default */
  serviceClusterIpRange?: string;
  serviceAccountTokens?: TokenOptions;
  /** `AlwaysAllow`: everybody who proves who they are may do everything; by default kubelets and roles decide. */
  authorizationMode?: AuthorizationMode;
  /** Names as kube-apiserver's flag of that name takes them, of plugins that are off by default: `OwnerReferencesPermissionEnforcement`. */
  enableAdmissionPlugins?: string[];
  /** The same of those that are on: `ServiceAccount`, … */
  disableAdmissionPlugins?: string[];
  /** How many requests may be answered at once that change nothing; 400 by default. */
  maxRequestsInFlight?: number;
  /** The same of those that change something; 200 by default. */
  maxMutatingRequestsInFlight?: number;
  /** A minute by default. */
  requestTimeoutMs?: number;
  /** Whole seconds that an event stays after its last change; an hour by default. */
  eventTtlSeconds?: number;
  /** How often etcd is told to forget what is older than the last time; 5 minutes by default, 0: never. */
  compactionIntervalMs?: number;
  /** Absent: no audit log. */
  audit?: AuditOptions;
}

export type AuthorizationMode = 'Node,RBAC' | 'AlwaysAllow';
export type { PodConnections };

const defaultRequestTimeoutMs = 60_000;
/** Of the time that a request may take, so much may go in waiting for its turn. Kubernetes: `defaultRequestWaitLimit`, pkg/server/config.go */
const waitingShare = 1 / 4;
const defaultEventTtlSeconds = 3600;
const defaultCompactionIntervalMs = 5 * 60_000;
const bootstrapRetryMs = 200;
/** So long is the first answer held back for the first objects; clients do not expect a cluster without a default namespace. */
const bootstrapPatienceMs = 3000;

/** Resolves when the server answers. It does so also while etcd is away, and recovers when etcd is back. */
export async function startApiServer(options: ApiServerOptions): Promise<RunningComponent> {
  const { listen, tls, clock, random, log, advertiseAddress = listen.host, serviceClusterIpRange = '10.96.0.0/12' } = options;
  const etcd = connectEtcd(options.etcdServers, options.etcdTls);
  const { requestTimeoutMs = defaultRequestTimeoutMs } = options;
  const traffic = new Traffic(
    {
      readOnly: options.maxRequestsInFlight ?? defaultLimits.readOnly,
      mutating: options.maxMutatingRequestsInFlight ?? defaultLimits.mutating,
      waitMs: requestTimeoutMs * waitingShare,
    },
    clock,
  );
  const metrics = new ServerMetrics(traffic, clock);
  const { eventTtlSeconds = defaultEventTtlSeconds, compactionIntervalMs = defaultCompactionIntervalMs } = options;
  const storage = new MeasuredStorage(etcd, new EventLeases({ etcd, clock, ttlSeconds: eventTtlSeconds }), metrics, clock);
  const caches = new WatchCaches({ etcd, storage, clock, log });
  const definitions = new Definitions({ storage, caches });
  const preferredAddressTypes = options.kubeletPreferredAddressTypes ?? defaultAddressTypes;
  const nodes = new NodeConnections({ storage, tls: options.kubeletTls, preferredAddressTypes });
  const podNetwork = new PodNetwork(nodes, options.podConnections ?? 'direct');
  const allowsAll = options.authorizationMode === 'AlwaysAllow';
  const authorizer = new Authorizer({ storage, caches, allowsAll });
  const admit = createAdmission({
    storage,
    caches,
    definitions,
    authorizer,
    podNetwork,
    clock,
    random,
    enabled: options.enableAdmissionPlugins ?? [],
    disabled: options.disableAdmissionPlugins ?? [],
  });
  const registry = new Registry({ storage, admit, clock, random, serviceClusterIpRange });
  const tokens = new AllServiceAccountTokens(options.serviceAccountTokens ?? {}, { registry, clock, random, log });
  const gate = new Gate(new Authenticator({ tokens, storage, clock }), authorizer);
  const stopping = new AbortController();
  const readiness: Readiness = { isPrepared: false, isStopping: () => stopping.signal.aborted };
  const health = healthChecks(storage, readiness);
  const handler = createHandler({
    health,
    metrics,
    registry,
    storage,
    lists: new LiveLists({ storage, caches }),
    caches,
    definitions,
    nodes,
    podNetwork,
    authorizer,
    admit,
    tokens,
    clock,
    random,
  });
  const caretaker = new Caretaker({ definitions, registry, caches, clock, log });
  const audit = options.audit && new Audit(options.audit, { clock, random });
  const server = await startServer({ listen, tls, gate, handler, traffic, metrics, audit, requestTimeoutMs, clock, log });

  const prepare = async () => {
    while (!stopping.signal.aborted) {
      try {
        const port = Number(new URL(server.url).port);
        await bootstrap({ registry, serviceClusterIpRange, clientCa: tls.clientCa, address: advertiseAddress, port, clock });
        await caches.begin();
        await writeInitialPolicy(registry);
        await definitions.begin();
        return;
      } catch (error) {
        log.warn('the cluster’s first objects could not be written yet', { error });
        // Trying again does not write a missing function.
        if (error instanceof NotImplemented) return;
        await clock.sleep(bootstrapRetryMs, stopping.signal);
      }
    }
  };
  const compaction =
    compactionIntervalMs > 0
      ? new Compaction({ etcd, intervalMs: compactionIntervalMs, clock, log, onCompact: (revision) => caches.forget(revision) })
      : undefined;
  // A server that is not written to its end is as ready as it will be.
  const prepared = prepare().finally(() => {
    readiness.isPrepared = true;
  });
  await Promise.race([prepared, clock.sleep(bootstrapPatienceMs, stopping.signal)]);

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    stopping.abort();
    await server.close();
    await prepared;
    await caretaker.stop();
    await compaction?.stop();
    await caches.stop();
    etcd.close();
  };
  return { url: server.url, stop: () => (stopped ??= stop()) };
}
