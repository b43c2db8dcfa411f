// The parameters of a policy: objects of the kind that it names, chosen by a binding. So one policy can ask for 3 replicas at most in one
// namespace, and 10 in another.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go, CollectParams

import { LiveObjects, type LiveSource } from '../access/live-objects.ts';
import { toServed } from '../conversion.ts';
import { prefixOfResource } from '../keys.ts';
import type { Policy, PolicyBinding } from '../kinds/policies.ts';
import { selects } from '../label-selector.ts';
import type { ApiObject } from '../object.ts';
import { apiVersionOf, type ResourceDefinition } from '../resources.ts';

/** A policy and its binding do not go together, or not with what there is, and why. */
export class ConfigurationError extends Error {}

export class PolicyParams {
  readonly #source: LiveSource;
  readonly #allResources: () => ResourceDefinition[];
  /** By the prefix of the objects' keys. */
  readonly #live = new Map<string, LiveObjects>();

  constructor(source: LiveSource, allResources: () => ResourceDefinition[]) {
    this.#source = source;
    this.#allResources = allResources;
  }

  /** The resource of the kind that the policy names; undefined where it names none. Throws ConfigurationError. */
  resourceOf({ spec: { paramKind } }: Policy): ResourceDefinition | undefined {
    if (!paramKind) return undefined;
    const { apiVersion = '', kind = '' } = paramKind;
    const resource = this.#allResources().find((one) => one.kind === kind && apiVersionOf(one) === apiVersion);
    if (resource) return resource;
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    throw new ConfigurationError(`failed to find resource referenced by paramKind: '${group}/${version}, Kind=${kind}'`);
  }

  /** The policy is asked once for each; null: once, without any. Throws ConfigurationError. */
  async of(
    resource: ResourceDefinition,
    { spec: { paramRef } }: PolicyBinding,
    ofWrite: string | undefined,
  ): Promise<(ApiObject | null)[]> {
    if (!paramRef) return [null];
    const namespace = namespaceOf(resource, paramRef.namespace, ofWrite);
    const live = this.#liveObjects(resource);
    await live.ready();
    const found = paramRef.name
      ? [live.get(namespace, paramRef.name)].filter((object) => object !== undefined)
      : [...live.values()].filter(({ metadata }) => metadata.namespace === namespace && selects(paramRef.selector, metadata.labels ?? {}));
    if (found.length === 0 && paramRef.parameterNotFoundAction === 'Deny') {
      throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
    }
    return found.map((object) => toServed(object, resource));
  }

  #liveObjects(resource: ResourceDefinition): LiveObjects {
    const prefix = prefixOfResource(resource);
    const live = this.#live.get(prefix) ?? new LiveObjects(resource, this.#source);
    this.#live.set(prefix, live);
    return live;
  }
}

/** Where no namespace is named, the parameters are in that of the write. */
function namespaceOf({ namespaced }: ResourceDefinition, named: string | undefined, ofWrite: string | undefined): string | undefined {
  if (!namespaced && named) throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  if (!namespaced) return undefined;
  const namespace = named || ofWrite;
  if (namespace) return namespace;
  throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
}
