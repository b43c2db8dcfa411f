// Every pod is somebody: the service account that its spec names, or `default`. The plugin refuses a pod whose account does not exist, and
// gives every container what it needs to speak as that account: a token, the CA that the API server is known by, and its namespace.
// Kubernetes: plugin/pkg/admission/serviceaccount/admission.go

import type { Container, Pod, ServiceAccount, Volume } from 'kubernetes-types/core/v1';
import type { Clock, Random } from '#kit/clock';
import { forbidden } from '../errors.ts';
import { keyOf } from '../keys.ts';
import { generateName } from '../names.ts';
import type { Target } from '../object.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { Storage } from '../storage.ts';
import type { AdmissionPlugin } from './admission.ts';

export interface ServiceAccountOptions {
  storage: Storage;
  clock: Clock;
  random: Random;
}

const accounts = findResource('', 'v1', 'serviceaccounts') as ResourceDefinition;
const defaultAccount = 'default';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
const fileMode = 0o644;
/** An hour and seven seconds: by them one sees in a token that nobody asked for its life. */
const tokenSeconds = 3607;
/** The controller that makes the default account of a new namespace may be a little behind. */
const attemptsForDefault = 10;
const betweenAttemptsMs = 100;

export function serviceAccount(options: ServiceAccountOptions): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    async admit({ target, object, old, subresource }) {
      if (target.resource.plural !== 'pods' || target.resource.group !== '' || subresource !== '' || !object || old) return;
      const { spec, metadata } = object as Pod;
      if (!spec) return;
      // It only shows what a kubelet runs by itself, and must stay as the kubelet wrote it.
      if (metadata?.annotations && mirrorAnnotation in metadata.annotations) return refuseReaching(target, spec);
      spec.serviceAccountName ||= defaultAccount;
      spec.serviceAccount = spec.serviceAccountName;
      const account = await accountOf(target, spec.serviceAccountName, options);
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, options.random);
      const secrets = account.imagePullSecrets ?? [];
      if (!spec.imagePullSecrets?.length && secrets.length > 0) spec.imagePullSecrets = secrets.map(({ name = '' }) => ({ name }));
    },
  };
}

type PodSpec = NonNullable<Pod['spec']>;

function refuseReaching({ resource, name }: Target, { serviceAccountName, volumes = [] }: PodSpec): void {
  if (serviceAccountName) throw forbidden(resource, name, 'a mirror pod may not reference service accounts');
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  if (sources.some((source) => source.serviceAccountToken))
    throw forbidden(resource, name, 'a mirror pod may not use ServiceAccountToken volume projections');
}

async function accountOf({ resource, namespace, name }: Target, account: string, options: ServiceAccountOptions): Promise<ServiceAccount> {
  const { storage, clock, random } = options;
  const key = keyOf({ resource: accounts, namespace, name: account });
  for (let left = account === defaultAccount ? attemptsForDefault : 1; left > 0; left--) {
    const found = await storage.get(key);
    if (found) return found as ServiceAccount;
    if (left > 1) await clock.sleep(betweenAttemptsMs * (1 + random()));
  }
  const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`;
  throw forbidden(resource, name, why);
}

/** A container that has something of its own at this place keeps it. */
function mountToken(spec: PodSpec, random: Random): void {
  const name = generateName(volumePrefix, random);
  const has = ({ volumeMounts = [] }: Container) => volumeMounts.some((mount) => mount.mountPath === mountPath);
  const without = [...(spec.initContainers ?? []), ...spec.containers].filter((container) => !has(container));
  for (const container of without) container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
  if (without.length > 0) spec.volumes = [...(spec.volumes ?? []), apiAccess(name)];
}

function apiAccess(name: string): Volume {
  const namespace = { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } };
  const sources = [
    { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [namespace] } },
  ];
  return { name, projected: { sources, defaultMode: fileMode } };
}
