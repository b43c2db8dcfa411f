// The volumes of this node's pods, as folders on the node's disk: made before a pod's containers, brought up to date while it runs,
// removed when nothing of it is left.
// Kubernetes: pkg/kubelet/volumemanager; the folders are those of pkg/kubelet/kubelet_getters.go

import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Volume } from 'kubernetes-types/core/v1';
import { ConfigMaps, type KubernetesObject, type Pod, type Resource, Secrets } from '#kit/api';
import type { Client } from '#kit/client';
import type { Clock } from '#kit/clock';
import { isNotFound } from '#kit/status';
import { writeAtomically } from './atomic-writer.ts';
import { TokenCache } from './token-cache.ts';
import { filesOf, type VolumeSources } from './volume-files.ts';
import { kindOf, podFolder, prepareHostPath, volumeFolder } from './volume-folders.ts';

export interface VolumesOptions {
  client: Client;
  /** The node's disk, as far as it is the kubelet's; absolute. */
  rootDirectory: string;
  /** Removes a folder with everything that containers wrote into it. */
  removeFolder(folder: string): Promise<void>;
  clock: Clock;
}

/** A pod's volume could not be made ready. */
export class VolumeProblem extends Error {
  readonly volume: string;

  constructor(volume: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = 'VolumeProblem';
    this.volume = volume;
  }
}

export class Volumes {
  readonly #options: VolumesOptions;
  readonly #tokens: TokenCache;
  readonly #sources: VolumeSources;

  constructor(options: VolumesOptions) {
    this.#options = options;
    this.#tokens = new TokenCache(options.client, options.clock);
    this.#sources = {
      configMap: (namespace, name) => this.#find(ConfigMaps, namespace, name),
      secret: (namespace, name) => this.#find(Secrets, namespace, name),
      token: (pod, projection) => this.#tokens.token(pod, projection),
    };
  }

  /** Makes the pod's volumes ready, or brings them up to date. Throws VolumeProblem for the first that cannot be. */
  async mount(pod: Pod): Promise<void> {
    await this.#podsFolder();
    await Promise.all(
      (pod.spec?.volumes ?? []).map(async (volume) => {
        try {
          await this.#mountOne(volume, pod);
        } catch (error) {
          throw new VolumeProblem(volume.name, error);
        }
      }),
    );
  }

  /** Removes the pod's volumes; its containers must be gone. */
  async unmount(podUid: string): Promise<void> {
    this.#tokens.forget(podUid);
    await this.#options.removeFolder(podFolder(this.#options.rootDirectory, podUid));
  }

  /** Removes what is left of all pods but those that are still known. */
  async keepOnly(isKnown: (podUid: string) => boolean): Promise<void> {
    const left = await readdir(await this.#podsFolder());
    await Promise.all(left.filter((uid) => !isKnown(uid)).map((uid) => this.unmount(uid)));
  }

  /** Whatever secrets lie below, nobody else on the machine reads them. */
  async #podsFolder(): Promise<string> {
    const folder = join(this.#options.rootDirectory, 'pods');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  async #mountOne(volume: Volume, pod: Pod): Promise<void> {
    const folder = volumeFolder(this.#options.rootDirectory, pod.metadata?.uid ?? '', volume);
    const files = await filesOf(volume, pod, this.#sources);
    if (files) await writeAtomically(folder, files, this.#options.clock);
    else if (volume.emptyDir) {
      // Any user of any container may write there.
      if (await mkdir(folder, { recursive: true })) await chmod(folder, 0o777);
    } else if (volume.hostPath) await prepareHostPath(this.#options.rootDirectory, folder, volume.hostPath.type ?? '');
    else throw new Error(`this kubelet has no volumes of the kind ${kindOf(volume)}`);
  }

  async #find<T extends KubernetesObject>(resource: Resource<T>, namespace: string, name: string): Promise<T | undefined> {
    try {
      return await this.#options.client.get(resource, { namespace, name });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return undefined;
    }
  }
}
