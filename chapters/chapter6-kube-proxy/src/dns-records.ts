// The names of a cluster: which DNS records there are for its Services, computed from the Services and EndpointSlices as they are now,
// name by name. Nothing is stored, so nothing can be out of date.
// Kubernetes: the DNS-Based Service Discovery specification (github.com/kubernetes/dns, docs/specification.md)

import { isIPv6 } from 'node:net';
import type { Answer } from 'dns-packet';
import type { Endpoint, EndpointSlice, Service } from '#kit/api';

/** Seconds. As short as CoreDNS has it: addresses move. */
export const timeToLive = 5;

export interface ClusterNames {
  service(namespace: string, name: string): Service | undefined;
  endpointSlices(namespace: string, serviceName: string): EndpointSlice[];
  serviceWithClusterIp(ip: string): Service | undefined;
  /** Whether it has any Service. */
  hasServices(namespace: string): boolean;
}

/** In a query's own letters: DNS names are compared without regard to case. */
export interface Question {
  name: string;
  type: string;
}

export interface Reply {
  /** `NXDOMAIN`: there is no such name. A name that exists without records of the asked type is `NOERROR` without answers. */
  code: 'NOERROR' | 'NXDOMAIN';
  answers: Answer[];
  /** The zone's SOA, where there are no answers: it says how long that may be remembered. */
  authorities: Answer[];
  /** Addresses of the names in the answers. */
  additionals: Answer[];
}

/** What the cluster says to the question; undefined when the name is none of the cluster's. */
export function answerFromCluster({ name, type }: Question, domain: string, cluster: ClusterNames): Reply | undefined {
  const reversed = reversedAddress(name.toLowerCase());
  if (reversed) return pointerTo(name, type, cluster.serviceWithClusterIp(reversed), domain);
  const path = pathInZone(name, domain);
  if (!path) return undefined;

  const soa = startOfAuthority(domain);
  const records = path.length === 0 ? [soa] : recordsAt(path, domain, cluster);
  if (!records) return { code: 'NXDOMAIN', answers: [], authorities: [soa], additionals: [] };
  const answers = records
    .filter((record) => record.type === type || record.type === 'CNAME' || type === 'ANY')
    // The answer repeats the name as it was asked.
    .map((record) => ({ ...record, name }));
  return { code: 'NOERROR', answers, authorities: answers.length > 0 ? [] : [soa], additionals: targetsOf(answers, domain, cluster) };
}

/** The labels left of the zone's name, or undefined outside of the zone: `web.default.svc` for `web.default.svc.cluster.local`. */
function pathInZone(name: string, domain: string): string[] | undefined {
  const lowerCase = name.toLowerCase().replace(/\.$/, '');
  if (lowerCase === domain) return [];
  return lowerCase.endsWith(`.${domain}`) ? lowerCase.slice(0, -domain.length - 1).split('.') : undefined;
}

/** All records at the name, none for a name that only has names beneath it; undefined when it does not exist. */
function recordsAt(path: string[], domain: string, cluster: ClusterNames): Answer[] | undefined {
  if (path.join('.') === 'dns-version') return [{ name: '', type: 'TXT', ttl: timeToLive, data: '1.1.0' }];
  const [root, namespace, serviceName, ...rest] = path.toReversed();
  if (root !== 'svc') return undefined;
  if (namespace === undefined) return [];
  if (serviceName === undefined) return cluster.hasServices(namespace) ? [] : undefined;
  const service = cluster.service(namespace, serviceName);
  if (!service) return undefined;

  const names: ServiceNames = {
    service,
    slices: isHeadless(service) ? cluster.endpointSlices(namespace, serviceName) : [],
    fullName: `${serviceName}.${namespace}.svc.${domain}`,
  };
  const [first, second, ...more] = rest;
  if (more.length > 0) return undefined;
  if (first === undefined) return serviceRecords(names);
  if (second === undefined) return first.startsWith('_') ? someOrNoName(portRecords(names, undefined, first)) : memberRecords(names, first);
  return namedPortRecords(names, second, first);
}

interface ServiceNames {
  service: Service;
  /** Of a headless Service. */
  slices: EndpointSlice[];
  fullName: string;
}

