// The scheduler's numbers, under the names that dashboards know, in Prometheus' text format.
// Kubernetes: pkg/scheduler/metrics/metrics.go

export type AttemptResult = 'scheduled' | 'unschedulable';

export class SchedulerMetrics {
  readonly #attempts: Record<AttemptResult, number> = { scheduled: 0, unschedulable: 0 };

  attempted(result: AttemptResult): void {
    this.#attempts[result]++;
  }

  /** @param pending how many pods wait, by queue */
  text(pending: Record<'active' | 'unschedulable', number>): string {
    return [
      '# HELP scheduler_schedule_attempts_total Number of attempts to schedule pods, by the result.',
      '# TYPE scheduler_schedule_attempts_total counter',
      ...Object.entries(this.#attempts).map(
        ([result, count]) => `scheduler_schedule_attempts_total{result="${result}",profile="default-scheduler"} ${count}`,
      ),
      '# HELP scheduler_pending_pods Number of pending pods, by the queue.',
      '# TYPE scheduler_pending_pods gauge',
      ...Object.entries(pending).map(([queue, count]) => `scheduler_pending_pods{queue="${queue}"} ${count}`),
      '',
    ].join('\n');
  }
}
