// The cluster's memory on three processes, as `npm start -- --etcd-members 3` starts them: one of them dies, and nobody has to care.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { callEtcd, connectEtcd } from '#api-server/etcd';
import { layoutOf } from '#cluster/layout';
import { freePorts } from '#kit/free-ports';
import { TestCluster } from '#kit/testing/cluster';
import { startEtcdUnderTest } from '#kit/testing/etcd';
import { EtcdClient } from '#kit/testing/etcd-client';

jest.setTimeout(120_000);

describe('a cluster that keeps its memory on three etcd members', () => {
  let cluster: TestCluster;
  let members: { name: string; client: EtcdClient }[] = [];
  beforeEach(async () => {
    cluster = await TestCluster.start(['--runtime', 'hollow', '--nodes', '1', '--etcd-members', '3']);
    const { pki } = layoutOf(cluster.folder);
    const [ca = '', cert = '', key = ''] = await Promise.all(
      ['ca.crt', 'apiserver-etcd-client.crt', 'apiserver-etcd-client.key'].map((file) => readFile(join(pki, file), 'utf8')),
    );
    const rows = [...cluster.startOutput.matchAll(/etcd \((etcd-\d)\) +(https:\S+)/g)].sort();
    const tls = { ca, cert, key };
    // By name: in TLS, a server is not asked for by an IP address.
    members = rows.map(([, name = '', url = '']) => ({ name, client: new EtcdClient(url.replace('127.0.0.1', 'localhost'), tls) }));
  });
  afterEach(async () => {
    for (const { client } of members.splice(0)) client.close();
    await cluster?.stop();
  });

  const create = (name: string) => cluster.kubectlOutcome(['create', 'configmap', name, '--from-literal=color=blue']);
  const killProcessOf = async (name: string) => {
    const folder = join(layoutOf(cluster.folder).data, name);
    const lock = (await readdir(folder)).filter((file) => /^lock-\d+$/.test(file)).sort();
    process.kill(Number(await readFile(join(folder, lock.at(-1) ?? ''), 'utf8')), 'SIGKILL');
  };

  it('goes on when the one that leads is killed, loses nothing, and has it back with all that it missed', async () => {
    expect(members.map(({ name }) => name)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
    expect(await create('before')).toMatchObject({ code: 0 });
    const standings = await Promise.all(members.map(async (member) => ({ ...member, ...(await member.client.status()) })));
    const victim = standings.find(({ leader, header }) => leader === header.memberId);
    if (!victim) throw new Error(`nobody leads: ${JSON.stringify(standings.map(({ leader }) => leader))}`);

    await killProcessOf(victim.name);
    await cluster.eventually('kubectl can create something', async () => (await create('after')).code === 0);
    expect(await cluster.kubectl('get configmap before after -o name')).toBe('configmap/before\nconfigmap/after\n');
    for (const { name, client } of members) {
      await cluster.eventually(`${name} has it, and knows who leads`, async () => {
        const own = await client.range({ key: '/registry/configmaps/default/after', serializable: true });
        const { leader, raftTerm } = await client.status();
        return own.count === 1 && leader > 0 && raftTerm > victim.raftTerm;
      });
    }
    const log = await readFile(join(cluster.folder, 'logs', 'cluster.log'), 'utf8');
    expect(log).toContain(`etcd (${victim.name}) was killed by SIGKILL`);
    expect(log).toContain(`etcd (${victim.name}) is back at`);
  });
});

describe('the API server’s connection to three etcd members', () => {
  it('goes to the one that is there, for reads and for writes, also when many calls meet the others at once', async () => {
    const etcd = await startEtcdUnderTest();
    const gone = await freePorts(2);
    const connection = connectEtcd([etcd.url, ...gone.map((port) => `http://127.0.0.1:${port}`)]);
    try {
      const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
      await Promise.all(keys.map((key) => callEtcd(() => connection.put(key).value('here').exec())));
      expect(await Promise.all(keys.map((key) => callEtcd(() => connection.get(key).string())))).toEqual(keys.map(() => 'here'));
      expect((await callEtcd(() => connection.get('key-0').exec())).header.revision).toBe(String(keys.length + 1));
    } finally {
      connection.close();
      await etcd.stop();
    }
  });
});
