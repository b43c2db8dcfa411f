// Priority: a pod names a class, and gets its number. The number alone would let everybody be more important than everybody else.
// Kubernetes: plugin/pkg/admission/priority/admission.go

import type { PriorityClass } from 'kubernetes-types/scheduling/v1';
import type { Pod } from '#kit/api';
import { LiveObjects, type LiveSource } from '../access/live-objects.ts';
import { forbidden } from '../errors.ts';
import { keyOf } from '../keys.ts';
import type { ApiObject } from '../object.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { AdmissionPlugin, Write } from './admission.ts';

const priorityClasses = findResource('scheduling.k8s.io', 'v1', 'priorityclasses') as ResourceDefinition;
type Class = PriorityClass & ApiObject;

export function priority(source: LiveSource): AdmissionPlugin {
  const classes = new LiveObjects<Class>(priorityClasses, source);
  const classNamed = async (name: string) =>
    (await source.storage.get(keyOf({ resource: priorityClasses, namespace: undefined, name }))) as Class | undefined;
  /** The one for pods that name none; the least important one, should there be several. */
  const defaultClass = async () => {
    await classes.ready();
    return [...classes.values()].filter(({ globalDefault }) => globalDefault).sort((one, other) => one.value - other.value)[0];
  };

  const admitPod = async ({ target, object }: Write) => {
    const { spec } = object as Pod;
    if (!spec) return;
    const refuse = (why: string) => forbidden(target.resource, target.name, why);
    const named = spec.priorityClassName;
    const found = named ? await classNamed(named) : await defaultClass();
    if (named && !found) throw refuse(`no PriorityClass with name ${named} was found`);
    const { value = 0, preemptionPolicy = 'PreemptLowerPriority', metadata } = found ?? {};
    const computed = 'must not be provided in pod spec; priority admission controller computed';
    const from = 'from the given PriorityClass name';
    if (spec.priority !== undefined && spec.priority !== value)
      throw refuse(`the integer value of priority (${spec.priority}) ${computed} ${value} ${from}`);
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
      throw refuse(`the string value of PreemptionPolicy (${spec.preemptionPolicy}) ${computed} ${preemptionPolicy} ${from}`);
    Object.assign(spec, { priority: value, preemptionPolicy, ...(metadata?.name ? { priorityClassName: metadata.name } : {}) });
  };

  return {
    name: 'Priority',
    async admit(write) {
      const { target, object, old, subresource } = write;
      const isPod = target.resource.group === '' && target.resource.plural === 'pods';
      if (isPod && object && !old && subresource === '') await admitPod(write);
    },
    async validate({ target, object }) {
      if (target.resource !== priorityClasses || !(object as Class | undefined)?.globalDefault) return;
      const present = await defaultClass();
      if (!present || present.metadata.name === target.name) return;
      const why = `PriorityClass ${present.metadata.name} is already marked as default. Only one default can exist`;
      throw forbidden(target.resource, target.name, why);
    },
  };
}
