// autoscaling/v1's HorizontalPodAutoscaler, which knows one metric only: the CPU's utilization. `kubectl autoscale` still writes
// it. It is stored as v2; what else v2 says is kept in annotations, so that a client of v1 changes nothing that it cannot see.
// Upstream writes metrics into those annotations in a form that only they have; here they stand as in v2.
// Kubernetes: pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/annotations.go

import type { HorizontalPodAutoscaler as V1 } from 'kubernetes-types/autoscaling/v1';
import type { MetricSpec, MetricStatus, HorizontalPodAutoscaler as V2 } from 'kubernetes-types/autoscaling/v2';
import type { Conversion } from '../conversion.ts';
import { badRequest } from '../errors.ts';
import type { ApiObject } from '../object.ts';

const prefix = 'autoscaling.alpha.kubernetes.io/';
const hidden = ['metrics', 'behavior', 'current-metrics', 'conditions'] as const;
type Hidden = Partial<Record<(typeof hidden)[number], unknown>>;

export const horizontalPodAutoscalersV1: Conversion = {
  storedVersion: 'v2',

  toServed(stored) {
    const { spec, status } = stored as V2;
    const { metrics = [], behavior, ...rest } = spec ?? ({} as NonNullable<V2['spec']>);
    const { currentMetrics = [], conditions = [], ...restOfStatus } = status ?? ({} as NonNullable<V2['status']>);
    const cpu = metrics.find(isCpuUtilization);
    const currentCpu = currentMetrics.find(isCurrentCpuUtilization);
    const others = metrics.filter((metric) => metric !== cpu);
    const otherCurrent = currentMetrics.filter((metric) => metric !== currentCpu);
    return {
      ...withHidden(stored, { metrics: others, behavior, 'current-metrics': otherCurrent, conditions }),
      apiVersion: 'autoscaling/v1',
      ...(spec && { spec: { ...rest, ...optional('targetCPUUtilizationPercentage', cpu?.resource?.target.averageUtilization) } }),
      ...(status && {
        status: { ...restOfStatus, ...optional('currentCPUUtilizationPercentage', currentCpu?.resource?.current.averageUtilization) },
      }),
    };
  },

  toStored(served) {
    const { object, found } = takeHidden(served);
    const { spec, status } = object as V1;
    const { targetCPUUtilizationPercentage, ...rest } = spec ?? ({} as NonNullable<V1['spec']>);
    const { currentCPUUtilizationPercentage, ...restOfStatus } = status ?? ({} as NonNullable<V1['status']>);
    const metrics = [...cpuMetric(targetCPUUtilizationPercentage), ...listOf(found.metrics)];
    const current = [...currentCpuMetric(currentCPUUtilizationPercentage), ...listOf(found['current-metrics'])];
    return {
      ...object,
      apiVersion: 'autoscaling/v2',
      ...(spec && { spec: { ...rest, ...(metrics.length > 0 ? { metrics } : {}), ...optional('behavior', found.behavior) } }),
      ...(status && {
        status: {
          ...restOfStatus,
          ...(current.length > 0 ? { currentMetrics: current } : {}),
          ...optional('conditions', found.conditions),
        },
      }),
    };
  },
};

function isCpuUtilization({ type, resource }: MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target?.type === 'Utilization';
}

function isCurrentCpuUtilization({ type, resource }: MetricStatus): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.current?.averageUtilization !== undefined;
}

function cpuMetric(averageUtilization: number | undefined): MetricSpec[] {
  if (averageUtilization === undefined) return [];
  return [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }];
}

function currentCpuMetric(averageUtilization: number | undefined): MetricStatus[] {
  return averageUtilization === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } }];
}

/** Writes what v1 has no field for into annotations. */
function withHidden(object: ApiObject, values: Hidden): ApiObject {
  const isEmpty = (value: unknown) => value === undefined || (Array.isArray(value) && value.length === 0);
  const annotations = Object.entries(values).flatMap(([name, value]) => (isEmpty(value) ? [] : [[prefix + name, JSON.stringify(value)]]));
  if (annotations.length === 0) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...Object.fromEntries(annotations) } },
  };
}

/** Takes those annotations off again. */
function takeHidden(object: ApiObject): { object: ApiObject; found: Hidden } {
  const { annotations, ...metadata } = object.metadata;
  const found: Hidden = {};
  const left = { ...annotations };
  for (const name of hidden) {
    const text = left[prefix + name];
    if (text !== undefined) found[name] = parse(prefix + name, text);
    delete left[prefix + name];
  }
  return { object: { ...object, metadata: { ...metadata, ...(Object.keys(left).length > 0 ? { annotations: left } : {}) } }, found };
}

function parse(annotation: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(`the annotation ${annotation} is not JSON`);
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function optional(field: string, value: unknown): object {
  return value === undefined ? {} : { [field]: value };
}
