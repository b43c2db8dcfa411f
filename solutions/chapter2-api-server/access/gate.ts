// The gate: every request passes it before any handler sees it. Who asks, as whom, and may they do what the path says.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/filters, authentication.go, impersonation.go, authorization.go

import type { IncomingMessage } from 'node:http';
import { unauthorized } from '../errors.ts';
import { actionOf } from './actions.ts';
import type { Authenticator } from './authenticator.ts';
import type { Authorizer } from './authorizer.ts';
import { completed, impersonated, impersonationActions } from './impersonation.ts';
import { anonymous, isMaster, type User } from './users.ts';

/** Paths that answer anybody, also while the roles cannot be read: a load balancer asks here whether the server lives. */
const openPaths = ['/healthz', '/livez', '/readyz', '/version'];

export interface Knock {
  method: string;
  path: string;
  query: URLSearchParams;
  message: IncomingMessage;
  /** Is told who asks, and as whom, before it is decided whether they may. */
  identified?(user: User, impersonated: User | undefined): void;
}

export class Gate {
  readonly #authenticator: Authenticator;
  readonly #authorizer: Authorizer;

  constructor(authenticator: Authenticator, authorizer: Authorizer) {
    this.#authenticator = authenticator;
    this.#authorizer = authorizer;
  }

  /**
   * Lets a request in, as the user who asks or whom they impersonate. Throws 401 Unauthorized for a proof that is wrong, 403 Forbidden
   * for what the user may not do.
   */
  async admit({ method, path, query, message, identified }: Knock): Promise<User> {
    const asking = await this.#authenticator.authenticate(message);
    const wanted = impersonated(message.headersDistinct);
    identified?.(asking, wanted);
    const user = wanted ? await this.#become(wanted, asking) : asking;
    if (openPaths.includes(path) || isMaster(user)) return user;
    if (!this.#authorizer.allowsAll) await this.#authorizer.demand(user, actionOf(method, path, query));
    else if (user === anonymous) throw unauthorized();
    return user;
  }

  async #become(wanted: User, asking: User): Promise<User> {
    if (!this.#authorizer.allowsAll && !isMaster(asking)) {
      for (const action of impersonationActions(wanted)) await this.#authorizer.demand(asking, action);
    }
    return completed(wanted);
  }
}
