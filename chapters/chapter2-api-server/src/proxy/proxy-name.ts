// The name in a proxy's path says more than a name: with which scheme to speak, and to which port.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/net/port_split.go

import { NotImplemented } from '#kit/not-implemented';

export interface ProxyName {
  scheme: 'http' | 'https';
  name: string;
  /** A number, or a name; '' when none is given */
  port: string;
}

/**
 * Takes such a name apart. These are all the forms there are; anything else is undefined:
 *
 *     web               http, and whichever port there is
 *     web:8080          http; web:metrics is a port by its name
 *     https:web:8443    http:web:8080 is the same as web:8080, and so is :web:8080
 *     https:web:        https, and whichever port there is
 *
 * The name is never empty. There is no scheme but http and https.
 */
export function parseProxyName(text: string): ProxyName | undefined {
  throw new NotImplemented('2.12', 'Take scheme, name and port apart');
}

/**
 * `/api/v1/namespaces/default/services/web:80/proxy/index.html` is about the object whose path ends with `/proxy`, and the rest belongs to
 * whatever serves there: empty, or from a slash on, as it came. undefined for every other path.
 */
export function splitProxyPath(path: string): { object: string; rest: string } | undefined {
  const [, object, rest = ''] = /^(\/api\/v1\/(?:namespaces\/[^/]+\/(?:pods|services)|nodes)\/[^/]+\/proxy)(\/.*)?$/s.exec(path) ?? [];
  return object === undefined ? undefined : { object, rest };
}
