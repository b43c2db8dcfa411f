// What a kubelet may write into the objects that it may write: about itself, and about its own pods. The node authorizer sees only the path;
// this sees the object.
// Kubernetes: plugin/pkg/admission/noderestriction/admission.go

import type { TokenRequest, TokenRequestSpec } from 'kubernetes-types/authentication/v1';
import type { Node, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import type { Write } from '../admission/admission.ts';
import { forbidden } from '../errors.ts';
import { equalJson } from '../json.ts';
import type { ApiObject } from '../object.ts';
import { referencesOf } from './pod-references.ts';

const mirrorAnnotation = 'kubernetes.io/config.mirror';
const restrictedLabels = 'node-restriction.kubernetes.io';
/** Labels in Kubernetes' own domains that a kubelet may give its node. */
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
]);
const kubeletLabelDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

/** Throws 403 Forbidden for what a kubelet must not write. */
export function restrictNode(nodeName: string, subresource: string, write: Write): void {
  const { resource, name } = write.target;
  const key = resource.group ? `${resource.group}/${resource.plural}` : resource.plural;
  const restriction = restrictions[subresource ? `${key}/${subresource}` : key];
  const problem = restriction?.(nodeName, write);
  if (problem) throw forbidden(resource, name, problem);
}

type Restriction = (nodeName: string, write: Write) => string | undefined;

const restrictions: Record<string, Restriction> = {
  pods: (nodeName, { object, old }) => {
    if (object && old) return `unexpected operation "UPDATE", node "${nodeName}" can only create and delete mirror pods`;
    return object ? mirrorPodProblem(nodeName, object as Pod) : notOwn(nodeName, old, 'delete pods');
  },
  'pods/status': (nodeName, { object, old }) => {
    const changesLabels = object && old && !equalJson(object.metadata.labels ?? {}, old.metadata.labels ?? {});
    return (
      notOwn(nodeName, old, 'update pod status for pods') ??
      (changesLabels ? `node "${nodeName}" cannot update labels through pod status` : undefined)
    );
  },
  'pods/eviction': (nodeName, { old }) => notOwn(nodeName, old, 'evict pods'),
  nodes: nodeProblem,
  'nodes/status': nodeProblem,
  'serviceaccounts/token': tokenProblem,
  'coordination.k8s.io/leases': (nodeName, { target }) =>
    target.name === nodeName ? undefined : 'can only access node lease with the same name as the requesting node',
  'storage.k8s.io/csinodes': (nodeName, { target }) =>
    target.name === nodeName ? undefined : 'can only access CSINode with the same name as the requesting node',
};

function notOwn(nodeName: string, old: ApiObject | undefined, what: string): string | undefined {
  const isOwn = (old as Pod | undefined)?.spec?.nodeName === nodeName;
  return isOwn ? undefined : `node "${nodeName}" can only ${what} with spec.nodeName set to itself`;
}

/** Which pod it is for, and that it runs here, is checked where the pod is at hand. */
function tokenProblem(_: string, { object }: Write): string | undefined {
  const { boundObjectRef: ref } = ((object as TokenRequest | undefined)?.spec ?? {}) as Partial<TokenRequestSpec>;
  if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name) return 'node requested token not bound to a pod';
  return ref.uid ? undefined : 'node requested token with a pod binding without a uid';
}

/** A kubelet creates pods only to show what it runs by itself; they must not reach for anything. */
function mirrorPodProblem(nodeName: string, pod: Pod): string | undefined {
  const only = `node "${nodeName}" can only create`;
  const { annotations = {}, ownerReferences: owners = [] } = pod.metadata ?? {};
  if (!(mirrorAnnotation in annotations)) return `pod does not have "${mirrorAnnotation}" annotation, ${only} mirror pods`;
  if (pod.spec?.nodeName !== nodeName) return `${only} pods with spec.nodeName set to itself`;
  const [owner] = owners;
  const isOwn = owners.length === 1 && owner?.apiVersion === 'v1' && owner.kind === 'Node' && owner.name === nodeName;
  if (!isOwn) return `${only} pods with an owner reference set to itself`;
  if (!owner.controller) return `${only} pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion) return `node "${nodeName}" must not set blockOwnerDeletion on an owner reference`;
  const reached = Object.entries(referencesOf(pod)).find(([, names]) => names.size > 0)?.[0];
  return (
    reached && `node "${nodeName}" can not create pods that reference ${reached === 'serviceaccounts' ? 'a service account' : reached}`
  );
}

/**
 * What is wrong with a kubelet's write to a Node, its status included; undefined when nothing is:
 *
 *     another node than its own                     node "node-1" is not allowed to modify node "node-2"
 *     created with labels that are not its own      node "node-1" is not allowed to set the following labels: a, b
 *     updated with other taints than before         node "node-1" is not allowed to modify taints
 *     updated with other labels, not its own        is not allowed to modify labels: a, b
 *
 * Labels that are new, gone, or have another value count (`changedLabels`), if a kubelet has no say in them (`isForbiddenLabel`);
 * they are listed in the order of the alphabet. Else a node could draw pods to itself.
 */
function nodeProblem(nodeName: string, { target, object, old }: Write): string | undefined {
  throw new NotImplemented('2.10', 'Say what a kubelet must not change about nodes');
}

function changedLabels({ metadata }: ApiObject, old: ApiObject | undefined): string[] {
  const [now, before] = [metadata.labels ?? {}, old?.metadata.labels ?? {}];
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((key) => now[key] !== before[key]);
}

/** Kubernetes' own labels, but for those that only a kubelet knows; and those that are there to keep kubelets out. */
function isForbiddenLabel(key: string): boolean {
  const domain = key.includes('/') ? (key.split('/')[0] ?? '') : '';
  const isIn = (parent: string) => domain === parent || domain.endsWith(`.${parent}`);
  if (isIn(restrictedLabels)) return true;
  if (!isIn('kubernetes.io') && !isIn('k8s.io')) return false;
  return !kubeletLabels.has(key) && !kubeletLabelDomains.some(isIn);
}
