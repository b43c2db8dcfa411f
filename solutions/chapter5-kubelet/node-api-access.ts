// Who may use the kubelet's API: whoever it is in may read every log and run anything in every pod of the node. The certificate says who asks;
// whether they may, the API server is asked, as a question about `nodes/proxy`. So permissions stay in one place.
// Kubernetes: pkg/kubelet/server/auth.go, and what --authorization-mode=Webhook does

import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { SubjectAccessReview } from 'kubernetes-types/authorization/v1';
import { SubjectAccessReviews } from '#kit/api';
import type { Client } from '#kit/client';
import type { Clock } from '#kit/clock';

/** Kubernetes: the kubelet's defaults of authorization.webhook.cacheAuthorizedTTL and cacheUnauthorizedTTL */
const rememberedMs = { allowed: 5 * 60_000, denied: 30_000 };

export interface NodeApiAccessOptions {
  client: Client;
  nodeName: string;
  clock: Clock;
}

interface User {
  name: string;
  groups: string[];
}

/** Why somebody is not let in: an HTTP code, and words. */
export interface AccessRefusal {
  code: 401 | 403;
  message: string;
}

export class NodeApiAccess {
  readonly #options: NodeApiAccessOptions;
  readonly #answers = new Map<string, { allowed: boolean; until: number }>();

  constructor(options: NodeApiAccessOptions) {
    this.#options = options;
  }

  /** Undefined: the request is welcome. Rejects when the API server does not answer: then nobody is. */
  async refusal(message: IncomingMessage): Promise<AccessRefusal | undefined> {
    const user = userOf(message.socket as TLSSocket);
    if (!user) return { code: 401, message: 'Unauthorized' };
    const verb = verbOf(message);
    if (await this.#mayUse(user, verb)) return undefined;
    return { code: 403, message: `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource=proxy)` };
  }

  async #mayUse(user: User, verb: string): Promise<boolean> {
    const { clock } = this.#options;
    const question = JSON.stringify([user, verb]);
    const known = this.#answers.get(question);
    if (known && clock.now() < known.until) return known.allowed;
    const allowed = await this.#ask(user, verb);
    this.#answers.set(question, { allowed, until: clock.now() + rememberedMs[allowed ? 'allowed' : 'denied'] });
    return allowed;
  }

  async #ask({ name, groups }: User, verb: string): Promise<boolean> {
    const { client, nodeName } = this.#options;
    const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource: 'proxy', name: nodeName };
    const review: SubjectAccessReview = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: { user: name, groups: [...groups, 'system:authenticated'], resourceAttributes },
    };
    return (await client.create(SubjectAccessReviews, review)).status?.allowed ?? false;
  }
}

/** The common name is the user, the organizations are the groups. Undefined without a certificate of the cluster's CA. */
function userOf(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  const { CN, O } = socket.getPeerCertificate().subject as { CN?: string; O?: string | string[] };
  return CN ? { name: CN, groups: [O ?? []].flat() } : undefined;
}

function verbOf({ method }: IncomingMessage): string {
  return method === 'POST' || method === 'CONNECT' ? 'create' : 'get';
}
