// What lies in the volumes that the kubelet writes, and how it changes: on a disk, without containers.

import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pod } from '#kit/api';
import type { Client } from '#kit/client';
import { FakeClock } from '#kit/clock';
import { writeAtomically } from '#kubelet/atomic-writer';
import { PodVolumes } from '#kubelet/pod-volumes';
import { TokenCache } from '#kubelet/token-cache';
import { filesOf } from '#kubelet/volume-files';
import { mountsOf, prepareHostPath, volumeFolder } from '#kubelet/volume-folders';
import { VolumeProblem, Volumes } from '#kubelet/volumes';

describe('the files of volumes', () => {
  const clock = new FakeClock();
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'kubekata-volumes-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const files = (texts: Record<string, string>, mode = 0o644) =>
    new Map(Object.entries(texts).map(([path, text]) => [path, { content: Buffer.from(text), mode }]));
  const read = (path: string) => readFile(join(root, path), 'utf8');

  describe('written all at once', () => {
    it('shows each file under its path, by way of one link', async () => {
      await writeAtomically(root, files({ token: 'abc', 'certs/ca.crt': 'CA' }), clock);
      expect(await read('token')).toBe('abc');
      expect(await read('certs/ca.crt')).toBe('CA');
      expect(await readlink(join(root, 'token'))).toBe('..data/token');
      expect(await readlink(join(root, 'certs'))).toBe('..data/certs');
      expect((await lstat(join(root, '..data'))).isSymbolicLink()).toBe(true);
    });

    it('gives each file its permissions, whatever the process would create', async () => {
      await writeAtomically(root, files({ open: 'x' }, 0o666), clock);
      expect((await stat(join(root, 'open'))).mode & 0o777).toBe(0o666);
    });

    it('replaces old by new, takes away what is gone, and leaves no old version behind', async () => {
      await writeAtomically(root, files({ a: '1', b: '1' }), clock);
      const before = await readlink(join(root, '..data'));
      expect(await writeAtomically(root, files({ a: '2', c: '2' }), clock)).toBe(true);
      expect(await readlink(join(root, '..data'))).not.toBe(before);
      expect((await readdir(root)).filter((name) => name !== '..data').map((name) => name.slice(0, 2))).toHaveLength(3);
      expect((await readdir(root)).filter((name) => !name.startsWith('..')).sort()).toEqual(['a', 'c']);
      expect(await read('a')).toBe('2');
    });

    it('writes nothing when nothing changed, and writes when only a permission did', async () => {
      await writeAtomically(root, files({ a: '1' }), clock);
      const before = await readlink(join(root, '..data'));
      expect(await writeAtomically(root, files({ a: '1' }), clock)).toBe(false);
      expect(await readlink(join(root, '..data'))).toBe(before);
      expect(await writeAtomically(root, files({ a: '1' }, 0o600), clock)).toBe(true);
    });

    it('repairs what a hand spoiled', async () => {
      await writeAtomically(root, files({ a: '1' }), clock);
      await chmod(join(root, 'a'), 0o644);
      await writeFile(join(root, 'a'), 'spoiled');
      expect(await writeAtomically(root, files({ a: '1' }), clock)).toBe(true);
      expect(await read('a')).toBe('1');
    });

    it.each(['', '/etc/passwd', '../outside', 'a/../../outside', '..data'])('refuses the path %j', async (path) => {
      await expect(writeAtomically(root, files({ [path]: 'x' }), clock)).rejects.toThrow('invalid path in a volume');
    });
  });

  describe('from objects', () => {
    const pod: Pod = { metadata: { name: 'web', namespace: 'shop', uid: 'u1', labels: { b: '2', a: '1' } }, spec: { containers: [] } };
    const sources = {
      configMap: async (_: string, name: string) =>
        name === 'settings' ? { data: { color: 'red', size: 'xl' }, binaryData: { raw: '/w==' } } : undefined,
      secret: async (_: string, name: string) =>
        name === 'door' ? { data: { key: Buffer.from('s3cret').toString('base64') } } : undefined,
      token: async () => 'a.b.c',
    };
    const textsOf = async (volume: Parameters<typeof filesOf>[0]) =>
      Object.fromEntries(
        [...((await filesOf(volume, pod, sources)) ?? [])].map(([path, { content }]) => [path, content.toString('latin1')]),
      );

    it('makes a file of each key of a ConfigMap, also of bytes that are no text', async () => {
      expect(await textsOf({ name: 'v', configMap: { name: 'settings' } })).toEqual({ color: 'red', size: 'xl', raw: '\xff' });
    });

    it('makes files only of the items that are named, where they are wanted', async () => {
      const items = [{ key: 'color', path: 'look/color.txt', mode: 0o600 }];
      const made = await filesOf({ name: 'v', configMap: { name: 'settings', items } }, pod, sources);
      expect(made).toEqual(new Map([['look/color.txt', { content: Buffer.from('red'), mode: 0o600 }]]));
    });

    it('decodes a Secret', async () => {
      expect(await textsOf({ name: 'v', secret: { secretName: 'door' } })).toEqual({ key: 's3cret' });
    });

    it.each([
      ['configmap "none" not found', { configMap: { name: 'none' } }],
      ['secret "none" not found', { secret: { secretName: 'none' } }],
      ['references non-existent config key: taste', { configMap: { name: 'settings', items: [{ key: 'taste', path: 't' }] } }],
    ])('says: %s', async (message, source) => {
      await expect(filesOf({ name: 'v', ...source }, pod, sources)).rejects.toThrow(message);
    });

    it('does without what is optional', async () => {
      expect(await textsOf({ name: 'v', configMap: { name: 'none', optional: true } })).toEqual({});
    });

    it('tells a pod about itself', async () => {
      const items = ['metadata.name', 'metadata.namespace', 'metadata.labels', "metadata.labels['a']"].map((fieldPath, index) => ({
        path: `f${index}`,
        fieldRef: { fieldPath },
      }));
      expect(await textsOf({ name: 'v', downwardAPI: { items } })).toEqual({ f0: 'web', f1: 'shop', f2: 'a="1"\nb="2"', f3: '1' });
    });

    it('puts several sources into one volume', async () => {
      const volume = {
        name: 'v',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { configMap: { name: 'settings', items: [{ key: 'color', path: 'color' }] } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
          ],
        },
      };
      expect(await textsOf(volume)).toEqual({ token: 'a.b.c', color: 'red', namespace: 'shop' });
    });

    it('writes nothing into volumes whose files are the pod’s own', async () => {
      expect(await filesOf({ name: 'v', emptyDir: {} }, pod, sources)).toBeUndefined();
    });
  });

  describe('tokens', () => {
    it('is asked for once, bound to the pod, and again when four fifths of its life are over', async () => {
      const asked: object[] = [];
      const client = {
        createSubresource: async (_resource: object, target: object, _name: string, { spec }: { spec: object }) => {
          asked.push({ ...target, ...spec });
          return { spec: { expirationSeconds: 1000 }, status: { token: `token ${asked.length}` } };
        },
      };
      const time = new FakeClock();
      const cache = new TokenCache(client as unknown as Client, time);
      const pod: Pod = { metadata: { name: 'web', namespace: 'shop', uid: 'u1' }, spec: { containers: [], serviceAccountName: 'robot' } };
      const token = () => cache.token(pod, { path: 'token', expirationSeconds: 1000 });
      expect(await token()).toBe('token 1');
      await time.advance(799_000);
      expect(await token()).toBe('token 1');
      await time.advance(2_000);
      expect(await token()).toBe('token 2');
      const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'u1' };
      expect(asked[0]).toEqual({ namespace: 'shop', name: 'robot', audiences: [], expirationSeconds: 1000, boundObjectRef });
    });
  });

  describe('of a pod', () => {
    const pod: Pod = { metadata: { uid: 'u1' }, spec: { containers: [], volumes: [{ name: 'config', configMap: { name: 'settings' } }] } };

    it('are looked up again every minute, and before a container starts', async () => {
      const time = new FakeClock();
      let mounts = 0;
      const volumes = { mount: async () => void mounts++ } as unknown as Volumes;
      const ours = new PodVolumes({ volumes, clock: time, warn: () => {} });
      expect(await ours.ready(pod, true)).toEqual({ ready: true, askAgainAt: time.now() + 60_000 });
      await time.advance(59_000);
      await ours.ready(pod, false);
      expect(mounts).toBe(1);
      await time.advance(1_000);
      await ours.ready(pod, false);
      expect(mounts).toBe(2);
      await ours.ready(pod, true);
      expect(mounts).toBe(3);
    });

    it('keep containers from starting while something is missing, and are asked for less and less often; what runs goes on', async () => {
      const time = new FakeClock();
      const told: string[] = [];
      const mount = () => Promise.reject(new VolumeProblem('config', new Error('configmap "settings" not found')));
      const volumes = { mount } as unknown as Volumes;
      const ours = new PodVolumes({ volumes, clock: time, warn: (reason, message) => told.push(`${reason}: ${message}`) });
      for (const delay of [500, 1000, 2000]) {
        const { ready, askAgainAt = 0 } = await ours.ready(pod, true);
        expect({ ready, after: askAgainAt - time.now() }).toEqual({ ready: false, after: delay });
        await time.advance(delay);
      }
      expect(told[0]).toBe('FailedMount: MountVolume.SetUp failed for volume "config" : configmap "settings" not found');
      expect(await ours.ready(pod, false)).toMatchObject({ ready: true });
    });

    it('lie where nobody else looks, and are removed when the pod is known no more', async () => {
      const client = { get: async () => ({ data: { color: 'red' } }) } as unknown as Client;
      const removeFolder = (folder: string) => rm(folder, { recursive: true });
      const volumes = new Volumes({ client, rootDirectory: join(root, 'kubelet'), removeFolder, clock });
      await volumes.mount(pod);
      await volumes.mount({ ...pod, metadata: { uid: 'u2' } });
      expect(await read('kubelet/pods/u1/volumes/kubernetes.io~configmap/config/color')).toBe('red');
      expect((await stat(join(root, 'kubelet/pods'))).mode & 0o777).toBe(0o700);
      await volumes.keepOnly((uid) => uid === 'u2');
      expect(await readdir(join(root, 'kubelet/pods'))).toEqual(['u2']);
    });

    it('need nothing where there are none', async () => {
      const ours = new PodVolumes({ volumes: undefined, clock: new FakeClock(), warn: () => {} });
      expect(await ours.ready(pod, true)).toEqual({ ready: true });
    });
  });

  describe('what a container mounts', () => {
    const volumes = [
      { name: 'scratch', emptyDir: {} },
      { name: 'config', configMap: { name: 'settings' } },
    ];
    const pod: Pod = { metadata: { uid: 'u1' }, spec: { containers: [], volumes } };
    const folderOf = (index: number) => volumeFolder(root, 'u1', volumes[index] as (typeof volumes)[0]);
    const mounting = (...volumeMounts: object[]) => ({ name: 'app', volumeMounts }) as Parameters<typeof mountsOf>[1];
    const mounted = (container: Parameters<typeof mountsOf>[1]) => mountsOf(pod, container, [{ name: 'WHO', value: 'me' }], root);

    beforeEach(async () => {
      for (const index of [0, 1]) await mkdir(folderOf(index), { recursive: true });
    });

    it('sees the volume where it asks for it, and cannot write what the kubelet writes', async () => {
      expect(await mounted(mounting({ name: 'scratch', mountPath: '/tmp' }, { name: 'config', mountPath: '/etc/app' }))).toEqual([
        { source: folderOf(0), target: '/tmp', readOnly: false },
        { source: folderOf(1), target: '/etc/app', readOnly: true },
      ]);
    });

    it('sees a part of it, which is made when it is missing', async () => {
      const [first, second] = await mounted(
        mounting({ name: 'scratch', mountPath: '/a', subPath: 'x/y' }, { name: 'scratch', mountPath: '/b', subPathExpr: 'of-$(WHO)' }),
      );
      expect(first?.source).toBe(join(folderOf(0), 'x/y'));
      expect(second?.source).toBe(join(folderOf(0), 'of-me'));
      expect((await stat(join(folderOf(0), 'x/y'))).isDirectory()).toBe(true);
    });

    it('cannot be led out of the volume by a link that another container made', async () => {
      await symlink('/etc', join(folderOf(0), 'way-out'));
      for (const subPath of ['way-out', 'way-out/new', '../../..']) {
        const promise = mounted(mounting({ name: 'scratch', mountPath: '/a', subPath }));
        await expect(promise).rejects.toThrow('failed to prepare subPath for volumeMount "scratch" of container "app"');
      }
    });

    it('finds a hostPath on the node’s own disk', async () => {
      const volume = { name: 'logs', hostPath: { path: '/var/../var/log' } };
      expect(volumeFolder(root, 'u1', volume)).toBe(join(root, 'disk/var/log'));
      await prepareHostPath(root, join(root, 'disk/var/log'), 'DirectoryOrCreate');
      await expect(prepareHostPath(root, join(root, 'disk/var/log'), 'File')).rejects.toThrow('is not a File');
      await expect(prepareHostPath(root, join(root, 'disk/none'), 'Directory')).rejects.toThrow('is not a Directory');
    });

    it('makes nothing where a link leads out of that disk', async () => {
      const outside = join(root, 'outside');
      await mkdir(outside);
      await mkdir(join(root, 'disk'), { recursive: true });
      await symlink(outside, join(root, 'disk/way-out'));
      await symlink(join(outside, 'not-yet'), join(root, 'disk/to-nothing'));
      for (const [path, type] of [
        ['way-out/made', 'DirectoryOrCreate'],
        ['way-out/made', 'FileOrCreate'],
        ['to-nothing', 'FileOrCreate'],
        ['way-out', ''],
      ]) {
        const prepared = prepareHostPath(root, join(root, 'disk', path ?? ''), type ?? '');
        await expect(prepared).rejects.toThrow('the hostPath leads out of the node');
      }
      expect(await readdir(outside)).toEqual([]);
    });
  });
});
