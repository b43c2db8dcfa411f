// Who is asking? A client certificate says it, or a bearer token; who shows neither is anonymous. A proof that is wrong is an error, not
// a reason to go on without one.
// Kubernetes: pkg/kubeapiserver/authenticator/config.go; staging/src/k8s.io/apiserver/pkg/authentication/request/x509/x509.go

import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { unauthorized } from '../errors.ts';
import type { Storage } from '../storage.ts';
import { authenticateBootstrapToken } from './bootstrap-tokens.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { anonymous, authenticated, type User } from './users.ts';

export interface AuthenticatorOptions {
  tokens: ServiceAccountTokens;
  storage: Storage;
  clock: Clock;
}

/** A certificate's subject, as node gives it: what occurs several times is a list. */
interface Subject {
  CN?: string | string[];
  O?: string | string[];
}

/** The handshake is over when the first request comes, so what a connection's certificate says never changes. */
const users = new WeakMap<TLSSocket, User | 'none'>();

export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** Throws 401 Unauthorized for a certificate that our CA did not sign, and for a token that nobody knows. */
  async authenticate({ socket, headers }: IncomingMessage): Promise<User> {
    return certificateUser(socket as TLSSocket) ?? this.#bearerUser(headers.authorization ?? '');
  }

  /**
   * The user of an `authorization` header's token: `Bearer`, in any case, a blank, and the token, which is a service account's or a
   * bootstrap token. Whoever proves a name by a token is in the group `system:authenticated`, too. Without such a header, or without a
   * token in it, the user is `anonymous`; with a token that nobody knows they are nobody: throws `unauthorized()`.
   */
  async #bearerUser(header: string): Promise<User> {
    throw new NotImplemented('2.10', 'Find out whose token it is; a wrong one makes nobody anonymous');
  }
}

/** The user of a connection's client certificate; undefined without one. Throws for one that our CA did not sign. */
function certificateUser(socket: TLSSocket): User | undefined {
  const known = users.get(socket);
  if (known) return known === 'none' ? undefined : known;
  const { subject } = socket.getPeerCertificate();
  if (subject && !socket.authorized) throw unauthorized();
  const user = subject && userOfSubject(subject as Subject);
  users.set(socket, user ?? 'none');
  return user;
}

/** A certificate is an identity: its common name is the user, its organizations are the groups. */
function userOfSubject({ CN, O }: Subject): User {
  const [name] = [CN ?? []].flat();
  if (!name) throw unauthorized();
  return { name, groups: [...[O ?? []].flat(), authenticated] };
}
