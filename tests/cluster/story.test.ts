// The course's story, as a user types it: real kubectl, real containers, two nodes. The steps build on each other.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Pods, Services } from '#kit/api';
import { systemClock } from '#kit/clock';
import { TestCluster } from '#kit/testing/cluster';
import '#kit/testing/matchers';

jest.setTimeout(90_000);

describe('the story: an echo server on a cluster of two nodes', () => {
  let cluster: TestCluster;
  let manifest: string;
  let address: string;

  beforeAll(async () => {
    cluster = await TestCluster.start();
    // The example asks for node port 30080, which your own cluster may be using now: here the API server chooses one.
    manifest = (await readFile('examples/echo.yaml', 'utf8')).replace(/ +nodePort: .*\n/, '');
  });
  afterAll(() => cluster?.stop());

  const echoPods = async () => (await cluster.client.list(Pods, { namespace: 'default', labelSelector: 'app=echo' })).items;
  const running = (count: number) =>
    cluster.eventually(`${count} echo pods are ready, and no other is left`, async () => {
      const pods = await echoPods();
      for (const pod of pods) expect(pod).toBeReady();
      return pods.length === count && pods;
    });
  const ask = async () => (await fetch(address)).text();
  /** Who answers ten requests, each on a connection of its own. */
  const answering = async () =>
    new Set(
      await Promise.all(
        Array.from({ length: 10 }, () => fetch(address, { headers: { connection: 'close' } }).then((answer) => answer.text())),
      ),
    );

  it('says where the cluster is', async () => {
    expect(await cluster.kubectl('cluster-info')).toMatch(/Kubernetes control plane.*is running at.*https:\/\/127\.0\.0\.1:\d+/);
  });

  it('shows two ready nodes with their addresses', async () => {
    const lines = (await cluster.kubectl('get nodes -o wide --no-headers')).trim().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^node-\d +Ready .*v1\.32\S* +172\.30\.\d+\.\d+ .*docker:\/\//);
  });

  it('runs two replicas, one on each node', async () => {
    expect(await cluster.kubectl(['apply', '-f', '-'], manifest)).toBe('deployment.apps/echo created\nservice/echo created\n');
    await cluster.kubectl('rollout status deployment/echo --timeout=30s');
    const pods = await running(2);
    expect(pods.map(({ spec }) => spec?.nodeName).sort()).toEqual(['node-1', 'node-2']);
    const wide = await cluster.kubectl('get pods -o wide --no-headers');
    for (const pod of pods) {
      expect(wide).toMatch(new RegExp(`${pod.metadata?.name} +1/1 +Running +0 +\\S+ +${pod.status?.podIP} +${pod.spec?.nodeName}`));
    }
  });

  it('changes nothing when the same manifest is applied again', async () => {
    expect(await cluster.kubectl(['apply', '-f', '-'], manifest)).toBe('deployment.apps/echo unchanged\nservice/echo unchanged\n');
  });

  it('has a pause and an app container for each pod, named as the kubelet names them', async () => {
    const names = await cluster.containerNames();
    for (const { metadata } of await echoPods()) {
      const suffix = `${metadata?.name}_default_${metadata?.uid}_0`;
      expect(names).toEqual(expect.arrayContaining([`k8s_POD_${suffix}`, `k8s_echo_${suffix}`]));
    }
  });

  it('shows a container’s log', async () => {
    const [pod] = await echoPods();
    expect(await cluster.kubectl(`logs ${pod?.metadata?.name}`)).toContain('echo v1 listens on port 8080');
  });

  it('answers at http://echo inside the cluster, from both replicas', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do timeout 5 wget -qO- http://echo || exit 1; done; echo $ECHO_SERVICE_HOST';
    await cluster.kubectl(['run', 'client', '--image=kubekata/busybox:1', '--restart=Never', '--', 'sh', '-c', script]);
    await cluster.kubectl('wait --for=jsonpath={.status.phase}=Succeeded pod/client --timeout=30s');
    const log = await cluster.kubectl('logs client');
    for (const { metadata } of await echoPods()) expect(log).toContain(`echo v1 from ${metadata?.name}`);
    const { spec } = await cluster.client.get(Services, { name: 'echo', namespace: 'default' });
    expect(log.trim().split('\n').at(-1)).toBe(spec?.clusterIP);
    await cluster.kubectl('delete pod client');
  });

  it('answers on a NodePort of this machine, from both replicas', async () => {
    const { spec } = await cluster.client.get(Services, { name: 'echo', namespace: 'default' });
    address = `http://127.0.0.1:${spec?.ports?.[0]?.nodePort}`;
    await cluster.eventually('two replicas answer on the NodePort', async () => (await answering()).size === 2);
  });

  it('scales to four', async () => {
    await cluster.kubectl('scale deployment/echo --replicas=4');
    await running(4);
    await cluster.eventually('four replicas answer', async () => (await answering()).size === 4);
  });

  it('replaces a pod that is deleted', async () => {
    const [victim] = await echoPods();
    await cluster.kubectl(`delete pod ${victim?.metadata?.name} --wait=false`);
    const pods = await running(4);
    expect(pods.map(({ metadata }) => metadata?.uid)).not.toContain(victim?.metadata?.uid);
  });

  it('restarts a container that is killed, in the same pod', async () => {
    const [victim] = await echoPods();
    const id = victim?.status?.containerStatuses?.[0]?.containerID?.replace('docker://', '') ?? '';
    await cluster.docker.getContainer(id).kill();
    await cluster.eventually('the pod runs again, with one restart counted', async () => {
      const pod = await cluster.client.get(Pods, { name: victim?.metadata?.name ?? '', namespace: 'default' });
      expect(pod).toBeReady();
      return pod.status?.containerStatuses?.[0]?.restartCount === 1 && pod.metadata?.uid === victim?.metadata?.uid;
    });
  });

  it('rolls to a new image without a failed request', async () => {
    await running(4);
    const failures: string[] = [];
    let asked = 0;
    const rolling = new AbortController();
    const user = (async () => {
      while (!rolling.signal.aborted) {
        asked++;
        await fetch(address, { headers: { connection: 'close' } })
          .then((answer) => answer.text())
          .catch((error) => failures.push(String(error.cause ?? error)));
        await systemClock.sleep(10);
      }
    })();
    await cluster.kubectl('set image deployment/echo echo=kubekata/echo:v2');
    await cluster.kubectl('rollout status deployment/echo --timeout=60s');
    await running(4);
    rolling.abort();
    await user;
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(50);
    expect(await ask()).toMatch(/^echo v2 from echo-/);
  });

  it('leaves no container when the manifest is deleted', async () => {
    await cluster.kubectl(['delete', '-f', '-', '--wait=true'], manifest);
    await cluster.eventually('only the nodes’ own containers are left', async () =>
      (await cluster.containerNames()).every((name) => /-node-\d$/.test(name)),
    );
    await expect(fetch(address)).rejects.toThrow();
  });
});
