// kubectl port-forward and the proxy by way of API server, kubelet and Docker; and SPDY by hand where kubectl can't be made to show a thing.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import { readKubeconfig } from '#kit/kubeconfig';
import { TestCluster } from '#kit/testing/cluster';
import { kubectlPath } from '#kit/testing/kubectl';
import { withDeadline } from '#kit/testing/wait';
import { listening } from '#kubelet/docker-dial';
import { SpdyServer, type SpdyStream } from '#kubelet/spdy';
import { HeaderDecoder, HeaderEncoder } from '#kubelet/spdy-headers';

jest.setTimeout(60_000);

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image: 'kubekata/echo:v1', ports: [{ containerPort: 8080 }] }] },
};
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
};

/** What a client hears of a port where nobody listens; kubectl puts it into quotes. */
const refused =
  /error forwarding port 9 to pod default\/web: failed to connect to localhost:9 inside namespace \\?"\w+\\?": dial tcp 127.0.0.1:9: connect: connection refused/;

const quiet = { ...service, metadata: { name: 'quiet' }, spec: { ...service.spec, ports: [{ port: 80, targetPort: 9 }] } };

describe('port-forward', () => {
  let cluster: TestCluster;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.start(['--nodes', '1']);
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod, service, quiet] }));
    await cluster.kubectl('wait --for=condition=Ready pod/web --timeout=30s');
  });
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  afterAll(() => cluster?.stop());

  /** kubectl at work; resolves with the address that it listens on. */
  async function forward(what: string, webSockets = true): Promise<{ url: string; complaint: () => string }> {
    const child = spawn(kubectlPath(), ['--kubeconfig', cluster.kubeconfig, 'port-forward', ...what.split(' ')], {
      env: { ...process.env, KUBECTL_PORT_FORWARD_WEBSOCKETS: String(webSockets) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    let complaint = '';
    child.stderr?.on('data', (chunk) => (complaint += chunk));
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const address = new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        const [found] = /127\.0\.0\.1:\d+/.exec(line) ?? [];
        if (found) resolve(found);
      });
      child.on('exit', () => reject(new Error(`kubectl ended: ${complaint}`)));
    });
    const found = await withDeadline('kubectl to listen', address, { within: 15_000, story: () => complaint });
    return { url: `http://${found}`, complaint: () => complaint };
  }

  const get = async (url: string) => (await fetch(url, { headers: { connection: 'close' } })).text();

  it('brings a connection on this machine to a port of the pod, again and again', async () => {
    const { url } = await forward('pod/web :8080');
    for (const _ of [1, 2, 3]) expect(await get(url)).toBe('echo v1 from web\n');
    const many = await Promise.all(Array.from({ length: 8 }, () => get(url)));
    expect(new Set(many)).toEqual(new Set(['echo v1 from web\n']));
  });

  it('finds the pod of a Service, and the port behind its port', async () => {
    const { url } = await forward('service/web :80');
    expect(await get(url)).toBe('echo v1 from web\n');
  });

  it('goes without a WebSocket, too, as it did before 1.31', async () => {
    const { url } = await forward('pod/web :8080', false);
    const many = await Promise.all(Array.from({ length: 8 }, () => get(url)));
    expect(new Set(many)).toEqual(new Set(['echo v1 from web\n']));
  });

  it('goes in a WebSocket of channels, too, as client libraries do it', async () => {
    const { server, tls } = readKubeconfig(cluster.kubeconfig, 'test');
    const url = `${server.replace('https', 'wss')}/api/v1/namespaces/default/pods/web/portforward?ports=8080&ports=9`;
    const socket = new WebSocket(url, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], tls);
    try {
      const received: Buffer[] = [];
      socket.on('message', (data: Buffer) => {
        const channel = data[0] ?? 0;
        received[channel] = Buffer.concat([received[channel] ?? Buffer.alloc(0), data.subarray(1)]);
      });
      await withDeadline('the WebSocket to open', once(socket, 'open'));
      socket.send(Buffer.from('\0GET / HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n'));
      await withDeadline('the WebSocket to close', once(socket, 'close'));
      const [data, error, noData, complaint] = received;
      expect([data, error, noData, complaint].map((each) => each?.readUInt16LE())).toEqual([8080, 8080, 9, 9]);
      expect(String(data?.subarray(2))).toMatch(/^HTTP\/1.1 200 OK.*echo v1 from web\n/s);
      expect([error?.length, noData?.length]).toEqual([2, 2]);
      expect(String(complaint?.subarray(2))).toMatch(refused);
    } finally {
      socket.terminate();
    }
  });

  describe('the proxy', () => {
    const raw = (path: string) => cluster.kubectl(['get', '--raw', `/api/v1/${path}`]);
    const below = 'namespaces/default';

    it('reaches a pod and a service, by name, by port, and by the port’s number', async () => {
      for (const path of ['pods/web/proxy/', 'pods/web:8080/proxy/', 'pods/http:web:8080/proxy/?a=b']) {
        expect(await raw(`${below}/${path}`)).toBe('echo v1 from web\n');
      }
      for (const path of ['services/web/proxy/', 'services/web:80/proxy/', 'services/http:web:80/proxy/']) {
        expect(await raw(`${below}/${path}`)).toBe('echo v1 from web\n');
      }
    });

    it('reaches a node’s kubelet', async () => {
      const name = await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
      expect(await raw(`nodes/${name}/proxy/healthz`)).toBe('ok');
      expect(JSON.parse(await raw(`nodes/${name}/proxy/pods`))).toMatchObject({ kind: 'PodList' });
    });

    it('says what is missing', async () => {
      await expect(raw(`${below}/services/web:81/proxy/`)).rejects.toThrow('no service port 81 found for service "web"');
      const address = await cluster.kubectl(['get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}']);
      const why = `error trying to reach service: dial tcp ${address}:9: connect: connection refused`;
      for (const path of ['pods/web:9/proxy/', 'services/quiet/proxy/']) {
        await expect(raw(`${below}/${path}`)).rejects.toThrow(`Error from server (ServiceUnavailable): ${why}`);
      }
      await expect(raw(`${below}/pods/gone/proxy/`)).rejects.toThrow('pods "gone" not found');
    });
  });

  it('says so when nothing listens there', async () => {
    const { url, complaint } = await forward('pod/web :9');
    await expect(get(url)).rejects.toThrow();
    await cluster.eventually('kubectl has heard why', () => refused.test(complaint()));
  });

  it('reaches what listens at 127.0.0.1 only, and the proxy does not', async () => {
    const spec = {
      containers: [{ name: 'web', image: 'kubekata/echo:v1', command: ['httpd', '-f', '-p', '127.0.0.1:8080', '-h', '/www'] }],
    };
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ ...pod, metadata: { name: 'private' }, spec }));
    await cluster.kubectl('wait --for=condition=Ready pod/private --timeout=30s');
    const { url } = await forward('pod/private :8080');
    expect(await get(`${url}/none`)).toContain('404');
    await expect(cluster.kubectl('get --raw /api/v1/namespaces/default/pods/private:8080/proxy/')).rejects.toThrow('connection refused');
  });

  it('is refused for a pod that is on no node', async () => {
    const nowhere = { ...pod, metadata: { name: 'nowhere' }, spec: { ...pod.spec, nodeSelector: { no: 'node' } } };
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(nowhere));
    await expect(forward('pod/nowhere :8080')).rejects.toThrow('pod is not running');
  });
});

