// The real etcdctl, unmodified: what it prints when it talks to our server. With KATA_TARGET=upstream it talks to the real etcd, and
// prints the same: that is how these outputs were found.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startEtcd } from '#etcd';
import { systemClock, systemRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { isUpstream } from '#kit/testing/upstream-etcd';
import { etcdctlFor } from './etcdctl.ts';

describe('etcdctl', () => {
  const cleanUp: (() => unknown)[] = [];
  let etcd: EtcdUnderTest;
  let run: ReturnType<typeof etcdctlFor>;
  /** Words apart by spaces, as in a terminal. */
  const etcdctl = (line: string, input?: string) => run(line.split(' '), input);
  beforeEach(async () => {
    etcd = await startEtcdUnderTest();
    cleanUp.push(() => etcd.stop());
    run = etcdctlFor(etcd.url);
  });
  afterEach(async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  });
  const start = (line: string) => {
    const running = run.start(line.split(' '));
    cleanUp.push(() => running.stop());
    return running;
  };

  it('puts, gets and deletes', async () => {
    expect(await etcdctl('put a one')).toBe('OK\n');
    expect(await etcdctl('put a two --prev-kv')).toBe('OK\na\none\n');
    expect(await etcdctl('put b', 'from standard input')).toBe('OK\n');
    expect(await etcdctl('put c three')).toBe('OK\n');
    expect(await etcdctl('get a')).toBe('a\ntwo\n');
    expect(await etcdctl('get a c')).toBe('a\ntwo\nb\nfrom standard input\n');
    expect(await etcdctl('get a --rev 2 --print-value-only')).toBe('one\n');
    expect(await run(['get', '', '--from-key', '--keys-only'])).toBe('a\n\nb\n\nc\n\n');
    expect(await run(['get', '', '--prefix', '--sort-by', 'MODIFY', '--order', 'DESCEND', '--limit', '2'])).toBe(
      'c\nthree\nb\nfrom standard input\n',
    );
    expect(await etcdctl('get a d --limit 1 -w fields')).toContain('"More" : true\n"Count" : 3\n');
    expect(await etcdctl('get nothing')).toBe('');
    expect(await etcdctl('del a --prev-kv')).toBe('1\na\ntwo\n');
    expect(await etcdctl('del a z')).toBe('2\n');
    expect(await etcdctl('del a')).toBe('0\n');
  });

  it('prints an answer as JSON', async () => {
    await etcdctl('put a one');
    const { header, kvs, count } = JSON.parse(await etcdctl('get a -w json'));
    expect(header).toMatchObject({ revision: 2, cluster_id: expect.any(Number), member_id: expect.any(Number) });
    expect({ kvs, count }).toEqual({
      kvs: [{ key: 'YQ==', value: 'b25l', create_revision: 2, mod_revision: 2, version: 1 }],
      count: 1,
    });
  });

  it('makes transactions', async () => {
    await etcdctl('put a one');
    const transaction = 'value("a") = "one"\nmod("a") > "1"\n\nput a two\nget a\ndel b\n\nget a\n\n';
    expect(await etcdctl('txn', transaction)).toBe('SUCCESS\n\nOK\n\na\ntwo\n\n0\n');
    expect(await etcdctl('txn', transaction)).toBe('FAILURE\n\na\ntwo\n');
    await expect(etcdctl('txn', '\nput a 1\nput a 2\n\n\n')).rejects.toThrow('duplicate key given in txn request');
  });

  it('watches, also what was before', async () => {
    await etcdctl('put a one');
    const live = start('watch a');
    const past = start('watch a --rev 2 --prev-kv');
    await past.prints('PUT\na\none\n');
    // It prints nothing when its watch is there.
    const some = setPuts();
    await live.prints('PUT\na\n');
    await some.stop();
    await etcdctl('put a last');
    await etcdctl('del a');
    await live.prints('PUT\na\nlast\nDELETE\na\n\n');
    await past.prints('DELETE\na\nlast\na\n\n');

    function setPuts() {
      let isOver = false;
      const putting = (async () => {
        while (!isOver) await etcd.client.put({ key: 'a', value: 'again' });
      })();
      return {
        stop: () => {
          isOver = true;
          return putting;
        },
      };
    }
  });

  it('watches many keys on one stream, and runs a command for an event', async () => {
    const interactive = start('watch -i');
    interactive.type('watch a --rev 1\nwatch b --rev 1\n');
    const executing = start('watch c --rev 1 -- echo seen');
    await etcdctl('put a one');
    await etcdctl('put b two');
    await etcdctl('put c three');
    await interactive.prints('PUT\na\none\n');
    await interactive.prints('PUT\nb\ntwo\n');
    await executing.prints('PUT\nc\nthree\nseen\n');
  });

  it('says why a watch of the compacted past ends', async () => {
    for (const value of ['one', 'two', 'three']) await etcdctl(`put a ${value}`);
    expect(await etcdctl('compact 3')).toBe('compacted revision 3\n');
    const watch = start('watch a --rev 2');
    await watch.prints('watch was canceled (etcdserver: mvcc: required revision has been compacted)');
    await expect(etcdctl('get a --rev 2')).rejects.toThrow('etcdserver: mvcc: required revision has been compacted');
    await expect(etcdctl('compact 3')).rejects.toThrow('etcdserver: mvcc: required revision has been compacted');
    await expect(etcdctl('compact 99')).rejects.toThrow('etcdserver: mvcc: required revision is a future revision');
    expect(await etcdctl('get a --rev 3')).toBe('a\ntwo\n');
  });

  it('grants, keeps alive, looks at and revokes leases', async () => {
    const [, id = ''] = /^lease ([0-9a-f]+) granted with TTL\(500s\)\n$/.exec(await etcdctl('lease grant 500')) ?? [];
    expect(id).not.toBe('');
    await etcdctl(`put a one --lease=${id}`);
    expect(await etcdctl('lease list')).toBe(`found 1 leases\n${id}\n`);
    expect(await etcdctl(`lease timetolive ${id} --keys`)).toMatch(
      new RegExp(`^lease ${id} granted with TTL\\(500s\\), remaining\\((499|500)s\\), attached keys\\(\\[a\\]\\)\n$`),
    );
    expect(await etcdctl(`lease keep-alive --once ${id}`)).toBe(`lease ${id} keepalived with TTL(500)\n`);
    expect(await etcdctl(`lease revoke ${id}`)).toBe(`lease ${id} revoked\n`);
    expect(await etcdctl('get a')).toBe('');
    expect(await etcdctl(`lease timetolive ${id}`)).toBe(`lease ${id} already expired\n`);
    await expect(etcdctl(`lease keep-alive --once ${id}`)).rejects.toThrow('requested lease not found');
    await expect(etcdctl(`lease revoke ${id}`)).rejects.toThrow('requested lease not found');
  });

  it('says how the server is and who is a member', async () => {
    await etcdctl('put a one');
    const endpoint = new URL(etcd.url).host;
    expect(await etcdctl('endpoint status')).toMatch(/^127\S+, [0-9a-f]+, 3\.\d+\.\d+, [\d.]+ [kM]?B, true, false, \d+, \d+, \d+, \n$/);
    const [{ Status }] = JSON.parse(await etcdctl('endpoint status -w json'));
    expect(Status).toMatchObject({ header: { revision: 2 }, dbSize: expect.any(Number), raftIndex: expect.any(Number) });
    expect(Status.leader).toBe(Status.header.member_id);
    const [{ HashKV }] = JSON.parse(await etcdctl('endpoint hashkv -w json'));
    expect(HashKV).toMatchObject({ header: { revision: 2 }, hash: expect.any(Number) });
    expect(await etcdctl('member list')).toMatch(/^[0-9a-f]+, started, default, [^,]*, http:\S+, false\n$/);
    expect(await run(['endpoint', 'health', '-w', 'json'])).toContain(`"endpoint":"${endpoint}","health":true`);
  });

  it('says that nobody is a learner who could be promoted', async () => {
    const [id = ''] = (await etcdctl('member list')).split(',');
    await expect(etcdctl(`member promote ${id}`)).rejects.toThrow('etcdserver: can only promote a learner member');
    await expect(etcdctl('member promote 7')).rejects.toThrow('etcdserver: member not found');
  });

  it('defragments, lists alarms and disarms them', async () => {
    expect(await etcdctl('defrag')).toBe(`Finished defragmenting etcd member[${new URL(etcd.url).host}]\n`);
    expect(await etcdctl('alarm list')).toBe('');
    await etcd.client.call('Maintenance', 'Alarm', { action: 'ACTIVATE', alarm: 'NOSPACE' });
    expect(await etcdctl('alarm list')).toContain('alarm:NOSPACE');
    await expect(etcdctl('put a one')).rejects.toThrow('etcdserver: mvcc: database space exceeded');
    expect(await etcdctl('alarm disarm')).toContain('alarm:NOSPACE');
    expect(await etcdctl('put a one')).toBe('OK\n');
  });

  it('holds a lock and is elected', async () => {
    const holder = start('lock door');
    await holder.prints('door/');
    const waiting = start('lock door');
    expect((await etcdctl('get door --prefix --keys-only')).trim().split(/\n+/).length).toBeGreaterThanOrEqual(1);
    expect(waiting.printed()).toBe('');
    await holder.stop();
    await etcdctl(`lease revoke ${holder.printed().trim().split('/')[1]}`);
    await waiting.prints('door/');
    const leader = start('elect throne me');
    await leader.prints('throne/');
    await start('elect -l throne').prints('me\n');
  });

  it('mirrors a prefix into another server', async () => {
    const other = await startEtcdUnderTest();
    cleanUp.push(() => other.stop());
    await etcdctl('put a one');
    start(`make-mirror ${other.url.replace('http://', '')}`);
    const there = etcdctlFor(other.url);
    const until = async (key: string, expected: string) => {
      const watch = there.start(['watch', key, '--rev', '1']);
      cleanUp.push(() => watch.stop());
      await watch.prints(expected);
    };
    await until('a', 'a\none\n');
    await etcdctl('put b two');
    await until('b', 'b\ntwo\n');
  });

  // The two files are different ones: etcd's is a bbolt database.
  if (isUpstream) return;

  it('takes the address as a URL for everything, if our server speaks HTTP/2 by hand', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcdctl-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
    const context = { clock: systemClock, random: systemRandom, log: silentLogger };
    const lean = await startEtcd({ dataDir, transport: 'lean', listen: { host: '127.0.0.1', port: 0 }, ...context });
    cleanUp.push(() => lean.stop());
    const there = etcdctlFor(lean.url, { withScheme: true });
    expect(await there(['endpoint', 'status'])).toContain(`${lean.url}, `);
    expect(await there(['defrag'])).toBe(`Finished defragmenting etcd member[${lean.url}]\n`);
    expect(await there(['endpoint', 'hashkv'])).toContain(`${lean.url}, `);
  });

  it('saves a snapshot, and a server starts from the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kubekata-etcdctl-'));
    cleanUp.push(() => rm(folder, { recursive: true, force: true }));
    for (const value of ['one', 'two', 'three']) await etcdctl(`put a ${value}`);
    await etcdctl('compact 3');
    const copy = join(folder, 'copy');
    await mkdir(copy);
    expect(await etcdctl(`snapshot save ${join(copy, 'snapshot-0000000000000000')}`)).toContain('Snapshot saved at');
    const context = { clock: systemClock, random: systemRandom, log: silentLogger };
    const second = await startEtcd({ dataDir: copy, listen: { host: '127.0.0.1', port: 0 }, ...context });
    cleanUp.push(() => second.stop());
    const there = etcdctlFor(second.url);
    expect(await there(['get', 'a', '--rev', '3'])).toBe('a\ntwo\n');
    expect(await there(['get', 'a'])).toBe('a\nthree\n');
    await expect(there(['get', 'a', '--rev', '2'])).rejects.toThrow('required revision has been compacted');
  });
});
