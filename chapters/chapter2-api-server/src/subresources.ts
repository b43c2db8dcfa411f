// What lies below an object: `pods/web/log`, `deployments/web/scale`. For each kind of subresource, the kind of object that
// is sent and answered there, and what may be done with it.

import type { GroupVersionKind, ResourceDefinition } from './resources.ts';

export interface Subresource {
  responseKind: GroupVersionKind;
  verbs: string[];
}

const readAndWrite = ['get', 'patch', 'update'];
/** A connection that stays open: a WebSocket begins with GET, SPDY with POST. */
const connect = ['create', 'get'];

/** Kubernetes: pkg/registry/core/rest/storage_core.go and its like for the other groups */
export function subresourceOf({ group, version, kind }: ResourceDefinition, name: string): Subresource {
  const itself = { group, version, kind };
  const core = (kind: string) => ({ group: '', version: 'v1', kind });
  switch (name) {
    case 'status':
    case 'approval':
    case 'ephemeralcontainers':
      return { responseKind: itself, verbs: readAndWrite };
    case 'scale':
      return { responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: readAndWrite };
    case 'log':
      return { responseKind: itself, verbs: ['get'] };
    case 'finalize':
      return { responseKind: itself, verbs: ['update'] };
    case 'binding':
      return { responseKind: core('Binding'), verbs: ['create'] };
    case 'eviction':
      return { responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] };
    case 'token':
      return { responseKind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }, verbs: ['create'] };
    case 'exec':
    case 'attach':
      return { responseKind: core(name === 'exec' ? 'PodExecOptions' : 'PodAttachOptions'), verbs: connect };
    case 'portforward':
      return { responseKind: core('PodPortForwardOptions'), verbs: connect };
    case 'proxy':
      return { responseKind: core(`${kind}ProxyOptions`), verbs: ['create', 'delete', 'get', 'patch', 'update'] };
    default:
      throw new Error(`subresources.ts does not know what ${kind}'s subresource ${name} is: add a case for it`);
  }
}
