// Helm, the package manager, against the cluster: a release from its first revision to its end. `npm run test:clients` says which Helm.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ConfigMaps, Deployments, Secrets } from '#kit/api';
import { runProgram, TestCluster } from '#kit/testing/cluster';

jest.setTimeout(60_000);

const chart = 'tests/helm/chart';
const namespace = 'shop';

describe('Helm', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['--nodes', '1']);
  });
  afterAll(() => cluster?.stop());

  async function helm(command: string): Promise<string> {
    const home = join(cluster.folder, 'helm');
    const env = { KUBECONFIG: cluster.kubeconfig, HOME: home, HELM_NAMESPACE: namespace };
    const { code, stdout, stderr } = await runProgram(process.env.KATA_HELM ?? 'helm', command.split(' '), { env });
    if (code !== 0) throw new Error(`helm ${command} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }
  const releases = async () => JSON.parse(await helm('list -o json')) as { name: string; revision: string; status: string }[];
  const color = async () => (await cluster.client.get(ConfigMaps, { namespace, name: 'echo' })).data?.color;
  const ready = async () => (await cluster.client.get(Deployments, { namespace, name: 'echo' })).status?.readyReplicas;

  // The tests build on each other, as a release's revisions do.
  it('installs a chart into a namespace that it makes, hooks first, and waits until all is ready', async () => {
    await helm(`install echo ${chart} --create-namespace --wait --timeout 40s`);
    expect(await releases()).toMatchObject([{ name: 'echo', revision: '1', status: 'deployed' }]);
    expect(await ready()).toBe(1);
    const { data, metadata } = await cluster.client.get(ConfigMaps, { namespace, name: 'echo' });
    expect(data).toEqual({ color: 'green', system: 'kube-system' });
    expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'Helm', kubernetes: 'v1.32.0' });
  });

  it('runs the tests of the chart', async () => {
    expect(await helm('test echo --timeout 40s')).toMatch(/Phase: +Succeeded/);
  });

  it('upgrades to other values', async () => {
    await helm(`upgrade echo ${chart} --set color=blue,replicas=2 --wait --timeout 40s`);
    expect(await releases()).toMatchObject([{ revision: '2', status: 'deployed' }]);
    expect([await color(), await ready()]).toEqual(['blue', 2]);
  });

  it('says why an upgrade was refused, and what was refused stays as it was', async () => {
    await expect(helm(`upgrade echo ${chart} --reuse-values --set replicas=many`)).rejects.toThrow('replicas');
    expect([await color(), await ready()]).toEqual(['blue', 2]);
    expect(await releases()).toMatchObject([{ revision: '3', status: 'failed' }]);
  });

  it('rolls back to an earlier revision', async () => {
    await helm('rollback echo 1 --wait --timeout 40s');
    expect([await color(), await ready()]).toEqual(['green', 1]);
    const history = JSON.parse(await helm('history echo -o json')) as { status: string; description: string }[];
    expect(history.at(-1)).toMatchObject({ status: 'deployed', description: 'Rollback to 1' });
  });

  it('uninstalls, and leaves nothing', async () => {
    await helm('uninstall echo --wait --timeout 40s');
    expect(await releases()).toEqual([]);
    await expect(cluster.client.get(Deployments, { namespace, name: 'echo' })).rejects.toMatchObject({ code: 404 });
    const kept = await cluster.client.list(Secrets, { namespace, labelSelector: 'owner=helm' });
    expect(kept.items).toEqual([]);
  });
});
