// What may stand in the fields of services, endpoints, ingresses and network policies, by the types of those fields.
// Kubernetes: pkg/apis/core/validation/validation.go, pkg/apis/discovery/validation and pkg/apis/networking/validation

import type { JsonObject } from '../json.ts';
import { forbiddenField, invalidValue, required as missing } from './field-errors.ts';
import {
  address,
  addressRange,
  anyOf,
  between,
  each,
  holds,
  named,
  oneOf,
  portNumber,
  qualifiedName,
  type Rule,
  required,
  someOf,
  type TypeRules,
} from './field-rules.ts';
import { dnsLabel, dnsServiceLabel, dnsSubdomain, portName } from './name-rules.ts';

/** `*.example.com`, or a name without a star. */
const host: Rule = (field, value, owner) => named(dnsSubdomain)(field, String(value ?? '').replace(/^\*\./, ''), owner);
const needsBackend: Rule = (field, backend) =>
  backend === undefined || (backend as JsonObject).service || (backend as JsonObject).resource
    ? []
    : [invalidValue(field, backend, 'resource or service backend is required')];

export const networkRules: Record<string, TypeRules> = {
  'core.v1.ServiceSpec': {
    ipFamilyPolicy: oneOf('PreferDualStack', 'RequireDualStack', 'SingleStack'),
    ipFamilies: each(anyOf('IPv4', 'IPv6')),
    externalIPs: each(address),
    loadBalancerSourceRanges: each(addressRange),
    loadBalancerClass: (field, value, owner) => (value ? qualifiedName(field, value, owner) : []),
  },
  'core.v1.ServicePort': { appProtocol: (field, value, owner) => (value ? qualifiedName(field, value, owner) : []) },
  'core.v1.ClientIPConfig': { timeoutSeconds: between(1, 86_400, 'must be greater than 0 and less than 86400') },
  'core.v1.EndpointSubset': {
    '': (field, _, { addresses = [], notReadyAddresses = [] }) =>
      (addresses as []).length + (notReadyAddresses as []).length > 0
        ? []
        : [missing(field, 'must specify `addresses` or `notReadyAddresses`')],
  },
  'core.v1.EndpointAddress': {
    ip: (field, value = '', owner) => address(field, value, owner),
    hostname: named(dnsLabel),
    nodeName: named(dnsSubdomain),
  },
  'core.v1.EndpointPort': {
    port: (field, value = 0, owner) => portNumber(field, value, owner),
    name: named(dnsLabel),
    protocol: oneOf('SCTP', 'TCP', 'UDP'),
  },
  'discovery.v1.EndpointSlice': { addressType: oneOf('FQDN', 'IPv4', 'IPv6') },
  'discovery.v1.Endpoint': {
    addresses: required('must contain at least 1 address'),
    hostname: named(dnsLabel),
    nodeName: named(dnsSubdomain),
  },
  'discovery.v1.EndpointPort': { name: named(dnsLabel), protocol: oneOf('SCTP', 'TCP', 'UDP') },

  'networking.v1.IngressSpec': {
    '': (field, value, { defaultBackend, rules = [] }) =>
      defaultBackend || (rules as []).length > 0
        ? []
        : [invalidValue(field, value, 'either `defaultBackend` or `rules` must be specified')],
    ingressClassName: named(dnsSubdomain),
    defaultBackend: needsBackend,
  },
  'networking.v1.IngressTLS': { hosts: each(host), secretName: named(dnsSubdomain) },
  'networking.v1.IngressRule': { host },
  'networking.v1.HTTPIngressRuleValue': { paths: required() },
  'networking.v1.HTTPIngressPath': {
    pathType: [required('pathType must be specified'), oneOf('Exact', 'ImplementationSpecific', 'Prefix')],
    path: (field, path = '', { pathType }) =>
      (pathType === 'Exact' || pathType === 'Prefix' || path) && !String(path).startsWith('/')
        ? [invalidValue(field, path, 'must be an absolute path')]
        : [],
    backend: needsBackend,
  },
  'networking.v1.IngressServiceBackend': {
    name: [required(), named(dnsServiceLabel)],
    port: (field, value) => {
      const { name, number } = (value as JsonObject | undefined) ?? {};
      return name || number ? [] : [missing(field.replace(/\.service\.port$/, ''), 'port name or number is required')];
    },
  },
  'networking.v1.ServiceBackendPort': {
    number: (field, value, owner) => (value ? portNumber(field, value, owner) : []),
    name: named(portName),
  },
  'networking.v1.IngressClassSpec': {
    controller: [
      required(),
      holds('must be a domain-prefixed path (such as "acme.io/foo")', (value: string) => value === '' || /^[^/]+\/.+/.test(value)),
    ],
  },
  'networking.v1.IngressClassParametersReference': {
    kind: required('kind is required'),
    name: required('name is required'),
    apiGroup: named(dnsSubdomain),
    scope: oneOf('Cluster', 'Namespace'),
  },
  'networking.v1.NetworkPolicySpec': { policyTypes: each(anyOf('Ingress', 'Egress')) },
  'networking.v1.NetworkPolicyPeer': {
    '': someOf((field) => missing(field, 'must specify a peer'), 'podSelector', 'namespaceSelector', 'ipBlock'),
    ipBlock: (field, block, { podSelector, namespaceSelector }) =>
      block && (podSelector || namespaceSelector) ? [forbiddenField(field, 'may not specify both ipBlock and another peer')] : [],
  },
  'networking.v1.IPBlock': {
    cidr: [required(), (field, value, owner) => (value ? addressRange(field, value, owner) : [])],
    except: each(addressRange),
  },
  'networking.v1.NetworkPolicyPort': {
    protocol: oneOf('TCP', 'UDP', 'SCTP'),
    port: (field, value, owner) => (typeof value === 'number' ? portNumber(field, value, owner) : named(portName)(field, value, owner)),
    endPort: [
      (field, value, { port }) =>
        typeof value === 'number' && port === undefined
          ? [invalidValue(field, value, 'may not be specified when `port` is not specified')]
          : [],
      (field, value, { port }) =>
        typeof value === 'number' && typeof port === 'number' && value < port
          ? [invalidValue(field, value, 'must be greater than or equal to `port`')]
          : [],
      portNumber,
    ],
  },
};
