// May they? First the members of system:masters, who may do everything; then the node authorizer, for kubelets; then the roles. The first
// yes counts. Nobody can say a no that ends the question.
// Kubernetes: pkg/kubeapiserver/authorizer/config.go; staging/src/k8s.io/apiserver/pkg/authorization/union/union.go

import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from 'kubernetes-types/rbac/v1';
import type { Pod } from '#kit/api';
import { accessDenied } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { Storage } from '../storage.ts';
import type { WatchCaches } from '../watch-caches.ts';
import { type Action, describeRefusal, isPathAction } from './actions.ts';
import { LiveObjects } from './live-objects.ts';
import { authorizeNode } from './node-authorizer.ts';
import { authorizeByRoles, type Decision, type Policy } from './rbac.ts';
import { isMaster, nodeNameOf, type User } from './users.ts';

const rbac = 'rbac.authorization.k8s.io';

export interface AuthorizerOptions {
  storage: Storage;
  caches: WatchCaches;
  /** Everybody may do everything. */
  allowsAll: boolean;
}

export class Authorizer {
  readonly allowsAll: boolean;
  readonly #pods: LiveObjects;
  readonly #clusterRoles: LiveObjects;
  readonly #clusterRoleBindings: LiveObjects;
  readonly #roles: LiveObjects;
  readonly #roleBindings: LiveObjects;

  constructor({ allowsAll, ...source }: AuthorizerOptions) {
    this.allowsAll = allowsAll;
    const live = (group: string, plural: string) => new LiveObjects(findResource(group, 'v1', plural) as ResourceDefinition, source);
    this.#pods = live('', 'pods');
    this.#clusterRoles = live(rbac, 'clusterroles');
    this.#clusterRoleBindings = live(rbac, 'clusterrolebindings');
    this.#roles = live(rbac, 'roles');
    this.#roleBindings = live(rbac, 'rolebindings');
  }

  async authorize(user: User, action: Action): Promise<Decision> {
    if (this.allowsAll || isMaster(user)) return { allowed: true, reason: '' };
    const nodeName = nodeNameOf(user);
    const asNode = nodeName === undefined ? undefined : authorizeNode(nodeName, action, await this.podsOn(nodeName));
    if (asNode?.allowed) return asNode;
    const byRoles = authorizeByRoles(user, action, await this.policy());
    return byRoles.allowed ? byRoles : { allowed: false, reason: asNode?.reason || byRoles.reason };
  }

  /** Throws 403 Forbidden for what the user may not do. */
  async demand(user: User, action: Action): Promise<void> {
    const { allowed, reason } = await this.authorize(user, action);
    if (allowed) return;
    const refusal = describeRefusal(user.name, action);
    throw accessDenied(isPathAction(action) ? undefined : action, reason ? `${refusal}: ${reason}` : refusal);
  }

  async podsOn(nodeName: string): Promise<Pod[]> {
    await this.#pods.ready();
    return [...(this.#pods.values() as Iterable<Pod & ApiObject>)].filter(({ spec }) => spec?.nodeName === nodeName);
  }

  /** All roles and bindings as they are now. */
  async policy(): Promise<Policy> {
    const all = [this.#clusterRoles, this.#clusterRoleBindings, this.#roles, this.#roleBindings];
    await Promise.all(all.map((objects) => objects.ready()));
    const bindings = this.#roleBindings.values() as Iterable<RoleBinding & ApiObject>;
    return {
      clusterRoleBindings: () => this.#clusterRoleBindings.values() as Iterable<ClusterRoleBinding & ApiObject>,
      roleBindings: (namespace) => [...bindings].filter(({ metadata }) => metadata.namespace === namespace),
      clusterRole: (name) => this.#clusterRoles.get(undefined, name) as (ClusterRole & ApiObject) | undefined,
      role: (namespace, name) => this.#roles.get(namespace, name) as (Role & ApiObject) | undefined,
    };
  }
}
