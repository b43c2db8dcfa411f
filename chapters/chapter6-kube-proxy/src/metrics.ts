// How the syncs went, for /metrics and /healthz. The names are the real kube-proxy's, so its dashboards work here too.
// Kubernetes: pkg/proxy/metrics/metrics.go

import type { Clock } from '#kit/clock';
import type { Tables } from './restore-input.ts';

/** Upper bounds in seconds: 1 ms, doubled 14 times. */
const buckets = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index);
const namePrefix = 'kubeproxy_sync_proxy_rules';

export class SyncMetrics {
  readonly #clock: Clock;
  readonly #counts = buckets.map(() => 0);
  #count = 0;
  #sum = 0;
  #failures = 0;
  #lastSuccess: number | undefined;
  #lastFailure: string | undefined;
  #rules = { filter: 0, nat: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs one sync, which answers the tables that the node has now, and takes down how it went. */
  async observe(sync: () => Promise<Tables>): Promise<void> {
    const start = this.#clock.now();
    try {
      const { filter, nat } = await sync();
      this.#rules = { filter: countRules(filter), nat: countRules(nat) };
      this.#lastSuccess = this.#clock.now();
      this.#lastFailure = undefined;
    } catch (error) {
      this.#failures++;
      this.#lastFailure = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      const seconds = (this.#clock.now() - start) / 1000;
      this.#count++;
      this.#sum += seconds;
      for (const [index, bound] of buckets.entries()) if (seconds <= bound) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    }
  }

  /** Undefined while the node has the rules that it should have, as far as the last sync knows. */
  unhealthy(): string | undefined {
    if (this.#lastFailure !== undefined) return `the rules could not be written: ${this.#lastFailure}`;
    return this.#lastSuccess === undefined ? 'no rules were written yet' : undefined;
  }

  /** In Prometheus' text format. */
  text(): string {
    const lines = [
      `# TYPE ${namePrefix}_duration_seconds histogram`,
      ...buckets.map((bound, index) => `${namePrefix}_duration_seconds_bucket{le="${bound}"} ${this.#counts[index]}`),
      `${namePrefix}_duration_seconds_bucket{le="+Inf"} ${this.#count}`,
      `${namePrefix}_duration_seconds_sum ${this.#sum}`,
      `${namePrefix}_duration_seconds_count ${this.#count}`,
      `# TYPE ${namePrefix}_iptables_restore_failures_total counter`,
      `${namePrefix}_iptables_restore_failures_total ${this.#failures}`,
      `# TYPE ${namePrefix}_iptables_total gauge`,
      `${namePrefix}_iptables_total{table="filter"} ${this.#rules.filter}`,
      `${namePrefix}_iptables_total{table="nat"} ${this.#rules.nat}`,
      `# TYPE ${namePrefix}_last_timestamp_seconds gauge`,
      `${namePrefix}_last_timestamp_seconds ${(this.#lastSuccess ?? 0) / 1000}`,
    ];
    return `${lines.join('\n')}\n`;
  }
}

function countRules(chains: Tables['nat']): number {
  return [...chains.values()].reduce((sum, rules) => sum + rules.length, 0);
}
