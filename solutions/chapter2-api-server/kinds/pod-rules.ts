// What may stand in the fields of pods, by the types of those fields: in a pod as in every template of one.
// Kubernetes: pkg/apis/core/validation/validation.go

import { isObject, type JsonObject } from '../json.ts';
import { forbiddenField, invalidValue, required as missing } from './field-errors.ts';
import {
  address,
  anyOf,
  between,
  each,
  fileMode,
  holds,
  labels,
  named,
  notNegative,
  oneOf,
  portNumber,
  positive,
  qualifiedName,
  type Rule,
  required,
  someOf,
  type TypeRules,
  userId,
} from './field-rules.ts';
import { dataKey, dnsLabel, dnsSubdomain, labelValue, portName } from './name-rules.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const resources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
/** Kubernetes: pkg/apis/core/v1/conversion.go, AddFieldLabelConversionsForPod */
const podFields =
  /^(metadata\.(name|namespace|uid|labels|annotations|(labels|annotations)\['.*'\])|spec\.(nodeName|restartPolicy|schedulerName|serviceAccountName|hostNetwork)|status\.(phase|hostIP|hostIPs|podIP|podIPs|nominatedNodeName))$/;

const port: Rule = (field, value, owner) =>
  typeof value === 'string' ? named(portName)(field, value, owner) : portNumber(field, value, owner);
const topologyKey = [required('can not be empty'), qualifiedName];
const handlers = ['exec', 'httpGet', 'tcpSocket', 'sleep', 'grpc'];
const weight = between(1, 100, 'must be in the range 1-100');
const secondsRules = { initialDelaySeconds: notNegative, timeoutSeconds: notNegative, periodSeconds: notNegative };

/** In a probe that says whether a container lives, one success is enough. */
const onlyOneSuccess: Rule = (field, probe, owner) =>
  isObject(probe) ? holds('must be 1', (times: number) => times <= 1)(`${field}.successThreshold`, probe.successThreshold, owner) : [];

const reference = { name: named(dnsSubdomain) };
const keyOfReference = { ...reference, key: [required(), named(dataKey)] };
const files = { defaultMode: fileMode };

/** What a selector of labels and one of nodes have in common. */
function requirement(withValues: string[], withoutValues: string[], more: Rule[] = []): TypeRules {
  const operators = [...withValues, ...withoutValues];
  const isWithout = ({ operator }: JsonObject) => withoutValues.includes(operator as string);
  const isWith = ({ operator }: JsonObject) => operator === 'In' || operator === 'NotIn';
  const words = withoutValues.map((operator) => `'${operator}'`).join(' or ');
  return {
    key: [(field, value = '', owner) => qualifiedName(field, value, owner)],
    operator: (field, value = '') =>
      operators.includes(value as string) ? [] : [invalidValue(field, value, 'not a valid selector operator')],
    values: [
      (field, value, owner) => (isWith(owner) ? required("must be specified when `operator` is 'In' or 'NotIn'")(field, value, owner) : []),
      (field, value = [], owner) =>
        isWithout(owner) && (value as []).length > 0 ? [forbiddenField(field, `may not be specified when \`operator\` is ${words}`)] : [],
      ...more,
    ],
  };
}

