// Kinds that only the real controllers reconcile, and what tests make of them.

import type { DaemonSet, StatefulSet } from 'kubernetes-types/apps/v1';
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2';
import type { CronJob, Job } from 'kubernetes-types/batch/v1';
import type { PersistentVolume } from 'kubernetes-types/core/v1';
import type { Deployment, PodSpec, PodTemplateSpec, Resource } from '#kit/api';

const apps = { apiVersion: 'apps/v1', namespaced: true };
export const StatefulSets: Resource<StatefulSet> = { ...apps, kind: 'StatefulSet', plural: 'statefulsets' };
export const DaemonSets: Resource<DaemonSet> = { ...apps, kind: 'DaemonSet', plural: 'daemonsets' };

const batch = { apiVersion: 'batch/v1', namespaced: true };
export const Jobs: Resource<Job> = { ...batch, kind: 'Job', plural: 'jobs' };
export const CronJobs: Resource<CronJob> = { ...batch, kind: 'CronJob', plural: 'cronjobs' };

export const HorizontalPodAutoscalers: Resource<HorizontalPodAutoscaler> = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
};
export const PersistentVolumes: Resource<PersistentVolume> = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  namespaced: false,
};

/** Pods with the label `app`, and one container of the image `<app>:1`. */
export function template(app: string, spec: Partial<PodSpec> = {}): PodTemplateSpec {
  return { metadata: { labels: { app } }, spec: { containers: [{ name: app, image: `${app}:1` }], ...spec } };
}

export function deployment(namespace: string, app: string, replicas: number, spec: Partial<PodSpec> = {}): Deployment {
  return {
    metadata: { name: app, namespace },
    spec: { replicas, selector: { matchLabels: { app } }, template: template(app, spec) },
  };
}
