import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import * as packets from 'dns-packet';
import { type EndpointSlice, EndpointSlices, type Service, Services } from '#kit/api';
import { FakeClock, seededRandom } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { withDeadline } from '#kit/testing/wait';
import { startDns } from '#kube-proxy/dns';

const loopback = { host: '127.0.0.1', port: 0 };
const domain = 'cluster.local';
const within = { within: 5_000 };

type Endpoints = Pick<EndpointSlice, 'endpoints' | 'ports'>;

function slice(service: string, { endpoints, ports }: Endpoints, name = `${service}-1`): EndpointSlice {
  const labels = { 'kubernetes.io/service-name': service };
  return { metadata: { name, namespace: 'default', labels }, addressType: 'IPv4', endpoints, ports: ports ?? [] };
}

function service(name: string, spec: NonNullable<Service['spec']>): Service {
  return { metadata: { name, namespace: 'default' }, spec };
}

/** A name server of the world outside: it knows `example.org`, and nothing else, or never answers at all. */
async function startUpstream({ silent = false } = {}): Promise<{ address: string; asked: number; stop(): void }> {
  const socket = createSocket('udp4');
  const server = { address: '', asked: 0, stop: () => socket.close() };
  socket.on('message', (message, { port, address }) => {
    server.asked++;
    if (silent) return;
    const { id, questions = [] } = packets.decode(message);
    const [question] = questions;
    const known = question?.name === 'example.org' && question.type === 'A';
    const answers: packets.Answer[] = known ? [{ name: 'example.org', type: 'A', ttl: 60, data: '192.0.2.1' }] : [];
    socket.send(packets.encode({ type: 'response', id, flags: known ? 0 : 3, questions, answers }), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  server.address = `127.0.0.1:${socket.address().port}`;
  return server;
}

describe('DNS', () => {
  let plane: TestControlPlane | undefined;
  let upstream: Awaited<ReturnType<typeof startUpstream>> | undefined;
  let server: RunningComponent | undefined;
  /** What one test started: ended after it, also when it failed. */
  const extra: { stop(): unknown }[] = [];

  const listen = async (upstreams: string[], context = cluster().context) => {
    return startDns({ client: cluster().client, clusterDomain: domain, listen: loopback, upstreams, ...context });
  };
  const cluster = (): TestControlPlane => {
    if (!plane) throw new Error('the control plane is not started');
    return plane;
  };
  const portOf = (dns = server) => Number(new URL(dns?.url ?? '').port);
  const resolver = () => {
    const resolver = new Resolver({ tries: 1, timeout: 4_000 });
    resolver.setServers([`127.0.0.1:${portOf()}`]);
    return resolver;
  };

  /** The answer to raw bytes, over UDP. */
  const send = async (message: Buffer, dns = server) => {
    const socket = createSocket('udp4');
    try {
      socket.send(message, portOf(dns), '127.0.0.1');
      const [answer] = await withDeadline('an answer over UDP', once(socket, 'message') as Promise<[Buffer]>, within);
      return { ...packets.decode(answer), code: answer.readUInt8(3) & 0xf };
    } finally {
      socket.close();
    }
  };
  const ask = (name: string, type: packets.RecordType, dns = server) =>
    send(packets.encode({ type: 'query', id: 7, flags: packets.RECURSION_DESIRED, questions: [{ name, type }] }), dns);

  beforeAll(async () => {
    plane = await startTestControlPlane();
    const { client } = plane;
    upstream = await startUpstream();
    server = await listen([upstream.address]);

    await client.create(Services, service('echo', { clusterIP: '10.96.0.80', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }));
    await client.create(Services, service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }));
    const endpoints = [
      { addresses: ['10.244.1.5'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.244.2.6'], conditions: { ready: true } },
      { addresses: ['10.244.2.7'], hostname: 'db-2', conditions: { ready: false } },
    ];
    await client.create(EndpointSlices, slice('db', { endpoints, ports: [{ name: 'sql', port: 5433, protocol: 'TCP' }] }));
    await client.create(Services, service('outside', { type: 'ExternalName', externalName: 'example.org' }));
    await client.create(Services, service('alias', { type: 'ExternalName', externalName: `echo.default.svc.${domain}` }));
    await client.create(Services, service('circle', { type: 'ExternalName', externalName: `circle.default.svc.${domain}` }));
    await client.create(Services, service('crowd', { clusterIP: 'None', ports: [{ port: 80 }] }));
    const crowd = Array.from({ length: 90 }, (_, index) => ({ addresses: [`10.244.9.${index + 1}`] }));
    await client.create(EndpointSlices, slice('crowd', { endpoints: crowd }));
    await plane.eventually('DNS has seen the last Service', async () => (await ask(`crowd.default.svc.${domain}`, 'A')).code === 0);
    await plane.eventually('DNS has seen the last EndpointSlice', async () => (await ask(`crowd.default.svc.${domain}`, 'A')).flag_tc);
  });

  afterEach(async () => {
    for (let started = extra.pop(); started; started = extra.pop()) await started.stop();
  });

  afterAll(async () => {
    await server?.stop();
    upstream?.stop();
    await plane?.stop();
  });

  describe("the cluster's names", () => {
    it('gives the cluster IP for the name of a Service, for a few seconds', async () => {
      expect(await resolver().resolve4(`echo.default.svc.${domain}`, { ttl: true })).toEqual([{ address: '10.96.0.80', ttl: 5 }]);
    });

    it('does not care about capital letters, and repeats the question as it was asked', async () => {
      const { questions, answers } = await ask('Echo.Default.SVC.Cluster.Local', 'A');
      expect(questions?.[0]?.name).toBe('Echo.Default.SVC.Cluster.Local');
      expect(answers).toMatchObject([{ name: 'Echo.Default.SVC.Cluster.Local', data: '10.96.0.80' }]);
    });

    it('gives the ready pods of a headless Service', async () => {
      expect((await resolver().resolve4(`db.default.svc.${domain}`)).sort()).toEqual(['10.244.1.5', '10.244.2.6']);
    });

    it.each([
      ['its hostname', 'db-0', '10.244.1.5'],
      ['its address with dashes', '10-244-2-6', '10.244.2.6'],
    ])('gives one pod of a headless Service by %s', async (_, label, address) => {
      expect(await resolver().resolve4(`${label}.db.default.svc.${domain}`)).toEqual([address]);
    });

    it('gives port and target of a named port', async () => {
      const [record, ...more] = await resolver().resolveSrv(`_http._tcp.echo.default.svc.${domain}`);
      expect(record).toMatchObject({ port: 80, name: `echo.default.svc.${domain}` });
      expect(more).toEqual([]);
    });

    it("gives the pods' own port for each pod of a headless Service, and their addresses with it", async () => {
      const { answers, additionals } = await ask(`_sql._tcp.db.default.svc.${domain}`, 'SRV');
      const target = (host: string) =>
        expect.objectContaining({ data: expect.objectContaining({ port: 5433, target: `${host}.db.default.svc.${domain}` }) });
      expect(answers).toHaveLength(2);
      expect(answers).toEqual(expect.arrayContaining([target('db-0'), target('10-244-2-6')]));
      expect(additionals?.map((record) => (record.type === 'A' ? record.data : record.type)).sort()).toEqual(['10.244.1.5', '10.244.2.6']);
    });

    it('gives the name for a cluster IP', async () => {
      expect(await resolver().reverse('10.96.0.80')).toEqual([`echo.default.svc.${domain}`]);
    });

    it('gives an ExternalName as an alias, with the addresses behind it', async () => {
      expect(await resolver().resolveCname(`outside.default.svc.${domain}`)).toEqual(['example.org']);
      expect(await resolver().resolve4(`outside.default.svc.${domain}`)).toEqual(['192.0.2.1']);
      expect(await resolver().resolve4(`alias.default.svc.${domain}`)).toEqual(['10.96.0.80']);
    });

    it('does not follow an alias in a circle', async () => {
      expect((await ask(`circle.default.svc.${domain}`, 'A')).code).toBe(2);
    });

    it('says NXDOMAIN to names that do not exist, and how long that holds', async () => {
      for (const name of [
        'nothing.default.svc',
        'db-2.db.default.svc',
        '_ftp._tcp.echo.default.svc',
        'x.echo.default.svc',
        'echo.nowhere.svc',
        'pod',
      ]) {
        const { code, answers, authorities, flag_aa } = await ask(`${name}.${domain}`, 'A');
        expect({ name, code, answers, flag_aa }).toEqual({ name, code: 3, answers: [], flag_aa: true });
        expect(authorities).toMatchObject([{ type: 'SOA', name: domain, data: { minimum: 5 } }]);
      }
    });

    it('says NOERROR without answers where a name exists but has no such record', async () => {
      for (const name of ['echo.default.svc', 'default.svc', 'svc', '_tcp.echo.default.svc']) {
        const { code, answers, authorities } = await ask(`${name}.${domain}`, 'AAAA');
        expect({ name, code, answers }).toEqual({ name, code: 0, answers: [] });
        expect(authorities).toMatchObject([{ type: 'SOA' }]);
      }
    });

    it('follows the cluster', async () => {
      const { client, eventually } = cluster();
      const name = `new.default.svc.${domain}`;
      await client.create(Services, service('new', { clusterIP: '10.96.0.81', ports: [{ port: 80 }] }));
      await eventually('the new Service has a name', async () => (await ask(name, 'A')).answers?.length === 1, within);
      await client.delete(Services, { name: 'new', namespace: 'default' });
      await eventually('the deleted Service has none', async () => (await ask(name, 'A')).code === 3, within);
    });

    it('cuts an answer that is too long for UDP, and gives all of it over TCP', async () => {
      const { flag_tc, answers } = await ask(`crowd.default.svc.${domain}`, 'A');
      expect({ flag_tc, answers }).toEqual({ flag_tc: true, answers: [] });
      expect(await resolver().resolve4(`crowd.default.svc.${domain}`)).toHaveLength(90);
    });
  });

  describe('other names', () => {
    it('asks the upstream servers', async () => {
      expect(await resolver().resolve4('example.org')).toEqual(['192.0.2.1']);
      expect((await ask('example.com', 'A')).code).toBe(3);
    });

    it('keeps names of the cluster, and those that merely end alike, apart', async () => {
      const before = upstream?.asked ?? 0;
      await ask(`nothing.default.svc.${domain}`, 'A');
      expect(upstream?.asked).toBe(before);
      await ask(`my${domain}`, 'A');
      expect(upstream?.asked).toBe(before + 1);
    });

    it('takes the answer of whoever gives one', async () => {
      const silent = await startUpstream({ silent: true });
      extra.push(silent);
      const dns = await listen(['127.0.0.1:1', silent.address, upstream?.address ?? '']);
      extra.push(dns);
      expect((await ask('example.org', 'A', dns)).answers).toMatchObject([{ data: '192.0.2.1' }]);
    });

    it('says SERVFAIL when it has nobody to ask', async () => {
      const dns = await listen([]);
      extra.push(dns);
      expect((await ask('example.org', 'A', dns)).code).toBe(2);
    });

    it('says SERVFAIL after two seconds when nobody answers', async () => {
      const silent = await startUpstream({ silent: true });
      extra.push(silent);
      const clock = new FakeClock();
      const dns = await listen([silent.address], { ...cluster().context, clock, random: seededRandom(1) });
      extra.push(dns);
      let code: number | undefined;
      const answered = ask('example.org', 'A', dns).then((answer) => (code = answer.code));
      await cluster().eventually('the upstream server was asked', () => silent.asked > 0, within);
      await clock.advance(1_900);
      expect(code).toBeUndefined();
      await clock.advance(100);
      expect(await answered).toBe(2);
    });
  });

  describe('broken messages', () => {
    const question = () => packets.encode({ type: 'query', id: 9, questions: [{ name: `echo.default.svc.${domain}`, type: 'A' }] });

    it('says FORMERR to a query that ends too soon, and to one that asks nothing', async () => {
      expect(await send(question().subarray(0, 20))).toMatchObject({ id: 9, code: 1 });
      expect(await send(packets.encode({ type: 'query', id: 9 }))).toMatchObject({ id: 9, code: 1 });
    });

    it('says FORMERR to a name that points at itself', async () => {
      const message = Buffer.concat([question().subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
      expect((await send(message)).code).toBe(1);
    });

    it('says NOTIMP to what is not a question', async () => {
      const update = question();
      update.writeUInt16BE(5 << 11, 2);
      expect((await send(update)).code).toBe(4);
    });

    it('survives noise, and does not answer answers', async () => {
      const socket = createSocket('udp4');
      extra.push({ stop: () => socket.close() });
      const answers: Buffer[] = [];
      socket.on('message', (message) => answers.push(message));
      const random = seededRandom(4);
      const noise = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      for (let round = 0; round < 200; round++) {
        const bytes = noise(Math.floor(random() * 60));
        if (bytes.length > 2) bytes.writeUInt8(bytes.readUInt8(2) | 0x80, 2);
        socket.send(bytes, portOf(), '127.0.0.1');
      }
      expect((await send(question())).answers).toHaveLength(1);
      expect(answers).toEqual([]);
    });

    it('goes on after questions that are nothing but noise', async () => {
      const socket = createSocket('udp4');
      extra.push({ stop: () => socket.close() });
      const random = seededRandom(5);
      for (let round = 0; round < 200; round++) {
        const bytes = Buffer.from(Array.from({ length: 12 + Math.floor(random() * 60) }, () => Math.floor(random() * 256)));
        bytes.writeUInt16BE(0x0100, 2);
        bytes.writeUInt16BE(1, 4);
        socket.send(bytes, portOf(), '127.0.0.1');
      }
      expect((await send(question())).answers).toHaveLength(1);
    });

    it('answers a good query on a TCP connection that begins in pieces', async () => {
      const socket = connect(portOf(), '127.0.0.1');
      const message = packets.streamEncode({ type: 'query', id: 3, questions: [{ name: `echo.default.svc.${domain}`, type: 'A' }] });
      socket.write(message.subarray(0, 1));
      await once(socket, 'connect');
      socket.write(message.subarray(1));
      const [answer] = await withDeadline('an answer over TCP', once(socket, 'data') as Promise<[Buffer]>, within);
      expect(packets.streamDecode(answer).answers).toMatchObject([{ data: '10.96.0.80' }]);
      socket.destroy();
    });
  });

  it('listens on one port for UDP and TCP, and stops twice', async () => {
    const dns = await listen([]);
    const socket = connect(portOf(dns), '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await dns.stop();
    await dns.stop();
    await withDeadline('the connection is closed', closed, within);
  });
});
