// LimitRanges at work: a pod that does not say what it needs gets the namespace's defaults, and one that asks for too much or too little
// is refused. This is about each object by itself; how much they may have together is a quota's affair.
// Kubernetes: plugin/pkg/admission/limitranger/admission.go

import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, ResourceRequirements } from 'kubernetes-types/core/v1';
import type { Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { podResources } from '#kit/pod-resources';
import { formatQuantity, parseQuantity } from '#kit/quantity';
import { amountOf, type ResourceList } from '#kit/resource-list';
import { LiveObjects, type LiveSource } from '../access/live-objects.ts';
import { forbidden } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { AdmissionPlugin, Write } from './admission.ts';

const annotation = 'kubernetes.io/limit-ranger';

export function limitRanger(source: LiveSource): AdmissionPlugin {
  const ranges = new LiveObjects<LimitRange & ApiObject>(findResource('', 'v1', 'limitranges') as ResourceDefinition, source);

  /** Each LimitRange that has a say, as its items. */
  const limitsOf = async ({ target, object, old, subresource }: Write): Promise<LimitRangeItem[][]> => {
    const { resource, namespace } = target;
    const isLimited = resource.group === '' && ((resource.plural === 'pods' && !old) || resource.plural === 'persistentvolumeclaims');
    if (!object || subresource !== '' || !isLimited) return [];
    await ranges.ready();
    return [...ranges.values()].filter(({ metadata }) => metadata.namespace === namespace).map(({ spec }) => spec?.limits ?? []);
  };

  return {
    name: 'LimitRanger',
    async admit(write) {
      if (write.target.resource.plural !== 'pods') return;
      for (const items of await limitsOf(write)) setDefaults(write.object as Pod, items);
    },
    async validate(write) {
      const { resource, name } = write.target;
      for (const items of await limitsOf(write)) {
        const problems =
          resource.plural === 'pods' ? podProblems(write.object as Pod, items) : claimProblems(write.object as object, items);
        if (problems.length > 0) throw forbidden(resource, name, problems.length === 1 ? `${problems[0]}` : `[${problems.join(', ')}]`);
      }
    },
  };
}

/** Also writes down what it has set, since the author will find more in the pod than they wrote. */
function setDefaults(pod: Pod, items: LimitRangeItem[]): void {
  const said: string[] = [];
  const fill = (container: Container, kind: string) => {
    const before = container.resources ?? {};
    container.resources = items.filter(({ type }) => type === 'Container').reduce(withDefaults, before);
    for (const what of ['requests', 'limits'] as const) {
      const added = Object.keys(container.resources[what] ?? {}).filter((name) => before[what]?.[name] === undefined);
      if (added.length > 0) said.push(`${added.sort().join(', ')} ${what.slice(0, -1)} for ${kind} ${container.name}`);
    }
  };
  for (const container of pod.spec?.containers ?? []) fill(container, 'container');
  for (const container of pod.spec?.initContainers ?? []) fill(container, 'init container');
  if (said.length === 0) return;
  const text = `LimitRanger plugin set: ${said.join('; ')}`;
  pod.metadata = { ...pod.metadata, annotations: { ...pod.metadata?.annotations, [annotation]: text } };
}

/**
 * A container's resources, with an item's `defaultRequest` for requests and its `default` for limits. What the container's author has said
 * stays; resources that the item does not name stay as they are. Where there is nothing to fill in, no field is added.
 */
export function withDefaults(resources: ResourceRequirements, item: LimitRangeItem): ResourceRequirements {
  throw new NotImplemented('2.7', 'Fill in the requests and limits that the author has left out, and nothing else');
}

function podProblems({ spec }: Pod, items: LimitRangeItem[]): string[] {
  if (!spec) return [];
  const whole: ResourceRequirements = { requests: podResources(spec, 'requests'), limits: podResources(spec, 'limits') };
  const each = [...spec.containers, ...(spec.initContainers ?? [])].map(({ resources }) => resources ?? {});
  return items.flatMap((item) => {
    const measured = item.type === 'Container' ? each : item.type === 'Pod' ? [whole] : [];
    return measured.flatMap((resources) => [...boundProblems(resources, item), ...ratioProblems(resources, item)]);
  });
}

/**
 * What is wrong with these requests and limits where an item sets bounds: first all that is below `min`, then all that is above `max`, each
 * resource once, in the order of their names. Who asks for nothing asks for less than any minimum; who has no limit may use more than any
 * maximum. In the order in which they are looked at, `Container` being the item's type:
 *
 *     minimum cpu usage per Container is 100m.  No request is specified
 *     minimum cpu usage per Container is 100m, but request is 50m
 *     minimum cpu usage per Container is 100m, but limit is 50m             (if there is a limit)
 *
 *     maximum cpu usage per Container is 1.  No limit is specified
 *     maximum cpu usage per Container is 1, but limit is 2
 *     maximum cpu usage per Container is 1, but request is 2                (if there is a request)
 *
 * Two blanks follow the full stop. `written` writes an amount as people should see it.
 */
export function boundProblems(
  { requests = {}, limits = {} }: ResourceRequirements,
  { type, min = {}, max = {} }: LimitRangeItem,
): string[] {
  throw new NotImplemented('2.7', 'Compare request and limit with min and max, and say it in these words');
}

function ratioProblems({ requests, limits }: ResourceRequirements, { type, maxLimitRequestRatio = {} }: LimitRangeItem): string[] {
  return namesOf(maxLimitRequestRatio).flatMap((name) => {
    const bound = `${name} max limit to request ratio per ${type} is ${written(maxLimitRequestRatio, name)}`;
    const [request, limit] = [amountOf(requests, name), amountOf(limits, name)];
    if (request === 0n) return [`${bound}, but no request is specified or request is 0`];
    if (limit === 0n) return [`${bound}, but no limit is specified or limit is 0`];
    const isMore = limit * parseQuantity('1') > request * amountOf(maxLimitRequestRatio, name);
    return isMore ? [`${bound}, but provided ratio is ${(Number(limit) / Number(request)).toFixed(6)}`] : [];
  });
}

/** A claim has requests only. */
function claimProblems({ spec }: PersistentVolumeClaim, items: LimitRangeItem[]): string[] {
  const requests = spec?.resources?.requests ?? {};
  const ofClaims = items.filter(({ type }) => type === 'PersistentVolumeClaim');
  return ofClaims.flatMap(({ type, min = {}, max = {} }) => {
    const less = namesOf(min).filter((name) => amountOf(requests, name) < amountOf(min, name));
    const more = namesOf(max).filter((name) => amountOf(requests, name) > amountOf(max, name));
    return [
      ...less.map((name) => `minimum ${name} usage per ${type} is ${written(min, name)}, but request is ${written(requests, name)}`),
      ...more.map((name) => `maximum ${name} usage per ${type} is ${written(max, name)}, but request is ${written(requests, name)}`),
    ];
  });
}

function namesOf(list: ResourceList): string[] {
  return Object.keys(list).sort();
}

/** `2` for `2000m` */
export function written(list: ResourceList, name: string): string {
  return formatQuantity(amountOf(list, name), list[name]);
}
