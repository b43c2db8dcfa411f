// The oldest way to find a service: variables that the kubelet puts into every container. They are what was true when the
// container was created; DNS (chapter 6) does not have that flaw.
// Kubernetes: pkg/kubelet/envvars/envvars.go

import type { Pod, Service } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import type { EnvironmentVariable } from './runtime.ts';

/** Which services a pod is told of: those of its namespace, and `kubernetes`, so that every pod finds the API server. */
export function visibleServices(pod: Pod, services: Service[]): Service[] {
  const { namespace } = pod.metadata ?? {};
  const links = pod.spec?.enableServiceLinks ?? true;
  const apiServer = ({ metadata }: Service) => metadata?.namespace === 'default' && metadata.name === 'kubernetes';
  const own = services.filter((service) => links && service.metadata?.namespace === namespace);
  // A namespace's own service called `kubernetes` comes first.
  const needsApiServer = !own.some(({ metadata }) => metadata?.name === 'kubernetes');
  return [...services.filter((service) => needsApiServer && apiServer(service)), ...own];
}

/**
 * For a service `echo-web` at 10.96.0.7 with a port 80 called `http`: `ECHO_WEB_SERVICE_HOST=10.96.0.7`, `ECHO_WEB_SERVICE_PORT=80`
 * (the first port), `ECHO_WEB_SERVICE_PORT_HTTP=80` (each port that has a name), `ECHO_WEB_PORT=tcp://10.96.0.7:80` (the first port), and for
 * each port `ECHO_WEB_PORT_80_TCP=tcp://10.96.0.7:80`, `…_80_TCP_PROTO=tcp`, `…_80_TCP_PORT=80`, `…_80_TCP_ADDR=10.96.0.7`.
 * Services without a cluster IP of their own (headless, ExternalName) are left out.
 */
export function serviceEnvironment(services: Service[]): EnvironmentVariable[] {
  throw new NotImplemented('5.2', "Give each service's host and ports as environment variables");
}

/** `echo-web` → `ECHO_WEB` */
function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

function hasClusterIp({ spec }: Service): boolean {
  return Boolean(spec?.clusterIP) && spec?.clusterIP !== 'None';
}
