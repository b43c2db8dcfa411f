// A ClusterRole with an aggregationRule has no rules of its own: it has those of all ClusterRoles that the rule's selectors choose. So
// whoever adds a kind to the cluster adds to `admin`, `edit` and `view` by making a role with the right label.
// Kubernetes: pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go

import { isDeepStrictEqual } from 'node:util';
import { type ClusterRole, ClusterRoles, keyOf, type PolicyRule } from '#kit/api';
import type { Client } from '#kit/client';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { matchesSelector } from './label-selector.ts';
import { WorkQueue } from './work-queue.ts';

export class ClusterRoleAggregation implements Controller {
  readonly name = 'clusterrole-aggregation-controller';
  readonly workers = 1;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #roles: Informer<ClusterRole>;

  constructor(context: ControllerContext) {
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#roles = context.informers.for(ClusterRoles);
    // Whatever changes, any role that gathers may be meant.
    const look = () => {
      for (const role of this.#roles.list()) if (role.aggregationRule) this.queue.add(keyOf(role));
    };
    this.#roles.onChange({ added: look, updated: look, deleted: look });
  }

  async reconcile(name: string): Promise<void> {
    const role = this.#roles.get(name);
    if (!role?.aggregationRule) return;
    const rules = gatheredRules(role, this.#roles.list());
    if (!isDeepStrictEqual(rules, role.rules ?? [])) await this.#client.patch(ClusterRoles, { name }, 'merge', { rules });
  }
}

/** Selector by selector, the rules of the roles that it chooses, in the order of their names; none of them twice. */
export function gatheredRules(role: ClusterRole, all: ClusterRole[]): PolicyRule[] {
  const nameOf = ({ metadata }: ClusterRole) => metadata?.name ?? '';
  const others = all.filter((other) => nameOf(other) !== nameOf(role)).sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  const rules = (role.aggregationRule?.clusterRoleSelectors ?? []).flatMap((selector) =>
    others.filter(({ metadata }) => matchesSelector(selector, metadata?.labels)).flatMap((other) => other.rules ?? []),
  );
  return rules.filter((rule, index) => rules.findIndex((other) => isDeepStrictEqual(other, rule)) === index);
}
