// The API server's numbers, under Kubernetes' own names, so that what is made to watch over a real one watches over this one.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/metrics/metrics.go, pkg/storage/etcd3/metrics/metrics.go

import type { Clock } from '#kit/clock';
import { Metrics } from '#kit/metrics';
import { processMetrics } from '#kit/process-metrics';
import type { RequestKind, RequestLabels } from './request-kind.ts';
import type { Traffic } from './traffic.ts';

/** Seconds. Kubernetes has the same ones for both durations. */
const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

export class ServerMetrics {
  readonly #clock: Clock;
  readonly #metrics = new Metrics();
  readonly #requests = this.#metrics.counter({
    name: 'apiserver_request_total',
    help: 'Requests that were answered, by what they asked for and the HTTP code of the answer.',
  });
  readonly #durations = this.#metrics.histogram(
    { name: 'apiserver_request_duration_seconds', help: 'How long requests took that do not go on for long.' },
    buckets,
  );
  readonly #longRunning = this.#metrics.gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Watches, logs and the like that are open now.',
  });
  readonly #etcd = this.#metrics.histogram(
    { name: 'etcd_request_duration_seconds', help: 'How long etcd took to answer, by operation and resource.' },
    buckets,
  );
  readonly #traffic: Traffic;

  constructor(traffic: Traffic, clock: Clock) {
    this.#clock = clock;
    this.#traffic = traffic;
    this.#metrics.add(() => this.#inFlight());
    this.#metrics.add(processMetrics(clock));
  }

  /** A request begins; call what this returns when it has been answered. */
  begin(kind: RequestKind, labels: RequestLabels): (code: number) => void {
    const began = this.#clock.now();
    const { dry_run: _, ...open } = labels;
    if (kind === 'longRunning') this.#longRunning.add(open);
    return (code) => {
      if (kind === 'longRunning') this.#longRunning.add(open, -1);
      else this.#durations.observe((this.#clock.now() - began) / 1000, { ...labels });
      this.#requests.add({ code: String(code), ...labels });
    };
  }

  /** Etcd has answered. @param type as in `pods` or `deployments.apps` */
  askedEtcd(operation: string, type: string, seconds: number): void {
    this.#etcd.observe(seconds, { operation, type });
  }

  text(): string {
    return this.#metrics.text();
  }

  #inFlight(): string {
    const gauge = (name: string, help: string, count: (kind: 'mutating' | 'readOnly') => number) => {
      const kinds = (['mutating', 'readOnly'] as const).map((kind) => `${name}{request_kind="${kind}"} ${count(kind)}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${kinds.join('')}`;
    };
    return (
      gauge('apiserver_current_inflight_requests', 'Requests that are being answered now.', (kind) => this.#traffic.inFlight(kind)) +
      gauge('apiserver_current_inqueue_requests', 'Requests that wait for their turn.', (kind) => this.#traffic.waiting(kind))
    );
  }
}
