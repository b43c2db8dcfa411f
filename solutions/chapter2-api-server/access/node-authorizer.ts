// What a kubelet may do. No role could say it, for it depends on which pods are bound to its node at this moment: the secrets of those,
// and no others. A machine that somebody broke into then gives away its own pods' secrets, not everybody's.
// Kubernetes: plugin/pkg/auth/authorizer/node/node_authorizer.go

import type { Pod } from '#kit/api';
import { type Action, demanded, isPathAction, type ResourceAction } from './actions.ts';
import { type PodReferences, referencesOf } from './pod-references.ts';
import { nodeRules } from './policy/node-rules.ts';
import type { Decision } from './rbac.ts';
import { ruleAllows } from './rules.ts';

const allowed: Decision = { allowed: true, reason: '' };
const refused = (reason = ''): Decision => ({ allowed: false, reason });

/** Resources of which a kubelet reads those that its pods use, each by its name. */
const usedByPods: Record<string, string[]> = {
  secrets: ['get', 'list', 'watch'],
  configmaps: ['get', 'list', 'watch'],
  persistentvolumeclaims: ['get'],
};

/** Resources of which a kubelet has one, called like its node. */
const namedLikeNode: Record<string, { namespace: string; elsewhere: string }> = {
  'coordination.k8s.io/leases': {
    namespace: 'kube-node-lease',
    elsewhere: 'can only access leases in the "kube-node-lease" system namespace',
  },
  'storage.k8s.io/csinodes': { namespace: '', elsewhere: '' },
};

/** @param pods those that are bound to the node */
export function authorizeNode(nodeName: string, action: Action, pods: Pod[]): Decision {
  if (isPathAction(action)) return refused();
  const key = action.group ? `${action.group}/${action.resource}` : action.resource;
  if (usedByPods[key]) return authorizeUsed(nodeName, action, pods, usedByPods[key]);
  if (key === 'serviceaccounts') return authorizeToken(nodeName, action, pods);
  if (key === 'nodes') return authorizeOwnNode(nodeName, action);
  if (key === 'pods') return authorizePods(nodeName, action, pods);
  if (namedLikeNode[key]) return authorizeOwn(nodeName, action, namedLikeNode[key]);
  return nodeRules.some((rule) => ruleAllows(rule, action)) ? allowed : refused();
}

/**
 * Secrets, ConfigMaps and claims: only these verbs (`can only read resources of this type`), no subresource (`cannot read subresource`),
 * in one namespace (`can only read namespaced object of this type`), by name (`No Object name found`), and only one that a pod of
 * the node uses: `no relationship found between node 'node-1' and this object`.
 *
 * @exercise 2.10 Let a kubelet read what its own pods use, and nothing else
 */
function authorizeUsed(nodeName: string, action: ResourceAction, pods: Pod[], verbs: string[]): Decision {
  if (!verbs.includes(action.verb)) return refused('can only read resources of this type');
  if (action.subresource) return refused('cannot read subresource');
  if (!action.namespace) return refused('can only read namespaced object of this type');
  return isUsed(action, pods) ? allowed : refused(action.name ? unrelated(nodeName) : 'No Object name found');
}

function authorizeToken(nodeName: string, action: ResourceAction, pods: Pod[]): Decision {
  if (action.verb !== 'create' || !action.name) return refused('can only create tokens for individual service accounts');
  if (action.subresource !== 'token') return refused('can only create token subresource of serviceaccount');
  return isUsed(action, pods) ? allowed : refused(unrelated(nodeName));
}

function authorizeOwnNode(nodeName: string, { verb, subresource, name }: ResourceAction): Decision {
  if (subresource === 'status') return ['update', 'patch'].includes(verb) ? allowed : refused();
  if (subresource) return refused();
  if (['create', 'update', 'patch'].includes(verb)) return allowed;
  if (!['get', 'list', 'watch'].includes(verb)) return refused();
  if (name === nodeName) return allowed;
  return refused(`node '${nodeName}' cannot read ${name ? `'${name}'` : 'all nodes'}, only its own Node object`);
}

function authorizePods(nodeName: string, { verb, subresource, namespace, name, fieldSelector }: ResourceAction, pods: Pod[]): Decision {
  if (subresource === 'status') return ['update', 'patch'].includes(verb) ? allowed : refused();
  if (subresource === 'eviction') return verb === 'create' ? allowed : refused();
  if (subresource) return refused();
  if (['create', 'delete'].includes(verb)) return allowed;
  if (verb === 'list' || verb === 'watch') {
    if (demanded(fieldSelector, 'spec.nodeName') === nodeName) return allowed;
    if (!name) return refused('can only list/watch pods with spec.nodeName field selector');
  } else if (verb !== 'get') {
    return refused();
  }
  const isHere = pods.some(({ metadata }) => metadata?.namespace === namespace && metadata?.name === name);
  return isHere ? allowed : refused(unrelated(nodeName));
}

function authorizeOwn(
  nodeName: string,
  action: ResourceAction,
  { namespace, elsewhere }: { namespace: string; elsewhere: string },
): Decision {
  const { verb, resource } = action;
  const one = resource === 'leases' ? 'a node lease' : 'a CSINode';
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb))
    return refused(`can only get, create, update, patch, or delete ${one}`);
  if (action.namespace !== namespace) return refused(elsewhere);
  if (action.subresource) return refused();
  if (verb === 'create' || action.name === nodeName) return allowed;
  return refused(`can only access ${resource === 'leases' ? 'node lease' : 'CSINode'} with the same name as the requesting node`);
}

function isUsed({ resource, namespace, name }: ResourceAction, pods: Pod[]): boolean {
  const here = pods.filter(({ metadata }) => metadata?.namespace === namespace);
  return here.some((pod) => referencesOf(pod)[resource as keyof PodReferences].has(name));
}

function unrelated(nodeName: string): string {
  return `no relationship found between node '${nodeName}' and this object`;
}
