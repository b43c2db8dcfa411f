// Kubernetes' own client library for JavaScript, of which the cluster knows nothing: what it can do, it must be able to do here.

import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runInThisContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type * as ClientNode from '@kubernetes/client-node';
import { TestCluster } from '#kit/testing/cluster';
import { withDeadline } from '#kit/testing/wait';

jest.setTimeout(60_000);

const namespace = 'default';
const image = 'kubekata/busybox:1';
const box = {
  metadata: { name: 'box', labels: { app: 'box' } },
  spec: {
    containers: [
      { name: 'box', image, command: ['sh', '-c', 'echo one; echo two; exec sleep 1000000'] },
      { name: 'echo', image: 'kubekata/echo:v1', ports: [{ containerPort: 8080 }] },
    ],
  },
};
const waitsForGo = ['sh', '-c', 'echo one; until [ -e /go ]; do sleep 0.1; done; echo two'];
const brief = {
  metadata: { name: 'brief' },
  spec: { restartPolicy: 'Never', containers: [{ name: 'brief', image, command: waitsForGo }] },
};

/** It comes as ES modules alone, which jest does not run: so node itself loads it, outside of the sandbox that jest runs a test in. */
function loadClientNode(): typeof ClientNode {
  const nodesOwn: NodeJS.Process = runInThisContext('process');
  return nodesOwn.getBuiltinModule('module').createRequire(`${process.cwd()}/package.json`)('@kubernetes/client-node');
}

