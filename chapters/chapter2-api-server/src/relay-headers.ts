// The heads of a request and an answer that are passed on: what is meant for the next hop only stays here, and so does what proves to the
// API server who somebody is. A proxy's answer must lead back through the proxy.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/proxy/transport.go; Go's net/http/httputil/reverseproxy.go

import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { NotImplemented } from '#kit/not-implemented';

export interface ForwardedFrom {
  /** The path that the client asked for, without its query. */
  path: string;
  /** What stands in front of the path over there: `/api/v1/namespaces/default/services/web:80/proxy` */
  prefix: string;
  /** How the place over there may call itself in an address: `10.244.1.7:8080` */
  host: string;
}

/** RFC 9110, section 7.6.1, and what is older than it. */
const forOneHop = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'].concat([
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers to pass on. Left out is what is `forOneHop`, each header that the `connection` header names, and what proves who the client
 * is or speaks for: `authorization`, and all that begin with `impersonate-`. A pod that learned of the token could act as its owner. For an
 * upgrade, `connection: Upgrade` and the client's own `upgrade` are added again. Through a proxy, `x-forwarded-uri` tells the path that the
 * client asked for, and the client's address (`socket.remoteAddress`) stands at the end of `x-forwarded-for`, after `, ` if others do.
 */
export function requestHeaders(
  { headers, socket }: IncomingMessage,
  isUpgrade: boolean,
  proxy: ForwardedFrom | undefined,
): OutgoingHttpHeaders {
  throw new NotImplemented('2.12', 'Choose what the other side may know of a request');
}

/**
 * The headers of the answer. Left out is again what is for one hop. Through a proxy, the `location` is rewritten (`rewriteLocation`), and
 * what begins with `access-control-` is left out: a pod does not decide which web sites may use the API server.
 */
export function responseHeaders(headers: IncomingHttpHeaders, proxy: ForwardedFrom | undefined): OutgoingHttpHeaders {
  const passed = Object.fromEntries(withoutHop(headers).filter(([name]) => !proxy || !name.startsWith('access-control-')));
  if (!proxy || !headers.location) return passed;
  return { ...passed, location: rewriteLocation(headers.location, proxy) };
}

function withoutHop(headers: IncomingHttpHeaders): [string, string | string[] | undefined][] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.entries(headers).filter(([name]) => !forOneHop.includes(name) && !named.includes(name));
}

/**
 * Where a redirect must lead so that it comes back through the proxy: `/login?next=1` becomes `<prefix>/login?next=1`, and so does
 * `http://<host>/login?next=1`. As they are stay: a relative path (`login`, `../login`), the address of another host, and a path that has
 * the prefix already.
 */
export function rewriteLocation(location: string, { prefix, host }: ForwardedFrom): string {
  throw new NotImplemented('2.12', 'Lead a redirect back through the proxy');
}
