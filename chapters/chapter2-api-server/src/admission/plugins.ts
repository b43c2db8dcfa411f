// The plugins, in the order in which they are asked. Who gives a pod its resources comes before who counts them; who counts comes last,
// so that nothing is counted that somebody refuses.
// Kubernetes: pkg/kubeapiserver/options/plugins.go, AllOrderedPlugins

import type { Clock, Random } from '#kit/clock';
import type { Authorizer } from '../access/authorizer.ts';
import { refuseEscalation } from '../access/escalation.ts';
import { restrictNode } from '../access/node-restriction.ts';
import { nodeNameOf } from '../access/users.ts';
import { certificatePlugins } from '../certificate-requests.ts';
import type { Definitions } from '../custom/definitions.ts';
import type { PodNetwork } from '../pod-network.ts';
import type { Storage } from '../storage.ts';
import type { WatchCaches } from '../watch-caches.ts';
import { type AdmissionPlugin, type Admit, admissionBy } from './admission.ts';
import { defaultTolerations } from './default-tolerations.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { ownerReferences } from './owner-references.ts';
import { podSecurity } from './pod-security.ts';
import { validatingPolicies } from './policies.ts';
import { priority } from './priority.ts';
import { resourceQuota } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhooks.ts';

export interface AdmissionOptions {
  storage: Storage;
  caches: WatchCaches;
  definitions: Definitions;
  authorizer: Authorizer;
  /** The way to webhooks that run in pods. */
  podNetwork: PodNetwork;
  clock: Clock;
  random: Random;
  /** Names of plugins that are asked, though they are not by default. */
  enabled: string[];
  /** Names of plugins that are not asked. */
  disabled: string[];
}

export function createAdmission({
  authorizer,
  definitions,
  podNetwork,
  clock,
  random,
  enabled,
  disabled,
  ...source
}: AdmissionOptions): Admit {
  const lifecycle = namespaceLifecycle(source.storage);
  const webhooks = { ...source, podNetwork, clock, random };
  const access = authorizer.allowsAll ? [] : [nodeRestriction, escalation(authorizer)];
  const all = [
    lifecycle,
    limitRanger(source),
    serviceAccount({ storage: source.storage, clock, random }),
    ...access,
    podSecurity(source),
    ...certificatePlugins(authorizer, clock),
    priority(source),
    defaultTolerations,
    ownerReferences(authorizer, definitions),
    mutatingWebhooks(webhooks),
    validatingPolicies({ ...source, allResources: () => definitions.all() }),
    validatingWebhooks(webhooks),
    resourceQuota(source),
  ];
  // NodeRestriction is there or not, as the authorization mode wants it.
  const names = [...all, nodeRestriction].filter(({ isOptional = true }) => isOptional).map(({ name }) => name);
  for (const [word, wanted] of Object.entries({ enabled, disabled })) {
    const unknown = wanted.find((name) => !names.includes(name));
    if (unknown === undefined) continue;
    throw new Error(`there is no admission plugin "${unknown}" that could be ${word}; there are: ${[...new Set(names)].sort().join(', ')}`);
  }
  const isAsked = ({ name, isOptional = true, isOnByDefault = true }: AdmissionPlugin) =>
    !isOptional || (!disabled.includes(name) && (isOnByDefault || enabled.includes(name)));
  return admissionBy(all.filter(isAsked), { beforeThisStage: [lifecycle] });
}

const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  admit(write) {
    const nodeName = nodeNameOf(write.user);
    if (nodeName !== undefined) restrictNode(nodeName, write.subresource, write);
  },
};

/** Upstream this is no plugin but part of how roles are stored: nobody can switch it off. */
function escalation(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RBAC',
    isOptional: false,
    async admit(write) {
      if (write.subresource === '') await refuseEscalation(write.user, write, authorizer);
    },
  };
}
