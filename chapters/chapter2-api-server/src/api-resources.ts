// What the handlers work with.

import type { Clock, Random } from '#kit/clock';
import type { Authorizer } from './access/authorizer.ts';
import type { ServiceAccountTokens } from './access/service-account-tokens.ts';
import type { Admit } from './admission/admission.ts';
import type { Definitions } from './custom/definitions.ts';
import type { Health } from './health.ts';
import type { LiveLists } from './live-lists.ts';
import type { NodeConnections } from './node-connections.ts';
import type { PodNetwork } from './pod-network.ts';
import type { Registry } from './registry.ts';
import type { ServerMetrics } from './server-metrics.ts';
import type { Storage } from './storage.ts';
import type { WatchCaches } from './watch-caches.ts';

export interface ApiResources {
  health: Health;
  metrics: ServerMetrics;
  registry: Registry;
  storage: Storage;
  lists: LiveLists;
  caches: WatchCaches;
  definitions: Definitions;
  nodes: NodeConnections;
  podNetwork: PodNetwork;
  authorizer: Authorizer;
  admit: Admit;
  tokens: ServiceAccountTokens;
  clock: Clock;
  random: Random;
}