describe('a list of sockets', () => {
  const line = (local: string, state = '0A') =>
    `   0: ${local} ${local.replace(/[^:]/g, '0').replace(/:0+/, ':0000')} ${state} 00000000:00000000 00:00000000`;
  const anywhere6 = '0'.repeat(32);
  const mapped = '0000000000000000FFFF00000204F40A';

  it.each([
    ['says that somebody listens at every address', true, '00000000:1F90'],
    ['says that somebody listens at this one', true, '0204F40A:1F90'],
    ['says that somebody listens at every address, in both protocols', true, `${anywhere6}:1F90`],
    ['says that somebody listens at this one, in both protocols', true, `${mapped}:1F90`],
    ['does not: it is another address', false, '0100007F:1F90'],
    ['does not: it is another port', false, '00000000:1F91'],
    ['does not: it is a connection', false, '0204F40A:1F90', '01'],
  ])('%s', (_, expected, local, state = '0A') => {
    expect(new RegExp(listening('10.244.4.2', 8080)).test(line(local, state))).toBe(expected);
  });
});

describe('SPDY', () => {
  const controlFrame = (type: number, payload: Buffer, flags = 0) => {
    const head = Buffer.from([0x80, 3, 0, type, flags, 0, 0, 0]);
    head.writeUIntBE(payload.length, 5, 3);
    return Buffer.concat([head, payload]);
  };
  const dataFrame = (id: number, text: string, flags = 0) => {
    const head = Buffer.from([0, 0, 0, id, flags, 0, 0, 0]);
    head.writeUIntBE(Buffer.byteLength(text), 5, 3);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const synStream = async (encoder: HeaderEncoder, id: number, headers: [string, string][]) =>
    controlFrame(1, Buffer.concat([Buffer.from([0, 0, 0, id, 0, 0, 0, 0, 0, 0]), await encoder.encode(new Map(headers))]));

  /** A server, what it sent, and the streams that it opened. */
  function start() {
    const sent: Buffer[] = [];
    const streams: SpdyStream[] = [];
    const server = new SpdyServer({
      send: async (bytes) => {
        sent.push(bytes);
      },
      onStream: (stream) => streams.push(stream),
    });
    return { server, sent, streams, encoder: new HeaderEncoder() };
  }

  it('opens streams with their headers, however the bytes are cut', async () => {
    const { server, streams, encoder } = start();
    const bytes = Buffer.concat([
      await synStream(encoder, 1, [['streamtype', 'error']]),
      await synStream(encoder, 3, [['streamtype', 'data']]),
    ]);
    for (const byte of bytes) await server.receive(Buffer.of(byte));
    expect(streams.map(({ headers }) => headers.get('streamtype'))).toEqual(['error', 'data']);
    server.close();
    encoder.close();
  });

  it('carries data both ways, and ends each way by itself', async () => {
    const { server, sent, streams, encoder } = start();
    await server.receive(await synStream(encoder, 1, [['streamtype', 'data']]));
    const [stream] = streams as [SpdyStream];
    const heard: string[] = [];
    stream.on('data', (chunk) => heard.push(String(chunk)));
    await server.receive(dataFrame(1, 'hello'));
    await server.receive(dataFrame(1, '', 1));
    await once(stream, 'end');
    stream.end('bye');
    await once(stream, 'finish');
    expect(heard).toEqual(['hello']);
    expect(Buffer.concat(sent.slice(1))).toEqual(Buffer.concat([dataFrame(1, 'bye'), dataFrame(1, '', 1)]));
    server.close();
    encoder.close();
  });

  it('answers a ping with itself', async () => {
    const { server, sent, encoder } = start();
    const ping = controlFrame(6, Buffer.from([0, 0, 0, 7]));
    await server.receive(ping);
    expect(sent).toEqual([ping]);
    server.close();
    encoder.close();
  });

  it('gives the same headers back, block after block', async () => {
    const [encoder, decoder] = [new HeaderEncoder(), new HeaderDecoder()];
    for (const id of ['0', '1', '2']) {
      const headers = new Map([
        ['streamtype', 'data'],
        ['requestid', id],
      ]);
      expect(await decoder.decode(await encoder.encode(headers))).toEqual(headers);
    }
    encoder.close();
    decoder.close();
  });

  it('refuses headers that are none, and frames that are too long', async () => {
    const { server, encoder } = start();
    const rubbish = controlFrame(1, Buffer.concat([Buffer.alloc(10), Buffer.from('no zlib at all')]));
    await expect(server.receive(rubbish)).rejects.toThrow("SPDY headers can't be unpacked");
    const { server: other } = start();
    await expect(other.receive(Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff]))).rejects.toThrow('more than 1048576 are not taken');
    server.close();
    other.close();
    encoder.close();
  });
});
