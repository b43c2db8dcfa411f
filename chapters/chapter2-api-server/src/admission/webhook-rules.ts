// Which writes a webhook wants to hear of: its rules name operations and resources, its selectors namespaces and objects.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/generic/webhook.go, ShouldCallHook

import type { Webhook, WebhookRule } from '../kinds/webhooks.ts';
import { selects } from '../label-selector.ts';
import type { Write } from './admission.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

export function operationOf({ object, old }: Pick<Write, 'object' | 'old'>): Operation {
  if (!object) return 'DELETE';
  return old ? 'UPDATE' : 'CREATE';
}

/** @param namespaceLabels of the namespace that the write is in, or is; undefined for everything else in the cluster */
export function wants(webhook: Webhook, write: Write, namespaceLabels: Record<string, string> | undefined): boolean {
  const { rules = [], namespaceSelector, objectSelector } = webhook;
  if (!rules.some((rule) => matchesRule(rule, write))) return false;
  if (namespaceLabels && !selects(namespaceSelector, namespaceLabels)) return false;
  return [write.object, write.old].some((object) => object && selects(objectSelector, object.metadata.labels ?? {}));
}

function matchesRule(
  { apiGroups = [], apiVersions = [], resources = [], operations = [], scope = '*' }: WebhookRule,
  write: Write,
): boolean {
  const { group, version, namespaced } = write.target.resource;
  const includes = (values: string[], value: string) => values.includes('*') || values.includes(value);
  return (
    includes(operations, operationOf(write)) &&
    includes(apiGroups, group) &&
    includes(apiVersions, version) &&
    resources.some((resource) => matchesResource(resource, write)) &&
    (scope === '*' || scope === (namespaced ? 'Namespaced' : 'Cluster'))
  );
}

/** `pods` is not `pods/status`; `pods/*` is both, and `*` is everything but what lies below. */
function matchesResource(pattern: string, { target, subresource }: Write): boolean {
  const [plural, below] = pattern.split('/');
  if (plural !== '*' && plural !== target.resource.plural) return false;
  return below === '*' || (below ?? '') === subresource;
}