/** Headless: its name stands for its pods, not for an address of its own. */
function isHeadless({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && spec?.clusterIP === 'None';
}

/** A Service's own name: its cluster IP, the pods of a headless one, or the name that an external one stands for. */
function serviceRecords({ service, slices }: ServiceNames): Answer[] {
  if (service.spec?.type === 'ExternalName') {
    return [{ name: '', type: 'CNAME', ttl: timeToLive, data: (service.spec.externalName ?? '').replace(/\.$/, '') }];
  }
  if (!isHeadless(service)) return clusterIps(service).map(addressRecord);
  return unique(members(service, slices).map(({ address }) => address)).map(addressRecord);
}

/** One pod of a headless Service: `<hostname>.web.default.svc…`, or its address with dashes for dots. */
function memberRecords({ service, slices }: ServiceNames, hostname: string): Answer[] | undefined {
  const addresses = members(service, slices).filter((member) => member.hostname === hostname);
  return someOrNoName(unique(addresses.map(({ address }) => address)).map(addressRecord));
}

/** `_http._tcp.web…`: the underscores keep ports and protocols apart from pods' hostnames, so both must have one. */
function namedPortRecords(names: ServiceNames, port: string, protocol: string): Answer[] | undefined {
  return port.startsWith('_') && protocol.startsWith('_') ? someOrNoName(portRecords(names, port, protocol)) : undefined;
}

/** SRV records of the ports with this protocol, and with this name if one is given. Ports without a name have none. */
function portRecords({ service, slices, fullName }: ServiceNames, port: string | undefined, protocol: string): Answer[] {
  const isAsked = (name: string | undefined, of = 'TCP') =>
    Boolean(name) && `_${of.toLowerCase()}` === protocol && (port === undefined || `_${name}` === port);
  const targets = isHeadless(service)
    ? members(service, slices).flatMap(({ hostname, ports }) =>
        ports
          .filter(({ name, protocol }) => isAsked(name, protocol))
          .map((endpointPort) => ({ port: endpointPort.port ?? 0, target: `${hostname}.${fullName}` })),
      )
    : (service.spec?.ports ?? [])
        .filter(({ name, protocol }) => isAsked(name, protocol))
        .map((servicePort) => ({ port: servicePort.port, target: fullName }));
  const weight = Math.floor(100 / Math.max(1, targets.length));
  return targets.map((target) => ({ name: '', type: 'SRV', ttl: timeToLive, data: { priority: 0, weight, ...target } }));
}

/** The ready endpoints of a headless Service. */
function members({ spec }: Service, slices: EndpointSlice[]) {
  const isListed = ({ conditions }: Endpoint) => spec?.publishNotReadyAddresses || conditions?.ready !== false;
  return slices
    .filter(({ addressType }) => addressType !== 'FQDN')
    .flatMap(({ endpoints = [], ports = [] }) =>
      endpoints.filter(isListed).map(({ addresses, hostname }) => {
        const address = addresses[0] ?? '';
        return { address, ports, hostname: hostname ?? address.replaceAll(/[.:]/g, '-') };
      }),
    );
}

function clusterIps({ spec }: Service): string[] {
  return (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None');
}

function addressRecord(ip: string): Answer {
  return { name: '', type: isIPv6(ip) ? 'AAAA' : 'A', ttl: timeToLive, data: ip };
}

/** The addresses behind SRV records, so that nobody has to ask again. */
function targetsOf(answers: Answer[], domain: string, cluster: ClusterNames): Answer[] {
  const targets = unique(answers.flatMap((answer) => (answer.type === 'SRV' ? [answer.data.target] : [])));
  return targets.flatMap((name) =>
    (recordsAt(pathInZone(name, domain) ?? [], domain, cluster) ?? []).map((record) => ({ ...record, name })),
  );
}

/** `1.0.96.10.in-addr.arpa` → `10.96.0.1` */
function reversedAddress(name: string): string | undefined {
  const [, ...octets] = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa\.?$/.exec(name) ?? [];
  return octets.length === 4 ? octets.reverse().join('.') : undefined;
}

/** An address that is no Service's is left to the upstream servers. */
function pointerTo(name: string, type: string, service: Service | undefined, domain: string): Reply | undefined {
  if (!service) return undefined;
  const data = `${service.metadata?.name}.${service.metadata?.namespace}.svc.${domain}`;
  const answers: Answer[] = type === 'PTR' || type === 'ANY' ? [{ name, type: 'PTR', ttl: timeToLive, data }] : [];
  return { code: 'NOERROR', answers, authorities: [], additionals: [] };
}

/** How long a "no" may be remembered is its `minimum`: as short as a yes. */
function startOfAuthority(domain: string): Answer {
  const data = {
    mname: `ns.dns.${domain}`,
    rname: `hostmaster.${domain}`,
    serial: 1,
    refresh: 7_200,
    retry: 1_800,
    expire: 86_400,
    minimum: timeToLive,
  };
  return { name: domain, type: 'SOA', ttl: timeToLive, data };
}

function someOrNoName(records: Answer[]): Answer[] | undefined {
  return records.length > 0 ? records : undefined;
}

function unique<T>(values: T[]): T[] {
  return [...new Set(values)];
}