export const podRules: Record<string, TypeRules> = {
  'meta.v1.LabelSelector': { matchLabels: labels },
  'meta.v1.LabelSelectorRequirement': requirement(['In', 'NotIn'], ['Exists', 'DoesNotExist'], [each(named(labelValue))]),

  'core.v1.PodSpec': {
    hostname: named(dnsLabel),
    subdomain: named(dnsLabel),
    nodeName: named(dnsSubdomain),
    serviceAccountName: named(dnsSubdomain),
    runtimeClassName: named(dnsSubdomain),
    activeDeadlineSeconds: between(1, 2_147_483_647),
    preemptionPolicy: oneOf('PreemptLowerPriority', 'Never'),
  },
  'core.v1.Toleration': {
    key: (field, value, owner) => (value ? qualifiedName(field, value, owner) : []),
    operator: [
      (field, operator, { key }) =>
        key || operator === 'Exists'
          ? []
          : [
              invalidValue(
                field,
                operator ?? '',
                'operator must be Exists when `key` is empty, which means "match all values and all keys"',
              ),
            ],
      (field, operator, { value }) =>
        operator === 'Exists' && value ? [invalidValue(field, value, "value must be empty when `operator` is 'Exists'")] : [],
      oneOf('Equal', 'Exists'),
    ],
    effect: [
      (field, effect, { tolerationSeconds }) =>
        typeof tolerationSeconds === 'number' && effect !== 'NoExecute'
          ? [invalidValue(field, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set")]
          : [],
      oneOf(...effects),
    ],
  },
  'core.v1.Taint': {
    key: (field, value = '', owner) => qualifiedName(field, value, owner),
    value: named(labelValue),
    effect: [required(), oneOf(...effects)],
  },

  'core.v1.NodeSelector': { nodeSelectorTerms: required('must have at least one node selector term') },
  'core.v1.NodeSelectorRequirement': requirement(['In', 'NotIn', 'Gt', 'Lt'], ['Exists', 'DoesNotExist']),
  'core.v1.PreferredSchedulingTerm': { weight },
  'core.v1.WeightedPodAffinityTerm': { weight },
  'core.v1.PodAffinityTerm': { topologyKey },
  'core.v1.TopologySpreadConstraint': { maxSkew: positive(), topologyKey, whenUnsatisfiable: anyOf('DoNotSchedule', 'ScheduleAnyway') },

  'core.v1.HostAlias': { ip: (field, value = '', owner) => address(field, value, owner), hostnames: each(named(dnsSubdomain)) },
  'core.v1.PodDNSConfig': { nameservers: each(address), searches: each(named(dnsSubdomain)) },
  'core.v1.PodDNSConfigOption': { name: required('must not be empty') },
  'core.v1.PodReadinessGate': { conditionType: (field, value = '', owner) => qualifiedName(field, value, owner) },

  'core.v1.Container': {
    restartPolicy: oneOf('Always'),
    terminationMessagePolicy: oneOf('File', 'FallbackToLogsOnError'),
    livenessProbe: onlyOneSuccess,
    startupProbe: onlyOneSuccess,
  },
  'core.v1.EnvVarSource': {
    '': someOf(
      (field) => invalidValue(field, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'),
      ...['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef'],
    ),
  },
  'core.v1.ObjectFieldSelector': {
    fieldPath: [
      required(),
      (field, path) =>
        typeof path !== 'string' || path === '' || podFields.test(path)
          ? []
          : [invalidValue(field, path, `error converting fieldPath: field label not supported: ${path}`)],
    ],
  },
  'core.v1.ResourceFieldSelector': { resource: [required(), oneOf(...resources)] },
  'core.v1.ConfigMapKeySelector': keyOfReference,
  'core.v1.SecretKeySelector': keyOfReference,
  'core.v1.EnvFromSource': {
    '': someOf((field) => invalidValue(field, '', 'must specify one of: `configMapRef` or `secretRef`'), 'configMapRef', 'secretRef'),
  },
  'core.v1.ConfigMapEnvSource': { name: [required(), named(dnsSubdomain)] },
  'core.v1.SecretEnvSource': { name: [required(), named(dnsSubdomain)] },

  'core.v1.Probe': { ...secondsRules, successThreshold: notNegative, failureThreshold: notNegative },
  'core.v1.LifecycleHandler': { '': someOf((field) => missing(field, 'must specify a handler type'), ...handlers) },
  'core.v1.HTTPGetAction': { port, path: required(), scheme: oneOf('HTTP', 'HTTPS') },
  'core.v1.TCPSocketAction': { port },
  'core.v1.GRPCAction': { port: portNumber },
  'core.v1.ExecAction': { command: required() },
  'core.v1.SecurityContext': { runAsUser: userId, runAsGroup: userId },
  'core.v1.PodSecurityContext': { runAsUser: userId, runAsGroup: userId, fsGroup: userId },
  'core.v1.SeccompProfile': {
    type: [required('type is required when seccompProfile is set'), oneOf('Localhost', 'RuntimeDefault', 'Unconfined')],
  },
  'core.v1.Sysctl': { name: required() },

  'core.v1.KeyToPath': { key: required(), path: required(), mode: fileMode },
  'core.v1.ConfigMapVolumeSource': { name: required(), ...files },
  'core.v1.SecretVolumeSource': { secretName: required(), ...files },
  'core.v1.DownwardAPIVolumeSource': files,
  'core.v1.ProjectedVolumeSource': files,
  'core.v1.DownwardAPIVolumeFile': {
    path: required(),
    '': someOf((field) => missing(field, 'one of fieldRef and resourceFieldRef is required'), 'fieldRef', 'resourceFieldRef'),
  },
  'core.v1.ServiceAccountTokenProjection': {
    path: required(),
    expirationSeconds: between(600, Number.POSITIVE_INFINITY, 'may not specify a duration less than 10 minutes'),
  },
  'core.v1.HostPathVolumeSource': {
    path: required(),
    type: oneOf('', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'),
  },
  'core.v1.PersistentVolumeClaimVolumeSource': { claimName: required() },
};