describe('@kubernetes/client-node', () => {
  const library = loadClientNode();
  let cluster: TestCluster;
  let config: ClientNode.KubeConfig;
  let core: ClientNode.CoreV1Api;
  let apps: ClientNode.AppsV1Api;
  /** What one test left running. */
  const cleanUp: (() => unknown)[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.start(['--nodes', '1']);
    config = new library.KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    core = config.makeApiClient(library.CoreV1Api);
    apps = config.makeApiClient(library.AppsV1Api);
    for (const body of [box, brief]) await core.createNamespacedPod({ namespace, body });
    await cluster.eventually('the pods are ready', async () => {
      const { items } = await core.listNamespacedPod({ namespace });
      return items.every(({ status }) => status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'));
    });
  });
  afterEach(async () => {
    for (const step of cleanUp.splice(0)) await step();
  });
  afterAll(() => cluster?.stop());

  const configMap = (name: string, data: Record<string, string>) => ({ metadata: { name }, data });
  const as = (type: ClientNode.PatchStrategy) => library.setHeaderOptions('Content-Type', type);

  it('reads, lists by a selector, and pages', async () => {
    for (const name of ['one', 'two', 'three'])
      await core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { page: 'yes' } } } });
    const first = await core.listNamespacedConfigMap({ namespace, labelSelector: 'page=yes', limit: 2 });
    expect(first.items.map(({ metadata }) => metadata?.name)).toEqual(['one', 'three']);
    const rest = await core.listNamespacedConfigMap({
      namespace,
      labelSelector: 'page=yes',
      limit: 2,
      ...(first.metadata?._continue ? { _continue: first.metadata._continue } : {}),
    });
    expect(rest.items.map(({ metadata }) => metadata?.name)).toEqual(['two']);
  });

  it('is told what was wrong, as a Status', async () => {
    const missing = await core.readNamespacedPod({ namespace, name: 'nobody' }).catch((error: unknown) => error);
    expect(missing).toMatchObject({ code: 404, body: expect.stringContaining('pods \\"nobody\\" not found') });
    const taken = await core.createNamespacedPod({ namespace, body: box }).catch((error: unknown) => error);
    expect(taken).toMatchObject({ code: 409, body: expect.stringContaining('"reason":"AlreadyExists"') });
  });

  it('watches from a revision: each change once, in order', async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    const seen: string[] = [];
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const query = { resourceVersion: metadata?.resourceVersion, labelSelector: 'watched=yes' };
    const watch = await new library.Watch(config).watch(
      path,
      query,
      (phase: string, { data }: ClientNode.V1ConfigMap) => seen.push(`${phase} ${data?.step}`),
      () => {},
    );
    cleanUp.push(() => watch.abort());
    const body = (step: string) => ({ metadata: { name: 'watched', labels: { watched: 'yes' } }, data: { step } });
    await core.createNamespacedConfigMap({ namespace, body: body('1') });
    await core.replaceNamespacedConfigMap({ namespace, name: 'watched', body: body('2') });
    await core.deleteNamespacedConfigMap({ namespace, name: 'watched' });
    await cluster.eventually('three changes are seen', () => seen.length >= 3);
    expect(seen).toEqual(['ADDED 1', 'MODIFIED 2', 'DELETED 2']);
  });

  it('keeps an informer true', async () => {
    await core.createNamespacedConfigMap({ namespace, body: configMap('early', { a: '1' }) });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const informer = library.makeInformer(config, path, () => core.listNamespacedConfigMap({ namespace }));
    const failures: unknown[] = [];
    informer.on('error', (error) => failures.push(error));
    cleanUp.push(() => informer.stop());
    await informer.start();
    expect(informer.get('early', namespace)?.data).toEqual({ a: '1' });
    await core.createNamespacedConfigMap({ namespace, body: configMap('late', { b: '2' }) });
    await core.deleteNamespacedConfigMap({ namespace, name: 'early' });
    await cluster.eventually('the informer has heard', () => informer.get('late', namespace) && !informer.get('early', namespace));
    const stored = await core.listNamespacedConfigMap({ namespace });
    const names = (items: readonly ClientNode.V1ConfigMap[]) => items.map((item) => item.metadata?.name).sort();
    expect(names(informer.list(namespace))).toEqual(names(stored.items));
    expect(failures).toEqual([]);
  });

  it('patches in each of the four ways', async () => {
    const { JsonPatch, MergePatch, StrategicMergePatch, ServerSideApply } = library.PatchStrategy;
    const template = { metadata: { labels: { app: 'idle' } }, spec: { containers: [{ name: 'app', image: 'kubekata/echo:v1' }] } };
    const spec = { replicas: 0, selector: { matchLabels: { app: 'idle' } }, template };
    await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: 'idle', labels: { a: '1', b: '2' } }, spec } });
    const patch = (body: object, type: ClientNode.PatchStrategy, more: { fieldManager?: string } = {}) =>
      apps.patchNamespacedDeployment({ namespace, name: 'idle', body, ...more }, as(type));

    const json = await patch([{ op: 'replace', path: '/metadata/labels/a', value: '7' }], JsonPatch);
    expect(json.metadata?.labels).toEqual({ a: '7', b: '2' });
    const merge = await patch({ metadata: { labels: { b: null } } }, MergePatch);
    expect(merge.metadata?.labels).toEqual({ a: '7' });
    const sidecar = { name: 'sidecar', image: 'kubekata/busybox:1' };
    const strategic = await patch({ spec: { template: { spec: { containers: [sidecar] } } } }, StrategicMergePatch);
    expect(strategic.spec?.template.spec?.containers.map(({ name }) => name)).toEqual(['sidecar', 'app']);
    const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'idle', labels: { tier: 'front' } } };
    const apply = await patch(applied, ServerSideApply, { fieldManager: 'test' });
    expect(apply.metadata?.labels).toEqual({ a: '7', tier: 'front' });
    expect(apply.metadata?.managedFields).toContainEqual(expect.objectContaining({ manager: 'test', operation: 'Apply' }));
  });

  it('runs a command in a container, and hears how it ended', async () => {
    const exec = async (command: string[], input?: string) => {
      const [out, err] = [new PassThrough(), new PassThrough()];
      const stdin = input === undefined ? null : Readable.from([input]);
      const ended = new Promise<ClientNode.V1Status>((resolve, reject) => {
        new library.Exec(config).exec(namespace, 'box', 'box', command, out, err, stdin, false, resolve).catch(reject);
      });
      const status = await withDeadline(command.join(' '), ended, { within: 15_000 });
      out.end();
      err.end();
      return { status, out: await text(out), err: await text(err) };
    };
    expect(await exec(['sh', '-c', 'echo to out; echo to err >&2'])).toMatchObject({
      status: { status: 'Success' },
      out: 'to out\n',
      err: 'to err\n',
    });
    expect(await exec(['sh', '-c', 'exit 3'])).toMatchObject({
      status: { status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '3' }] } },
    });
    expect(await exec(['head', '-n', '1'], 'first\nsecond\n')).toMatchObject({ status: { status: 'Success' }, out: 'first\n' });
  });

  it('reaches a port of a pod', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const socket = await new library.PortForward(config).portForward(namespace, 'box', [8080], output, null, input);
    cleanUp.push(() => (typeof socket === 'function' ? socket()?.close() : socket.close()));
    let answer = '';
    output.on('data', (chunk) => (answer += chunk));
    input.write('GET / HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n');
    await cluster.eventually('the container answers', () => answer.includes('echo v1 from box'));
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it("reads a container's log, and follows it", async () => {
    expect(await core.readNamespacedPodLog({ namespace, name: 'box', container: 'box' })).toBe('one\ntwo\n');
    expect(await core.readNamespacedPodLog({ namespace, name: 'box', container: 'box', tailLines: 1 })).toBe('two\n');
    const lines = new PassThrough();
    // Asked for at once: the log may end before kubectl has told that it did what it should.
    const ended = once(lines, 'end');
    let heard = '';
    lines.on('data', (chunk) => (heard += chunk));
    await new library.Log(config).log(namespace, 'brief', 'brief', lines, { follow: true, timestamps: true });
    await cluster.eventually('the first line is heard', () => heard.includes('one'));
    await cluster.kubectl('exec brief -- touch /go');
    await withDeadline('the log to end', ended, { within: 15_000 });
    expect(heard).toMatch(/^\d{4}-\d\d-\d\dT\S+Z one\n\d{4}-\d\d-\d\dT\S+Z two\n$/);
  });

  it('finds by discovery where a kind that it does not know lives', async () => {
    const objects = library.KubernetesObjectApi.makeApiClient(config);
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'mine', namespace } };
    await objects.create({ ...lease, spec: { holderIdentity: 'me' } } as ClientNode.KubernetesObject);
    expect(await objects.read(lease)).toMatchObject({ spec: { holderIdentity: 'me' } });
    await objects.delete(lease);
    await expect(objects.read(lease)).rejects.toMatchObject({ code: 404 });
  });
});
