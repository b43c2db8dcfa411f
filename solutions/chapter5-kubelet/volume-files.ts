// What is in the volumes whose files Kubernetes writes: configMap, secret, downwardAPI, and projected, which puts several of them into
// one. Where the objects and tokens come from is the caller's matter.
// Kubernetes: pkg/volume/configmap, secret, downwardapi, projected

import type {
  ConfigMapProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  ServiceAccountTokenProjection,
  Volume,
} from 'kubernetes-types/core/v1';
import type { ConfigMap, Container, Pod, Secret } from '#kit/api';
import type { VolumeFile, VolumeFiles } from './atomic-writer.ts';
import { resourceField } from './resource-field.ts';

export interface VolumeSources {
  /** undefined: there is none. */
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  token(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string>;
}

const tokenMode = 0o644;

/** The files of one volume of the pod; undefined when it is of a kind whose files are not Kubernetes'. Throws in words for people. */
export async function filesOf(volume: Volume, pod: Pod, sources: VolumeSources): Promise<VolumeFiles | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return new Map(await configMapFiles(configMap, configMap.defaultMode, pod, sources));
  if (secret) {
    const { secretName: name, ...rest } = secret;
    return new Map(await secretFiles({ ...rest, ...(name ? { name } : {}) }, secret.defaultMode, pod, sources));
  }
  if (downwardAPI) return new Map(downwardFiles(downwardAPI.items, downwardAPI.defaultMode, pod));
  if (!projected) return undefined;
  const mode = projected.defaultMode;
  const parts = await Promise.all(
    (projected.sources ?? []).map(async (source): Promise<Entry[]> => {
      if (source.configMap) return configMapFiles(source.configMap, mode, pod, sources);
      if (source.secret) return secretFiles(source.secret, mode, pod, sources);
      if (source.downwardAPI) return downwardFiles(source.downwardAPI.items, mode, pod);
      if (!source.serviceAccountToken)
        throw new Error(`the projected volume "${volume.name}" has a source of a kind that is not known here`);
      const token = await sources.token(pod, source.serviceAccountToken);
      return [[source.serviceAccountToken.path, { content: Buffer.from(token), mode: mode ?? tokenMode }]];
    }),
  );
  return new Map(parts.flat());
}

type Entry = [path: string, file: VolumeFile];

const usualMode = 0o644;

async function configMapFiles(source: ConfigMapProjection, mode: number | undefined, pod: Pod, sources: VolumeSources): Promise<Entry[]> {
  const { name = '' } = source;
  const found = await sources.configMap(pod.metadata?.namespace ?? '', name);
  if (!found && !source.optional) throw new Error(`configmap "${name}" not found`);
  const texts = Object.entries(found?.data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const);
  return chosen(new Map([...texts, ...decoded(found?.binaryData)]), source, mode, 'config');
}

async function secretFiles(source: ConfigMapProjection, mode: number | undefined, pod: Pod, sources: VolumeSources): Promise<Entry[]> {
  const { name = '' } = source;
  const found = await sources.secret(pod.metadata?.namespace ?? '', name);
  if (!found && !source.optional) throw new Error(`secret "${name}" not found`);
  return chosen(new Map(decoded(found?.data)), source, mode, 'secret');
}

function decoded(data: Record<string, string> = {}): [string, Buffer][] {
  return Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]);
}

/** All entries, each under its key; or those that the items name, where they want them. */
function chosen(
  data: Map<string, Buffer>,
  { items, optional }: { items?: KeyToPath[]; optional?: boolean },
  defaultMode = usualMode,
  what: string,
): Entry[] {
  if (!items) return [...data].map(([key, content]) => [key, { content, mode: defaultMode }]);
  return items.flatMap(({ key, path, mode = defaultMode }): Entry[] => {
    const content = data.get(key);
    if (content) return [[path, { content, mode }]];
    if (optional) return [];
    throw new Error(`references non-existent ${what} key: ${key}`);
  });
}

function downwardFiles(items: DownwardAPIVolumeFile[] = [], defaultMode = usualMode, pod: Pod): Entry[] {
  return items.map(({ path, fieldRef, resourceFieldRef, mode = defaultMode }) => {
    const noContainer = { name: '' } as Container;
    const text = fieldRef ? podField(fieldRef.fieldPath, pod) : resourceFieldRef ? resourceField(resourceFieldRef, pod, noContainer) : '';
    return [path, { content: Buffer.from(text), mode }];
  });
}

/** A field of the pod's metadata; all labels, or all annotations, as lines of `key="value"`. */
function podField(path: string, { metadata = {} }: Pod): string {
  const [, kind, key] = /^metadata\.(labels|annotations)(?:\['(.+)'\])?$/.exec(path) ?? [];
  if (kind) {
    const all = (kind === 'labels' ? metadata.labels : metadata.annotations) ?? {};
    if (key !== undefined) return all[key] ?? '';
    const lines = Object.entries(all).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    return lines.sort().join('\n');
  }
  const fields: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
  };
  const value = fields[path];
  if (value === undefined) throw new Error(`unsupported fieldPath: ${path}`);
  return value;
}
