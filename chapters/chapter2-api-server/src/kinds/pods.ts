// Pods: born Pending, and hardly changeable afterwards, because a container that runs cannot become another one.
// Kubernetes: pkg/registry/core/pod/strategy.go

import type { Container, Pod, PodSpec, ResourceRequirements, Toleration } from 'kubernetes-types/core/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { parseQuantity } from '#kit/quantity';
import { equalJson } from '../json.ts';
import { validateEphemeralContainers } from './ephemeral-containers.ts';
import { forbiddenField } from './field-errors.ts';
import { setPodSpecDefaults } from './pod-defaults.ts';
import { validatePodSpec } from './pod-validation.ts';
import type { KindStrategy } from './strategy.ts';

const onlyTheseMayChange =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` ' +
  '(allow it to be set to 1 if it was previously negative)';

export const pods: KindStrategy<Pod> = {
  setDefaults(pod) {
    if (!pod.spec) return;
    setPodSpecDefaults(pod.spec);
    // Not in templates: a pod that comes from one gets it when it is made.
    pod.spec.enableServiceLinks ??= true;
  },

  validate(pod, old) {
    const causes = validatePodSpec(pod.spec, 'spec');
    if (!old && pod.spec?.ephemeralContainers?.length) causes.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'));
    return causes.length === 0 && old?.spec && pod.spec ? validateUpdate(pod.spec, old.spec) : causes;
  },

  validateStatus({ spec }, { spec: old }) {
    return spec && old ? validateEphemeralContainers(spec, old) : [];
  },

  async prepareForCreate(pod) {
    Object.assign(pod, { status: { phase: 'Pending', qosClass: qosClass(pod) } });
  },
};

function validateUpdate(spec: PodSpec, old: PodSpec): StatusCause[] {
  const kept = (old.tolerations ?? []).every((toleration) => (spec.tolerations ?? []).some((other) => covers(other, toleration)));
  const gates = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  const addsGate = (spec.schedulingGates ?? []).some(({ name }) => !gates.has(name));
  const fixedFieldsDiffer = !equalJson(fixedFields(spec), fixedFields(old));
  return fixedFieldsDiffer || !kept || addsGate ? [forbiddenField('spec', onlyTheseMayChange)] : [];
}

/** The spec without what an update may change. */
function fixedFields({ activeDeadlineSeconds, tolerations, schedulingGates, containers, initContainers, ...rest }: PodSpec): object {
  const withoutImage = ({ image, ...container }: Container) => container;
  return { ...rest, containers: containers.map(withoutImage), initContainers: (initContainers ?? []).map(withoutImage) };
}

/** The same toleration; its seconds may change. */
function covers({ tolerationSeconds: _, ...toleration }: Toleration, { tolerationSeconds: __, ...old }: Toleration): boolean {
  return equalJson(toleration, old);
}

/**
 * Who is killed first when a node runs out of memory: those that asked for nothing, then those that may use more than they
 * asked for, last those whose limits are their requests.
 * Kubernetes: pkg/apis/core/v1/helper/qos/qos.go
 */
export function qosClass({ spec }: Pod): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ resources }) => resources ?? {});
  const amount = (list: ResourceRequirements['limits'], name: string) => list?.[name] ?? '0';
  const computed = ['cpu', 'memory'];
  const asksNothing = all.every(({ requests, limits }) =>
    computed.every((name) => isZero(amount(requests, name)) && isZero(amount(limits, name))),
  );
  if (asksNothing) return 'BestEffort';
  const guaranteed = all.every(({ requests, limits }) =>
    computed.every(
      (name) => !isZero(amount(limits, name)) && parseQuantity(amount(requests ?? limits, name)) === parseQuantity(amount(limits, name)),
    ),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function isZero(quantity: string): boolean {
  return parseQuantity(quantity) === 0n;
}
