// Who is asking: the client certificate says it. Its common name is the user, its organizations are the groups.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/authentication/request/x509/x509.go

import type { TLSSocket } from 'node:tls';
import { unauthorized } from './errors.ts';

export interface User {
  name: string;
  groups: string[];
}

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** The handshake is over when the first request comes, so a connection's user never changes. */
const users = new WeakMap<TLSSocket, User>();

/** Throws Unauthorized for a certificate that our CA did not sign; no certificate at all is anonymous. */
export function authenticate(socket: TLSSocket): User {
  const known = users.get(socket);
  if (known) return known;
  const user = readCertificate(socket);
  users.set(socket, user);
  return user;
}

function readCertificate(socket: TLSSocket): User {
  const { subject } = socket.getPeerCertificate();
  if (!subject) return anonymous;
  if (!socket.authorized) throw unauthorized();
  const { CN, O } = subject as { CN: string; O?: string | string[] };
  return { name: CN, groups: [...(O === undefined ? [] : [O].flat()), 'system:authenticated'] };
}
