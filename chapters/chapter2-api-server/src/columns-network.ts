// Columns of how pods are reached: Services, their endpoints, Ingresses.

import type { Endpoints } from 'kubernetes-types/core/v1';
import type { Ingress, IngressClass, NetworkPolicy } from 'kubernetes-types/networking/v1';
import type { EndpointSlice, Service } from '#kit/api';
import { age, blank, type ColumnsOfKind, firstOf, kind, labels, name, selector, text, wide } from './column.ts';

const unset = '<unset>';

const serviceColumns = kind<Service>(
  '/services',
  name,
  text('Type', ({ spec }) => spec?.type),
  text('Cluster-IP', ({ spec }) => spec?.clusterIP),
  text('External-IP', externalAddress),
  text('Port(s)', servicePorts),
  age,
  wide(text('Selector', ({ spec }) => labels(spec?.selector))),
);

function externalAddress({ spec, status }: Service): string {
  const { type, externalName = '', externalIPs = [] } = spec ?? {};
  if (type === 'ExternalName') return externalName;
  if (type !== 'LoadBalancer') return externalIPs.join(',');
  const given = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  return [...given, ...externalIPs].join(',') || '<pending>';
}

/** `80/TCP,443:30443/TCP` */
function servicePorts({ spec }: Service): string {
  return (spec?.ports ?? []).map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`).join(',');
}

const endpointsColumns = kind<Endpoints>(
  '/endpoints',
  name,
  text('Endpoints', ({ subsets = [] }) => {
    const addresses = subsets.flatMap(({ addresses = [], ports = [] }) =>
      ports.length === 0 ? addresses.map(({ ip }) => ip) : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`)),
    );
    return firstOf(addresses);
  }),
  age,
);

const endpointSliceColumns = kind<EndpointSlice>(
  'discovery.k8s.io/endpointslices',
  name,
  text('AddressType', ({ addressType }) => addressType),
  text('Ports', ({ ports = [] }) => firstOf(ports.map(({ port }) => `${port ?? '*'}`)) || unset),
  text('Endpoints', ({ endpoints = [] }) => firstOf(endpoints.flatMap(({ addresses }) => addresses)) || unset),
  age,
);

const ingressColumns = kind<Ingress>(
  'networking.k8s.io/ingresses',
  name,
  text('Class', ({ spec }) => spec?.ingressClassName),
  text('Hosts', ({ spec }) => firstOf((spec?.rules ?? []).flatMap(({ host }) => host ?? [])) || '*'),
  blank('Address', ingressAddress),
  text('Ports', ({ spec }) => (spec?.tls?.length ? '80, 443' : '80')),
  age,
);

function ingressAddress({ status }: Ingress): string {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []).join(',');
}

export const networkColumns: ColumnsOfKind[] = [
  serviceColumns,
  endpointsColumns,
  endpointSliceColumns,
  ingressColumns,
  kind<IngressClass>(
    'networking.k8s.io/ingressclasses',
    name,
    text('Controller', ({ spec }) => spec?.controller),
    text('Parameters', ({ spec }) => spec?.parameters && `${spec.parameters.kind}/${spec.parameters.name}`),
    age,
  ),
  kind<NetworkPolicy>(
    'networking.k8s.io/networkpolicies',
    name,
    text('Pod-Selector', ({ spec }) => selector(spec?.podSelector)),
    age,
  ),
];
