// Work that ends: Job and CronJob.
// Kubernetes: pkg/apis/batch/v1/defaults.go and pkg/registry/batch/job/strategy.go

import type { CronJob, Job, JobSpec } from 'kubernetes-types/batch/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { immutable, invalidValue, required } from './field-errors.ts';
import { setPodSpecDefaults } from './pod-defaults.ts';
import { notNegative, oneOf, validatePodSpec } from './pod-validation.ts';
import type { KindStrategy } from './strategy.ts';

export const jobs: KindStrategy<Job> = {
  setDefaults({ spec }) {
    if (!spec) return;
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= 6;
    spec.completionMode ??= 'NonIndexed';
    spec.suspend ??= false;
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
    if (spec.template?.spec) setPodSpecDefaults(spec.template.spec);
  },

  validate({ spec }, old) {
    return [
      ...validateJobSpec(spec, 'spec'),
      ...(old && spec?.completionMode !== 'Indexed' ? immutable('spec.completions', spec?.completions, old.spec?.completions) : []),
      ...(old ? immutable('spec.selector', spec?.selector, old.spec?.selector) : []),
      ...(old && !spec?.suspend ? immutable('spec.template', spec?.template, old.spec?.template) : []),
    ];
  },

  /** Pods of one job must never count for another, not even for a later one of the same name: they carry the job's uid. */
  async prepareForCreate(job) {
    Object.assign(job, { status: {} });
    const { metadata, spec } = job;
    if (!spec?.template || spec.manualSelector || !metadata?.uid) return;
    const uid = { 'batch.kubernetes.io/controller-uid': metadata.uid };
    const labels = {
      ...uid,
      'batch.kubernetes.io/job-name': metadata.name ?? '',
      'controller-uid': metadata.uid,
      'job-name': metadata.name ?? '',
    };
    spec.selector = { matchLabels: uid };
    spec.template.metadata = { ...spec.template.metadata, labels: { ...spec.template.metadata?.labels, ...labels } };
  },
};

export const cronJobs: KindStrategy<CronJob> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.concurrencyPolicy ??= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    const template = spec.jobTemplate?.spec?.template;
    if (template?.spec) setPodSpecDefaults(template.spec);
  },

  validate({ spec }) {
    return [
      ...(spec?.schedule ? validateSchedule(spec.schedule) : [required('spec.schedule')]),
      ...oneOf('spec.concurrencyPolicy', spec?.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']),
      ...validateJobSpec(spec?.jobTemplate?.spec, 'spec.jobTemplate.spec'),
    ];
  },

  async prepareForCreate(cronJob) {
    Object.assign(cronJob, { status: {} });
  },
};

function validateJobSpec(spec: JobSpec | undefined, field: string): StatusCause[] {
  const at = `${field}.template.spec`;
  return [
    ...notNegative(`${field}.parallelism`, spec?.parallelism),
    ...notNegative(`${field}.completions`, spec?.completions),
    ...notNegative(`${field}.backoffLimit`, spec?.backoffLimit),
    ...validatePodSpec(spec?.template?.spec, at),
    // A job's pods must be able to end.
    ...oneOf(`${at}.restartPolicy`, spec?.template?.spec?.restartPolicy, ['OnFailure', 'Never']),
  ];
}

/** Five fields, or a name like `@hourly`; what the fields say is the CronJob controller's business. */
function validateSchedule(schedule: string): StatusCause[] {
  const fields = schedule.trim().split(/\s+/);
  if (schedule.startsWith('@') || fields.length === 5) return [];
  return [invalidValue('spec.schedule', schedule, `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)];
}
