// What a killed test left on Docker goes, and nothing else.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import Docker from 'dockerode';
import { sweep } from '#cluster/sweep';
import { sweepAbandoned, testClusterName } from '#cluster/test-clusters';
import { ensureImage } from '#kit/node/images';
import { clusterLabel } from '#kit/node/node-container';
import { runProgram } from '#kit/testing/cluster';

const image = 'kubekata/pause:1';

describe('the clusters of tests', () => {
  const docker = new Docker();
  const made: string[] = [];
  afterEach(async () => {
    for (const cluster of made.splice(0)) await sweep(docker, cluster);
  });

  async function make(cluster: string): Promise<string> {
    made.push(cluster);
    await ensureImage(docker, image);
    await docker.createContainer({ Image: image, Labels: { [clusterLabel]: cluster }, HostConfig: { NetworkMode: 'none' } });
    return cluster;
  }
  const hasContainers = async (cluster: string) =>
    (await docker.listContainers({ all: true, filters: { label: [`${clusterLabel}=${cluster}`] } })).length > 0;

  it('are removed when their process is gone, and only then', async () => {
    const gone = spawnSync(process.execPath, ['--version']).pid;
    const abandoned = await make(testClusterName(gone));
    const ours = await make(testClusterName());
    const elsewhere = await make(testClusterName(gone).replace(/test-[0-9a-f]{8}/, 'test-00000000'));
    const noTest = await make(`kubekata-${gone}`);
    expect(await sweepAbandoned(docker)).toBeGreaterThanOrEqual(1);
    expect(await Promise.all([abandoned, ours, elsewhere, noTest].map(hasContainers))).toEqual([false, true, true, true]);
  });

  it('are removed by npm run stop after their test was killed', async () => {
    const test = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const cluster = await make(testClusterName(test.pid));
    test.kill('SIGKILL');
    await once(test, 'exit');
    const { stdout } = await runProgram(process.execPath, ['cluster/stop.ts', '--folder', '/nowhere/of-a-cluster']);
    expect(stdout).toMatch(/\d+ containers and networks of interrupted tests are removed\./);
    expect(await hasContainers(cluster)).toBe(false);
  });
});
