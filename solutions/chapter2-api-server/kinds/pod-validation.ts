// What must hold in a pod's spec. Everything here would otherwise fail later, on a node, where its author does not look.
// `field` is where the spec stands: `spec`, or `spec.template.spec` in a workload.
// Kubernetes: pkg/apis/core/validation/validation.go

import type { PodSpec, PodTemplateSpec, Volume } from 'kubernetes-types/core/v1';
import type { LabelSelector, StatusCause } from 'kubernetes-types/meta/v1';
import { validateContainer } from './container-validation.ts';
import { duplicateValue, forbiddenField, invalidValue, required, unsupportedValue } from './field-errors.ts';
import { dnsLabel, requireName, validateLabels } from './name-rules.ts';

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

export function validatePodSpec(spec: PodSpec | undefined, field: string): StatusCause[] {
  const containers = spec?.containers ?? [];
  const initContainers = spec?.initContainers ?? [];
  const volumes = spec?.volumes ?? [];
  const volumeNames = new Set(volumes.map(({ name }) => name));
  const everyList = [
    { at: `${field}.containers`, list: containers },
    { at: `${field}.initContainers`, list: initContainers },
  ];
  return [
    ...validateVolumes(volumes, `${field}.volumes`),
    ...(containers.length === 0 ? [required(`${field}.containers`)] : []),
    ...everyList.flatMap(({ at, list }) =>
      list.flatMap((container, index) => validateContainer(container, `${at}[${index}]`, volumeNames)),
    ),
    ...duplicateNames(everyList),
    ...oneOf(`${field}.restartPolicy`, spec?.restartPolicy, restartPolicies),
    ...oneOf(`${field}.dnsPolicy`, spec?.dnsPolicy, dnsPolicies),
    ...notNegative(`${field}.terminationGracePeriodSeconds`, spec?.terminationGracePeriodSeconds),
    ...validateLabels(`${field}.nodeSelector`, spec?.nodeSelector),
  ];
}

/**
 * A workload's template must carry the labels that its selector asks for: the pods that it makes would not be its own.
 * `field` is where the template's owner keeps both, e.g. `spec`.
 */
export function validateTemplate(
  {
    selector,
    template,
    restartPolicies = ['Always'],
  }: { selector?: LabelSelector; template?: PodTemplateSpec; restartPolicies?: string[] },
  field: string,
): StatusCause[] {
  const at = `${field}.template`;
  const labels = template?.metadata?.labels ?? {};
  return [
    ...validateSelector(selector, labels, field),
    ...validateLabels(`${at}.metadata.labels`, labels),
    ...validatePodSpec(template?.spec, `${at}.spec`),
    ...oneOf(`${at}.spec.restartPolicy`, template?.spec?.restartPolicy, restartPolicies),
  ];
}

function validateSelector(selector: LabelSelector | undefined, labels: Record<string, string>, field: string): StatusCause[] {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  if (!selector) return [required(`${field}.selector`)];
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    return [invalidValue(`${field}.selector`, selector, 'empty selector is invalid for deployment')];
  }
  const matched = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return matched ? [] : [invalidValue(`${field}.template.metadata.labels`, labels, '`selector` does not match template `labels`')];
}

function validateVolumes(volumes: Volume[], field: string): StatusCause[] {
  const causes = volumes.flatMap((volume, index) => {
    const at = `${field}[${index}]`;
    const { name, ...sources } = volume;
    return [
      ...requireName(`${at}.name`, name, dnsLabel),
      ...(Object.keys(sources).length > 1 ? [forbiddenField(at, 'may not specify more than 1 volume type')] : []),
    ];
  });
  return [...causes, ...duplicateNames([{ at: field, list: volumes }])];
}

export function oneOf(field: string, value: string | undefined, supported: readonly string[]): StatusCause[] {
  return value === undefined || supported.includes(value) ? [] : [unsupportedValue(field, value, supported)];
}

export function notNegative(field: string, value: number | undefined): StatusCause[] {
  return value === undefined || value >= 0 ? [] : [invalidValue(field, value, 'must be greater than or equal to 0')];
}

/** One cause for each that has the name of one before it, in whichever of the lists. */
function duplicateNames(lists: { at: string; list: { name?: string }[] }[]): StatusCause[] {
  const all = lists.flatMap(({ at, list }) => list.map(({ name }, index) => ({ name, field: `${at}[${index}].name` })));
  const first = new Map(all.toReversed().map((one) => [one.name, one]));
  return all.flatMap((one) => (one.name && first.get(one.name) !== one ? [duplicateValue(one.field, one.name)] : []));
}
