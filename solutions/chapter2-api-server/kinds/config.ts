// ConfigMaps and Secrets: data that pods read.
// Kubernetes: pkg/apis/core/validation/validation.go, ValidateConfigMap and ValidateSecret

import type { ConfigMap, Secret } from 'kubernetes-types/core/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { accountNameAnnotation, tokenSecretType } from '#kit/legacy-tokens';
import { equalJson } from '../json.ts';
import { forbiddenField, immutable, invalidValue, required, tooLong } from './field-errors.ts';
import { dataKey, validateName } from './name-rules.ts';
import type { KindStrategy } from './strategy.ts';

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const immutableWhenSet = 'field is immutable when `immutable` is set';

/** What a Secret of a certain type must hold. */
const requiredKeys = new Map([
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
]);

/** Every node that needs the object keeps all of it in memory. */
const limitInBytes = 1024 * 1024;

export const configMaps: KindStrategy<ConfigMap> = {
  validate(configMap, old) {
    const { data = {}, binaryData = {} } = configMap;
    const twice = Object.keys(binaryData).filter((key) => Object.hasOwn(data, key));
    return [
      ...validateKeys(data, 'data'),
      ...validateKeys(binaryData, 'binaryData'),
      ...twice.map((key) => invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')),
      ...validateBase64(binaryData, 'binaryData'),
      ...validateSize(bytesIn(data) + bytesIn(binaryData, 'base64'), ''),
      ...validateImmutability(configMap, old, ['data', 'binaryData']),
    ];
  },
};

export const secrets: KindStrategy<Secret> = {
  /** `stringData` is for writing only: what is stored, and read, is `data`. */
  setDefaults(secret) {
    secret.type ||= 'Opaque';
    if (!secret.stringData) return;
    const encoded = Object.entries(secret.stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
    delete secret.stringData;
  },

  validate(secret, old) {
    const { data = {}, type = 'Opaque', metadata } = secret;
    // The rest of it somebody else writes: the controller manager.
    const isNobodys = type === tokenSecretType && !metadata?.annotations?.[accountNameAnnotation];
    const missing = (requiredKeys.get(type) ?? []).filter((key) => !Object.hasOwn(data, key));
    return [
      ...validateKeys(data, 'data'),
      ...validateBase64(data, 'data'),
      ...validateSize(bytesIn(data, 'base64'), 'data'),
      ...missing.map((key) => required(`data[${key}]`)),
      ...(isNobodys ? [required(`metadata.annotations[${accountNameAnnotation}]`)] : []),
      ...(old ? immutable('type', type, old.type) : []),
      ...validateImmutability(secret, old, ['data']),
    ];
  },
};

function validateKeys(data: Record<string, string>, field: string): StatusCause[] {
  return Object.keys(data).flatMap((key) => validateName(`${field}[${key}]`, key, dataKey));
}

function validateBase64(data: Record<string, string>, field: string): StatusCause[] {
  const broken = Object.entries(data).filter(([, value]) => !base64.test(value));
  return broken.map(([key]) => invalidValue(`${field}[${key}]`, '', 'must be base64'));
}

function bytesIn(data: Record<string, string>, encoding: 'utf8' | 'base64' = 'utf8'): number {
  return Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value, encoding), 0);
}

function validateSize(bytes: number, field: string): StatusCause[] {
  return bytes > limitInBytes ? [tooLong(field, limitInBytes)] : [];
}

/** Once `immutable` is set, neither it nor the data changes: kubelets need not watch the object any more. */
function validateImmutability<T extends { immutable?: boolean }>(
  object: T,
  old: T | undefined,
  fields: (keyof T & string)[],
): StatusCause[] {
  if (!old?.immutable) return [];
  const changed = fields.filter((field) => !equalJson(object[field] ?? {}, old[field] ?? {}));
  return [...(object.immutable ? [] : ['immutable']), ...changed].map((field) => forbiddenField(field, immutableWhenSet));
}
