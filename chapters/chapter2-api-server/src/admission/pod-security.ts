// How much a namespace lets its pods do, as its labels say: `pod-security.kubernetes.io/enforce: restricted` refuses, `…/warn` only warns. A
// workload is never refused, for it runs nothing itself; its author is warned of what will happen to its pods.
// Kubernetes: staging/src/k8s.io/pod-security-admission/admission/admission.go

import type { PodSpec } from 'kubernetes-types/core/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { LiveObjects, type LiveSource } from '../access/live-objects.ts';
import { forbidden, invalid } from '../errors.ts';
import { equalJson } from '../json.ts';
import { invalidValue } from '../kinds/field-errors.ts';
import { isNamespaces, namespaceTarget } from '../namespaces.ts';
import type { ApiObject } from '../object.ts';
import type { AdmissionPlugin } from './admission.ts';
import { type SecurityLevel, securityLevels, violations } from './pod-security-standards.ts';

const prefix = 'pod-security.kubernetes.io/';
const modes = ['enforce', 'audit', 'warn'];

export function podSecurity(source: LiveSource): AdmissionPlugin {
  const namespaces = new LiveObjects(namespaceTarget('').resource, source);
  return {
    name: 'PodSecurity',
    async validate({ target, object, old, subresource, warn }) {
      const { resource, namespace, name } = target;
      if (!object || subresource !== '') return;
      if (isNamespaces(resource)) return checkLabels(object);
      const spec = podSpecOf(object);
      if (!spec || !namespace || (old && equalJson(spec, podSpecOf(old)))) return;
      await namespaces.ready();
      const labels = namespaces.get(undefined, namespace)?.metadata.labels ?? {};
      const enforced = levelOf(labels, 'enforce');
      const problem = resource.kind === 'Pod' && violation(spec, enforced);
      if (problem) throw forbidden(resource, name, `violates ${problem}`);
      // Who is strict and says nothing of warnings wants to warn of what will be refused.
      const warned = labels[`${prefix}warn`] === undefined ? enforced : levelOf(labels, 'warn');
      const warning = violation(spec, warned);
      if (warning) warn(`would violate ${warning}`);
    },
  };
}

interface Level {
  level: SecurityLevel;
  version: string;
}

function levelOf(labels: Record<string, string>, mode: string): Level {
  const level = securityLevels.find((known) => known === labels[prefix + mode]) ?? 'privileged';
  return { level, version: labels[`${prefix}${mode}-version`] ?? 'latest' };
}

/** `PodSecurity "restricted:latest": …`. Every version is judged by today's standards. */
function violation(spec: PodSpec, { level, version }: Level): string | undefined {
  const found = violations(spec, level);
  return found.length > 0 ? `PodSecurity "${level}:${version}": ${found.join(', ')}` : undefined;
}

/** A pod's own, or that of a workload's template. */
function podSpecOf({ kind, spec, template }: ApiObject): PodSpec | undefined {
  if (kind === 'Pod') return spec as PodSpec | undefined;
  const { template: inSpec, jobTemplate } = (spec ?? {}) as { template?: Template; jobTemplate?: { spec?: { template?: Template } } };
  return (inSpec ?? jobTemplate?.spec?.template ?? (template as Template | undefined))?.spec;
}

interface Template {
  spec?: PodSpec;
}

function checkLabels({ metadata: { name = '', labels = {} } }: ApiObject): void {
  const causes = modes.flatMap((mode): StatusCause[] => {
    const [level, version] = [labels[prefix + mode], labels[`${prefix}${mode}-version`]];
    const field = `metadata.labels[${prefix}${mode}`;
    return [
      ...(level === undefined || securityLevels.some((known) => known === level)
        ? []
        : [invalidValue(`${field}]`, level, `must be one of ${securityLevels.join(', ')}`)]),
      ...(version === undefined || /^(latest|v1\.\d+)$/.test(version)
        ? []
        : [invalidValue(`${field}-version]`, version, 'must be "latest" or "v1.x"')]),
    ];
  });
  if (causes.length > 0) throw invalid({ group: '', kind: 'Namespace' }, name, causes);
}
