// The real etcd, as one member, for tests: the program on the PATH, or a container of an image (KATA_UPSTREAM_IMAGE, which
// `npm run test:upstream` sets). Its data outlives it, so that it can be started again.

import type { RunningComponent } from '#kit/component';
import { freePorts } from '#kit/free-ports';
import { EtcdClient } from '#kit/testing/etcd-client';
import { asArguments, onFreePorts, startProgram, type UpstreamProgram } from '#kit/testing/upstream-program';
import { eventually } from '#kit/testing/wait';

export const isUpstream = process.env.KATA_TARGET === 'upstream';

/** On every container of one run (KATA_UPSTREAM_RUN), so that the run can clear up what a test that was killed has left. */
export const runLabel = 'kubekata.test-upstream';

const quick = { 'heartbeat-interval': '20', 'election-timeout': '100', 'log-level': 'error' };

export function startUpstreamEtcd(dataDir: string): Promise<RunningComponent> {
  const image = process.env.KATA_UPSTREAM_IMAGE;
  return image ? startImage(image, dataDir) : onFreePorts(() => startOnPath(dataDir));
}

async function startOnPath(dataDir: string): Promise<RunningComponent> {
  const [clientPort, peerPort] = await freePorts(2);
  const url = `http://127.0.0.1:${clientPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const etcd = startProgram('etcd', {
    'data-dir': dataDir,
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    ...quick,
  });
  try {
    await answers(url, etcd);
  } catch (error) {
    await etcd.stop();
    throw error;
  }
  return { url, stop: etcd.stop };
}

async function startImage(image: string, dataDir: string): Promise<RunningComponent> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const flags = {
    'data-dir': '/etcd-data',
    'listen-client-urls': 'http://0.0.0.0:2379',
    'advertise-client-urls': 'http://127.0.0.1:2379',
    ...quick,
  };
  let output = '';
  const container = new GenericContainer(image)
    .withEntrypoint(['etcd'])
    .withCommand(asArguments(flags))
    .withExposedPorts(2379)
    .withBindMounts([{ source: dataDir, target: '/etcd-data' }])
    // The usual wait looks for the port from inside, with a shell: the image may have none.
    .withWaitStrategy(Wait.forHttp('/health', 2379))
    .withLabels({ [runLabel]: process.env.KATA_UPSTREAM_RUN ?? 'by hand' })
    .withLogConsumer((stream) => stream.on('data', (chunk) => (output += chunk)));
  // What it writes must belong to who removes it. Docker Desktop sees to that itself.
  if (process.getuid && process.getgid) container.withUser(`${process.getuid()}:${process.getgid()}`);
  const started = await container.start();
  const url = `http://${started.getHost()}:${started.getMappedPort(2379)}`;
  const stop = async () => {
    await started.stop({ timeout: 2_000 });
  };
  try {
    await answers(url, { story: () => output, hasEnded: () => false });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

async function answers(url: string, { story, hasEnded }: Pick<UpstreamProgram, 'story' | 'hasEnded'>): Promise<void> {
  const client = new EtcdClient(url);
  try {
    const check = async () => hasEnded() || (await client.range({ key: 'health' }));
    await eventually('the real etcd answers', check, { within: 15_000, story });
    if (hasEnded()) throw new Error(`the real etcd ended at once:\n${story()}`);
  } finally {
    client.close();
  }
}
