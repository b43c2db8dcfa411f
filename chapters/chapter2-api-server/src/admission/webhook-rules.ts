// Which writes a webhook wants to hear of, or a policy is about: rules name operations and resources, selectors namespaces and objects.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/generic/webhook.go, ShouldCallHook, and
// .../pkg/admission/plugin/policy/matching/matching.go

import type { LiveObjects } from '../access/live-objects.ts';
import type { MatchResources, Rule } from '../kinds/match-resources.ts';
import type { Webhook } from '../kinds/webhooks.ts';
import { selects } from '../label-selector.ts';
import { isNamespaces } from '../namespaces.ts';
import type { ResourceDefinition } from '../resources.ts';
import type { Write } from './admission.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

export function operationOf({ object, old }: Pick<Write, 'object' | 'old'>): Operation {
  if (!object) return 'DELETE';
  return old ? 'UPDATE' : 'CREATE';
}

/** Of the namespace that the write is in, or is; undefined for everything else in the cluster. */
export function namespaceLabels({ target, object, old }: Write, namespaces: LiveObjects): Record<string, string> | undefined {
  if (isNamespaces(target.resource)) return (object ?? old)?.metadata.labels ?? {};
  return target.namespace === undefined ? undefined : (namespaces.get(undefined, target.namespace)?.metadata.labels ?? {});
}

/** @param labels `namespaceLabels` */
export function wants(webhook: Webhook, write: Write, labels: Record<string, string> | undefined): boolean {
  const { rules = [] } = webhook;
  return rules.some((rule) => matchesRule(rule, write)) && isSelected(webhook, write, labels);
}

/**
 * The version of the object that a policy is about; undefined when it is not about this write. A write that comes in another version than
 * the rules name is about the same object, and so is meant, too.
 *
 * @param labels `namespaceLabels`
 * @param versions every resource that shows the same objects as the write's own, and that one first
 */
export function matchedVersion(
  { resourceRules = [], excludeResourceRules = [], matchPolicy, ...selectors }: MatchResources,
  write: Write,
  labels: Record<string, string> | undefined,
  versions: ResourceDefinition[],
): ResourceDefinition | undefined {
  if (!isSelected(selectors, write, labels)) return undefined;
  const candidates = matchPolicy === 'Exact' ? versions.slice(0, 1) : versions;
  const namedBy = (rules: Rule[]) => candidates.find((version) => rules.some((rule) => matchesRule(rule, write, version)));
  if (namedBy(excludeResourceRules)) return undefined;
  return resourceRules.length === 0 ? versions[0] : namedBy(resourceRules);
}

function isSelected(
  { namespaceSelector, objectSelector }: Pick<Webhook, 'namespaceSelector' | 'objectSelector'>,
  { object, old }: Write,
  labels: Record<string, string> | undefined,
): boolean {
  if (labels && !selects(namespaceSelector, labels)) return false;
  return [object, old].some((one) => one && selects(objectSelector, one.metadata.labels ?? {}));
}

/** @param resource what the write is about: it may be seen as another version of it */
function matchesRule(rule: Rule, write: Write, resource: ResourceDefinition = write.target.resource): boolean {
  const { apiGroups = [], apiVersions = [], resources = [], operations = [], resourceNames = [], scope = '*' } = rule;
  const { group, version, namespaced } = resource;
  const includes = (values: string[], value: string) => values.includes('*') || values.includes(value);
  return (
    includes(operations, operationOf(write)) &&
    includes(apiGroups, group) &&
    includes(apiVersions, version) &&
    resources.some((pattern) => matchesResource(pattern, resource.plural, write.subresource)) &&
    (scope === '*' || scope === (namespaced ? 'Namespaced' : 'Cluster')) &&
    (resourceNames.length === 0 || resourceNames.includes(write.target.name))
  );
}

/** `pods` is not `pods/status`; `pods/*` is both, and `*` is everything but what lies below. */
function matchesResource(pattern: string, plural: string, subresource: string): boolean {
  const [name, below] = pattern.split('/');
  if (name !== '*' && name !== plural) return false;
  return below === '*' || (below ?? '') === subresource;
}
