import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { kubeletAddress } from '#api-server/kubelet-address';
import { chooseContainer } from '#api-server/pod-container';
import { candidates, endpointPortName, podLocation } from '#api-server/proxy/locations';
import { parseProxyName } from '#api-server/proxy/proxy-name';
import { requestHeaders, responseHeaders, rewriteLocation } from '#api-server/relay-headers';
import { ClusterRoles, Endpoints, Nodes, Pods, RoleBindings, Services } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError } from '#kit/status';
import { node, pod } from '#kit/testing/builders';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { eventually, withDeadline } from '#kit/testing/wait';
import { readText } from '#kit/transport';
import { agree, FakeNode, mirror, RawClient, type Talk, type Wanted } from './fake-node.ts';

const namespace = 'default';
const inNamespace = `/api/v1/namespaces/${namespace}`;

describe('API server', () =>
  describe('2.12 reaching into pods', () => {
    let started: { plane: TestControlPlane; fake: FakeNode; client: RawClient } | undefined;
    beforeAll(async () => {
      const plane = await startTestControlPlane({ apiServer: { podConnections: 'kubelets' } });
      const client = new RawClient(plane);
      const fake = await FakeNode.start(plane, 'node-1');
      started = { plane, fake, client };
      await plane.client.create(Pods, pod('web').boundTo('node-1'));
      await plane.client.create(Pods, pod('pair').withContainer({ name: 'helper' }).boundTo('node-1'));
      await plane.client.create(Pods, pod('nowhere'));
      await plane.client.create(Nodes, { ...node('mute'), status: { ...node('mute').status, addresses: [] } });
      await plane.client.create(Pods, pod('on-mute').boundTo('mute'));
      await plane.client.create(Pods, pod('on-gone').boundTo('gone'));
      const addresses = [{ type: 'InternalIP', address: '127.0.0.1' }];
      const deaf = { ...node('deaf').status, addresses, daemonEndpoints: { kubeletEndpoint: { Port: 1 } } };
      await plane.client.create(Nodes, { ...node('deaf'), status: deaf });
      await plane.client.create(Pods, pod('on-deaf').boundTo('deaf'));
    });
    beforeEach(() => NotImplemented.forget());
    afterEach(() => started?.fake.forget());
    afterAll(async () => {
      started?.client.close();
      await started?.fake.stop();
      await started?.plane.stop();
    });
    const here = () => {
      if (!started) throw new Error('the control plane did not start');
      return started;
    };
    const ask = (path: string, wanted?: Wanted) => here().client.ask(path, wanted);
    const statusOf = async (path: string, wanted?: Wanted) => JSON.parse((await ask(path, wanted)).text);

    describe('which container', () => {
      const many = pod('web')
        .withInitContainer({ name: 'init' })
        .withContainer({ name: 'sidecar' })
        .specified({ ephemeralContainers: [{ name: 'debugger' }] });
      const refusal = (choose: () => string) => {
        try {
          return `chose ${choose()}`;
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          return `${error.code} ${error.message}`;
        }
      };

      it('is the one that is named, of whatever sort it is', () => {
        for (const name of ['init', 'echo', 'sidecar', 'debugger']) expect(chooseContainer(many, name)).toBe(name);
      });

      it('is the only one, when none is named; init and ephemeral containers do not count', () => {
        const one = pod('web')
          .withInitContainer({ name: 'init' })
          .specified({ ephemeralContainers: [{ name: 'debugger' }] });
        expect(chooseContainer(one, undefined)).toBe('echo');
      });

      it('must be named when there are several, and the refusal says which', () => {
        const said = 'a container name must be specified for pod web, choose one of: [init echo sidecar debugger]';
        expect(refusal(() => chooseContainer(many, undefined))).toBe(`400 ${said}`);
      });

      it('must be one of the pod', () => {
        expect(refusal(() => chooseContainer(many, 'other'))).toBe('400 container other is not valid for pod web');
      });
    });

    describe('the kubelet of a node', () => {
      const at = (addresses: { type: string; address: string }[], port?: number) => ({
        status: { addresses, ...(port ? { daemonEndpoints: { kubeletEndpoint: { Port: port } } } : {}) },
      });
      const both = [
        { type: 'ExternalIP', address: '203.0.113.7' },
        { type: 'InternalIP', address: '10.0.0.7' },
        { type: 'InternalIP', address: '10.0.0.8' },
      ];

      it('is at the address of the type that is preferred, wherever it stands in the list', () => {
        expect(kubeletAddress(at(both, 4444), ['Hostname', 'InternalIP', 'ExternalIP'])).toEqual({ host: '10.0.0.7', port: 4444 });
        expect(kubeletAddress(at(both, 4444), ['ExternalIP', 'InternalIP'])).toEqual({ host: '203.0.113.7', port: 4444 });
      });

      it('has port 10250 unless it says otherwise', () => {
        expect(kubeletAddress(at(both), ['InternalIP'])).toEqual({ host: '10.0.0.7', port: 10250 });
      });

      it('cannot be found when no address is of such a type', () => {
        expect(() => kubeletAddress(at([]), ['InternalIP'])).toThrow('no preferred addresses found; known addresses: []');
      });
    });

    describe('logs', () => {
      const log = `${inNamespace}/pods/web/log`;

      it('are what the kubelet of the pod says, who sees the certificate of the API server', async () => {
        here().fake.answer = (_, response) => response.end('one\ntwo\n');
        const { code, headers, text } = await ask(log);
        expect({ code, type: headers['content-type'], text }).toEqual({ code: 200, type: 'text/plain', text: 'one\ntwo\n' });
        expect(await here().fake.lastAsked()).toMatchObject({
          method: 'GET',
          path: '/containerLogs/default/web/echo',
          client: 'kube-apiserver',
        });
      });

      it('are those of the container that is named', async () => {
        await ask(`${inNamespace}/pods/pair/log?container=helper`);
        expect((await here().fake.lastAsked()).path).toBe('/containerLogs/default/pair/helper');
      });

      it('come as they are asked for', async () => {
        const wanted = { follow: 'true', previous: 'true', timestamps: 'true', tailLines: '5', limitBytes: '100', sinceSeconds: '60' };
        await ask(`${log}?${new URLSearchParams({ ...wanted, pretty: 'true' })}`);
        expect(Object.fromEntries((await here().fake.lastAsked()).query)).toEqual(wanted);
      });

      it('come line by line, and not when the container has ended', async () => {
        const lines = kubeletWrites();
        const answer = await here().client.open(`${log}?follow=true`);
        const heard = listen(answer);
        const response = await lines;
        for (const line of ['first', 'second']) {
          response.write(`${line}\n`);
          await eventually(`the ${line} line is here`, () => heard().endsWith(`${line}\n`));
        }
        response.end();
        await once(answer, 'end');
      });

      it('have a head before their first line', async () => {
        const lines = kubeletWrites();
        const answer = await here().client.open(`${log}?follow=true`);
        expect(answer.statusCode).toBe(200);
        (await lines).end();
      });

      it('wait in the kubelet while nobody reads them', async () => {
        const much = 200;
        let sent = 0;
        here().fake.answer = (_, response) => {
          const chunk = Buffer.alloc(1024 * 1024, 'x');
          response.on('error', () => {});
          const write = () => {
            while (sent < much && !response.destroyed) {
              sent++;
              if (!response.write(chunk)) return;
            }
          };
          response.on('drain', write);
          write();
        };
        const answer = await here().client.open(`${log}?follow=true`);
        await standsStill('the kubelet waits', () => sent);
        expect(sent).toBeLessThan(much / 2);
        answer.destroy();
      });

      it('are no longer asked for when the reader has gone', async () => {
        const lines = kubeletWrites();
        const answer = await here().client.open(`${log}?follow=true`);
        const over = once(await lines, 'close');
        answer.destroy();
        await over;
      });

      it('are no longer asked for when the reader goes before the kubelet has said a word', async () => {
        const asked = Promise.withResolvers<ServerResponse>();
        here().fake.answer = (_, response) => asked.resolve(response);
        await goneWhile(`${log}?follow=true`, asked.promise);
      });

      it('are nothing yet while the pod is on no node', async () => {
        expect(await ask(`${inNamespace}/pods/nowhere/log`)).toMatchObject({ code: 204, text: '' });
      });

      it.each([
        ['a pod that is not there', 'gone/log', 404, 'pods "gone" not found'],
        ['a container that is not there', 'web/log?container=other', 400, 'container other is not valid for pod web'],
        ['no container of several', 'pair/log', 400, 'a container name must be specified for pod pair, choose one of: [echo helper]'],
        ['a number of lines below 0', 'web/log?tailLines=-1', 422, 'tailLines: Invalid value: -1: must be greater than or equal to 0'],
        ['no bytes at all', 'web/log?limitBytes=0', 422, 'limitBytes: Invalid value: 0: must be greater than 0'],
        ['a node that is gone', 'on-gone/log', 404, '"gone" not found'],
        ['a node that has not said where its kubelet is', 'on-mute/log', 500, 'no preferred addresses found; known addresses: []'],
        ['a kubelet that does not answer', 'on-deaf/log', 500, 'Get "https://127.0.0.1:1/containerLogs/default/on-deaf/echo": dial tcp'],
      ])('are refused for %s', async (_, path, code, message) => {
        const status = await statusOf(`${inNamespace}/pods/${path}`);
        expect(status).toMatchObject({ kind: 'Status', code });
        expect(status.message).toContain(message);
      });

      it('are refused in the kubelet’s own words', async () => {
        const message = 'container "echo" in pod "web" is waiting to start: ContainerCreating';
        here().fake.answer = (_, response) => response.writeHead(400).end(message);
        expect(await statusOf(log)).toMatchObject({ code: 400, reason: 'BadRequest', message });
      });
    });

    describe('exec, attach and port-forward', () => {
      const webSocket = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol': 'v4.channel.k8s.io',
      };
      /** What a server adds to prove that it has read that key (RFC 6455, section 1.3). */
      const accepted = createHash('sha1').update('dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
      const spdy = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' };
      const exec = `${inNamespace}/pods/web/exec`;
      const agreesTo = (upgrade: string) => ({ connection: 'Upgrade', upgrade });

      /** Both ends of a connection through the API server. */
      async function talk(path = `${exec}?command=cat&stdin=true`): Promise<{ client: Talk; kubelet: Talk }> {
        const far = Promise.withResolvers<Talk>();
        here().fake.upgrade = (socket, message, head) => {
          agree(socket, agreesTo('SPDY/3.1'));
          far.resolve(here().client.talk(socket, head, message));
        };
        const client = await here().client.connect(path, { method: 'POST', headers: spdy });
        return { client, kubelet: await far.promise };
      }

      it('ask the kubelet in its own words', async () => {
        const command = ['sh', '-c', 'echo "a&b" ü'].map((word) => `command=${encodeURIComponent(word)}`).join('&');
        await ask(`${exec}?${command}&stdin=true&stdout=true&stderr=false&tty=true&container=echo`, {
          method: 'POST',
          headers: spdy,
        }).catch(() => {});
        const { path, query, client } = await here().fake.lastAsked();
        expect({ path, client }).toEqual({ path: '/exec/default/web/echo', client: 'kube-apiserver' });
        expect(query.getAll('command')).toEqual(['sh', '-c', 'echo "a&b" ü']);
        expect([query.get('input'), query.get('output'), query.get('error'), query.get('tty')]).toEqual(['1', '1', null, '1']);
      });

      it('attach to a container, and forward to the pod', async () => {
        await ask(`${inNamespace}/pods/web/attach?stdout=1&command=ls`, { method: 'POST', headers: spdy }).catch(() => {});
        const attached = await here().fake.lastAsked();
        expect(attached).toMatchObject({ path: '/attach/default/web/echo' });
        expect([attached.query.get('output'), attached.query.getAll('command')]).toEqual(['1', []]);
        await ask(`${inNamespace}/pods/web/portforward`, { method: 'POST', headers: spdy }).catch(() => {});
        expect(await here().fake.lastAsked()).toMatchObject({ path: '/portForward/default/web' });
      });

      it('are SPDY that the kubelet answers: the client sees its head as it came', async () => {
        here().fake.upgrade = (socket) => agree(socket, { ...agreesTo('SPDY/3.1'), 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' });
        const { answer } = await here().client.connect(`${exec}?command=ls&stdout=true`, { method: 'POST', headers: spdy });
        expect(answer.headers).toMatchObject({ upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' });
        expect((await here().fake.lastAsked()).headers).toMatchObject({
          upgrade: 'SPDY/3.1',
          'x-stream-protocol-version': 'v4.channel.k8s.io',
        });
      });

      it('are a WebSocket that the kubelet answers', async () => {
        here().fake.upgrade = (socket) => {
          const own = { 'Sec-WebSocket-Accept': accepted, 'Sec-WebSocket-Protocol': 'v4.channel.k8s.io' };
          agree(socket, { ...agreesTo('websocket'), ...own });
        };
        const { answer } = await here().client.connect(`${exec}?command=ls&stdout=true`, { headers: webSocket });
        expect(answer.headers).toMatchObject({ 'sec-websocket-accept': accepted, 'sec-websocket-protocol': 'v4.channel.k8s.io' });
        expect((await here().fake.lastAsked()).headers).toMatchObject({ 'sec-websocket-protocol': 'v4.channel.k8s.io' });
      });

      it('carry bytes both ways', async () => {
        const { client, kubelet } = await talk();
        client.say('to the pod');
        await kubelet.hears('to the pod');
        kubelet.say('from the pod');
        await client.hears('from the pod');
      });

      it('lose nothing that comes together with the handshake', async () => {
        here().fake.upgrade = (socket) => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nfirst words');
        };
        const client = await here().client.connect(`${exec}?command=ls&stdout=true`, { method: 'POST', headers: spdy });
        await client.hears('first words');
      });

      it('end for the client when the kubelet hangs up, and not before all has arrived', async () => {
        const { client, kubelet } = await talk();
        const much = 'x'.repeat(3_000_000);
        kubelet.socket.end(`${much}the end`);
        await client.hears('the end');
        expect(client.heard.length).toBe(much.length + 'the end'.length);
        await client.ends();
      });

      it('end for the kubelet when the client hangs up', async () => {
        const { client, kubelet } = await talk();
        client.socket.destroy();
        await kubelet.ends();
      });

      it('make the kubelet wait while the client does not read', async () => {
        const { client, kubelet } = await talk();
        client.socket.pause();
        const much = 200;
        let sent = 0;
        const chunk = Buffer.alloc(1024 * 1024, 'x');
        const write = () => {
          while (sent < much && !kubelet.socket.destroyed) {
            sent++;
            if (!kubelet.socket.write(chunk)) return;
          }
        };
        kubelet.socket.on('drain', write);
        write();
        await standsStill('the kubelet waits', () => sent);
        expect(sent).toBeLessThan(much / 2);
        client.socket.destroy();
      });

      it('bring the kubelet’s refusal to the client', async () => {
        here().fake.upgrade = (socket) => {
          socket.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 26\r\n\r\ncontainer not found ("no")');
        };
        const { code, text } = await ask(`${exec}?command=ls&stdout=true`, { method: 'POST', headers: spdy });
        expect({ code, text }).toEqual({ code: 500, text: 'container not found ("no")' });
      });

      it.each([
        ['a pod that is on no node', 'nowhere/exec?command=ls&stdout=true', 400, 'pod nowhere does not have a host assigned'],
        ['a pod that is not there', 'gone/attach?stdout=true', 404, 'pods "gone" not found'],
        ['a container that is not there', 'web/exec?container=other&command=ls', 400, 'container other is not valid for pod web'],
        ['a kubelet that does not answer', 'on-deaf/portforward', 500, 'error dialing backend: dial tcp'],
      ])('are refused for %s', async (_, path, code, message) => {
        const status = await statusOf(`${inNamespace}/pods/${path}`, { method: 'POST', headers: spdy });
        expect(status).toMatchObject({ kind: 'Status', code });
        expect(status.message).toContain(message);
      });

      it('are refused to who asks for no upgrade', async () => {
        const status = await statusOf(`${exec}?command=ls&stdout=true`, { method: 'POST' });
        expect(status).toMatchObject({ code: 400, message: expect.stringContaining('Upgrade request required') });
      });
    });

    describe('the name in a proxy’s path', () => {
      it.each([
        ['web', 'http', 'web', ''],
        ['web:8080', 'http', 'web', '8080'],
        ['web:metrics', 'http', 'web', 'metrics'],
        ['http:web:8080', 'http', 'web', '8080'],
        [':web:8080', 'http', 'web', '8080'],
        ['https:web:8443', 'https', 'web', '8443'],
        ['https:web:', 'https', 'web', ''],
      ])('%s', (text, scheme, name, port) => expect(parseProxyName(text)).toEqual({ scheme, name, port }));

      it.each(['', ':80', 'https::80', 'ftp:web:80', 'http:web:80:1'])('"%s" is none', (text) =>
        expect(parseProxyName(text)).toBeUndefined(),
      );
    });

    describe('where it serves', () => {
      const of = (text: string) => parseProxyName(text) ?? { scheme: 'http' as const, name: '', port: '' };
      const running = () => pod('web').boundTo('node-1').at('10.244.1.7');
      const ports = (...numbers: number[]) => ({ name: 'more', ports: numbers.map((containerPort) => ({ containerPort })) });

      it('a pod: at its address, and the port that is asked for', () => {
        expect(podLocation(running(), of('https:web:8443'))).toEqual({
          scheme: 'https',
          host: '10.244.1.7',
          port: 8443,
          nodeName: 'node-1',
        });
      });

      it('a pod: at the first port that a container names, when none is asked for', () => {
        expect(podLocation(running().withContainer(ports(9000, 9001)), of('web'))).toMatchObject({ port: 9000 });
        expect(podLocation(running(), of('web'))).toMatchObject({ port: 80 });
      });

      const own = ['127.0.0.1', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '0.0.0.0', '::'];
      const neighbours = ['169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', 'febf::1', '224.0.0.1', 'ff02::1'];
      it.each([undefined, ...own, ...neighbours])('a pod with the address %s: nowhere', (ip) => {
        const somewhere = ip ? running().at(ip) : pod('web');
        expect(() => podLocation(somewhere, of('web:80'))).toThrow('address not allowed');
      });

      const service = {
        metadata: { name: 'web' },
        spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }, { port: 9090 }] },
      };

      it('a service: its endpoints know its ports by name', () => {
        expect(endpointPortName(service, '80')).toBe('http');
        expect(endpointPortName(service, '9090')).toBe('');
        expect(endpointPortName(service, 'http')).toBe('http');
        expect(endpointPortName(service, '')).toBe('');
      });

      it('a service: not at a port that only its pods have', () => {
        expect(() => endpointPortName(service, '8080')).toThrow('no service port 8080 found for service "web"');
      });

      it('a service: at those of its endpoints that are ready pods, and have the port', () => {
        const at = (ip: string, name: string, kind = 'Pod') => ({ ip, nodeName: 'node-1', targetRef: { kind, name, namespace } });
        const subsets = [
          {
            addresses: [at('10.244.1.7', 'a'), { ip: '192.0.2.1' }, at('192.0.2.2', 'x', 'Node')],
            notReadyAddresses: [at('10.244.1.8', 'b')],
            ports: [{ port: 9090 }, { name: 'http', port: 8080 }],
          },
          { addresses: [at('10.244.1.9', 'c')], ports: [{ name: 'http', port: 8081 }] },
        ];
        expect(candidates({ subsets }, 'http')).toEqual([
          { ip: '10.244.1.7', port: 8080, nodeName: 'node-1', podName: 'a' },
          { ip: '10.244.1.9', port: 8081, nodeName: 'node-1', podName: 'c' },
        ]);
        expect(candidates({ subsets }, '')).toEqual([{ ip: '10.244.1.7', port: 9090, nodeName: 'node-1', podName: 'a' }]);
        expect(candidates({}, 'http')).toEqual([]);
      });
    });

    describe('the headers', () => {
      const proxied = { path: `${inNamespace}/pods/web/proxy/a`, prefix: `${inNamespace}/pods/web/proxy`, host: '10.244.1.7:8080' };
      const message = (headers: Record<string, string>) =>
        ({ headers, socket: { remoteAddress: '192.0.2.9' } }) as unknown as IncomingMessage;

      it('that are for the next hop only stay here', () => {
        const forOneHop = {
          connection: 'keep-alive, x-private',
          'keep-alive': 'timeout=5',
          te: 'trailers',
          'transfer-encoding': 'chunked',
        };
        const passed = { accept: 'text/html', cookie: 'a=b', 'content-length': '7' };
        expect(requestHeaders(message({ ...passed, ...forOneHop, 'x-private': '1', upgrade: 'h2c' }), false, undefined)).toEqual(passed);
        expect(responseHeaders({ ...passed, ...forOneHop, 'x-private': '1' }, undefined)).toEqual(passed);
      });

      it('that ask for an upgrade are passed on with one', () => {
        const headers = { connection: 'keep-alive, Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
        const passed = requestHeaders(message(headers), true, undefined);
        expect(passed).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' });
        expect(String(passed.connection)).toMatch(/^upgrade$/i);
      });

      it('that prove who somebody is are told nobody', () => {
        const secret = { authorization: 'Bearer secret', 'impersonate-user': 'jane', 'impersonate-group': 'developers' };
        expect(requestHeaders(message({ ...secret, accept: '*/*' }), false, undefined)).toEqual({ accept: '*/*' });
      });

      it('tell whatever is behind a proxy what the client asked for, and from where', () => {
        expect(requestHeaders(message({}), false, proxied)).toEqual({ 'x-forwarded-uri': proxied.path, 'x-forwarded-for': '192.0.2.9' });
        expect(requestHeaders(message({ 'x-forwarded-for': '192.0.2.1' }), false, proxied)['x-forwarded-for']).toBe('192.0.2.1, 192.0.2.9');
      });

      it('of a pod do not open the API server to other web sites', () => {
        expect(responseHeaders({ 'access-control-allow-origin': '*', etag: 'x' }, proxied)).toEqual({ etag: 'x' });
      });

      it.each([
        ['/login?next=1', `${proxied.prefix}/login?next=1`],
        ['/login?next=//10.244.1.7:8080/x', `${proxied.prefix}/login?next=//10.244.1.7:8080/x`],
        ['http://10.244.1.7:8080/login?next=1#top', `${proxied.prefix}/login?next=1#top`],
        ['https://10.244.1.7:8080', `${proxied.prefix}/`],
        ['login', 'login'],
        ['../login', '../login'],
        ['http://example.com/login', 'http://example.com/login'],
        ['//example.com/login', '//example.com/login'],
        [`${proxied.prefix}/login`, `${proxied.prefix}/login`],
      ])('a redirect to %s leads to %s', (location, expected) => {
        expect(rewriteLocation(location, proxied)).toBe(expected);
        expect(responseHeaders({ location }, proxied)).toEqual({ location: expected });
      });
    });

    describe('the proxy', () => {
      beforeAll(async () => {
        const { plane, fake } = here();
        const { object, ip, port } = await fake.runPod('served', mirror, {
          upgrade: (socket) => {
            agree(socket, { connection: 'Upgrade', upgrade: 'websocket' });
            socket.on('data', (chunk) => socket.write(`echo ${chunk}`));
          },
        });
        const targetRef = { kind: 'Pod', name: 'served', namespace, uid: object.metadata?.uid ?? '' };
        const ports = [{ name: 'http', port: 80, targetPort: port }];
        await plane.client.create(Services, { metadata: { name: 'served', namespace }, spec: { ports } });
        await plane.client.create(Endpoints, {
          metadata: { name: 'served', namespace },
          subsets: [{ addresses: [{ ip, nodeName: 'node-1', targetRef }], ports: [{ name: 'http', port }] }],
        });
        await plane.client.create(Services, { metadata: { name: 'empty', namespace }, spec: { ports: [{ port: 80 }] } });
        await plane.client.create(Endpoints, { metadata: { name: 'empty', namespace } });
        // Somebody who may write Endpoints would like to see what the API server can reach.
        await plane.client.create(Services, { metadata: { name: 'lie', namespace }, spec: { ports: [{ port: 80 }] } });
        await plane.client.create(Endpoints, {
          metadata: { name: 'lie', namespace },
          subsets: [{ addresses: [{ ip, targetRef: { ...targetRef, name: 'web' } }, { ip }], ports: [{ port }] }],
        });
      });

      it.each(['pods/served', 'services/served:80', 'services/served:http', 'services/http:served:80'])(
        'reaches what serves in %s',
        async (object) => {
          const wanted = { method: 'POST', headers: { 'content-type': 'text/plain', 'x-mine': '1' }, body: 'hello' };
          const { code, text } = await ask(`${inNamespace}/${object}/proxy/a%20b/c?d=e&f`, wanted);
          expect(code).toBe(200);
          expect(JSON.parse(text)).toMatchObject({
            method: 'POST',
            url: '/a%20b/c?d=e&f',
            body: 'hello',
            headers: { 'x-mine': '1', 'content-type': 'text/plain' },
          });
        },
      );

      it('reaches a port of the pod that is named, and one that speaks TLS', async () => {
        const secure = await here().fake.runPod('secure', mirror, { tls: [] });
        const { text } = await ask(`${inNamespace}/pods/https:secure:${secure.port}/proxy/x`);
        expect(JSON.parse(text)).toMatchObject({ url: '/x' });
      });

      it('keeps the user’s token to itself', async () => {
        const { text } = await ask(`${inNamespace}/pods/served/proxy/`, { headers: { authorization: 'Bearer secret' } });
        expect(text).not.toContain('secret');
      });

      it('passes the answer on as it is: code, headers and body', async () => {
        const { object } = await here().fake.runPod('teapot', (_, response) => {
          response.writeHead(418, { 'x-pot': 'short', 'set-cookie': ['a=1', 'b=2'], location: '/kettle' }).end('stout');
        });
        const { code, headers, text } = await ask(`${inNamespace}/pods/${object.metadata?.name}/proxy/`);
        expect({ code, text }).toEqual({ code: 418, text: 'stout' });
        expect(headers).toMatchObject({ 'x-pot': 'short', 'set-cookie': ['a=1', 'b=2'] });
        expect(headers.location).toBe(`${inNamespace}/pods/teapot/proxy/kettle`);
      });

      it('passes the head on before there is a body', async () => {
        const { object } = await here().fake.runPod('slow', (_, response) => response.writeHead(200, { 'x-pot': 'hot' }).flushHeaders());
        const answer = await here().client.open(`${inNamespace}/pods/${object.metadata?.name}/proxy/`);
        expect(answer.headers).toMatchObject({ 'x-pot': 'hot' });
        answer.destroy();
      });

      it('asks no longer when the client goes before there is an answer', async () => {
        const asked = Promise.withResolvers<ServerResponse>();
        const { object } = await here().fake.runPod('silent', (_, response) => asked.resolve(response));
        await goneWhile(`${inNamespace}/pods/${object.metadata?.name}/proxy/`, asked.promise);
      });

      it('leads to a path that ends with a slash, so that relative links work', async () => {
        const { code, headers } = await ask(`${inNamespace}/services/served:80/proxy?a=b`);
        expect({ code, location: headers.location }).toEqual({ code: 301, location: `${inNamespace}/services/served:80/proxy/?a=b` });
      });

      it('lets WebSockets pass', async () => {
        const headers = {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        };
        const talk = await here().client.connect(`${inNamespace}/services/served:80/proxy/chat`, { headers });
        talk.say('hello');
        await talk.hears('echo hello');
      });

      it('goes to a node’s kubelet', async () => {
        here().fake.answer = (_, response) => response.end('ok');
        const { code, text } = await ask('/api/v1/nodes/node-1/proxy/healthz?verbose');
        expect({ code, text }).toEqual({ code: 200, text: 'ok' });
        expect(await here().fake.lastAsked()).toMatchObject({ path: '/healthz', client: 'kube-apiserver' });
      });

      it.each([
        ['a service that is not there', `${inNamespace}/services/gone:80/proxy/`, 404, 'services "gone" not found'],
        ['a service without endpoints', `${inNamespace}/services/empty:80/proxy/`, 503, 'no endpoints available for service'],
        [
          'a port that the service has not',
          `${inNamespace}/services/served:81/proxy/`,
          503,
          'no service port 81 found for service "served"',
        ],
        ['endpoints that are no pods', `${inNamespace}/services/lie:80/proxy/`, 503, 'no endpoints available for service'],
        ['a pod without an address', `${inNamespace}/pods/nowhere:80/proxy/`, 400, 'address not allowed'],
        ['a name that is none', `${inNamespace}/services/ftp:served:80/proxy/`, 400, 'invalid service request "ftp:served:80"'],
        ['a node that is not there', '/api/v1/nodes/gone/proxy/healthz', 404, 'nodes "gone" not found'],
      ])('refuses %s', async (_, path, code, message) => {
        const status = await statusOf(path);
        expect(status).toMatchObject({ kind: 'Status', code });
        expect(status.message).toContain(message);
      });

      it('says so when nothing serves there', async () => {
        const status = await statusOf(`${inNamespace}/pods/served:1/proxy/`);
        expect(status).toMatchObject({ code: 503, reason: 'ServiceUnavailable' });
        expect(status.message).toContain('error trying to reach service');
      });

      describe('to a webhook behind a service', () => {
        const reviewed: string[] = [];
        const webhooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
        const write = (path: string, body: object) =>
          ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
        const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }];
        const configure = (name: string, service: object, more: object = {}) => {
          const clientConfig = {
            service: { namespace, port: 8443, ...service },
            caBundle: Buffer.from(here().plane.ca).toString('base64'),
          };
          const objectSelector = { matchLabels: { judge: name } };
          const webhook = {
            name: 'judge.example.com',
            clientConfig,
            rules,
            objectSelector,
            sideEffects: 'None',
            timeoutSeconds: 2,
            ...more,
          };
          return write(webhooks, { metadata: { name }, webhooks: [{ admissionReviewVersions: ['v1'], ...webhook }] });
        };
        /** Why the ConfigMap is refused, as soon as the webhook is known. */
        const refusalBy = (judge: string) =>
          eventually(`a ConfigMap is refused by ${judge}`, async () => {
            const { code, text } = await write(`${inNamespace}/configmaps`, { metadata: { generateName: 'judged-', labels: { judge } } });
            return code >= 400 && (JSON.parse(text).message as string);
          });

        beforeAll(async () => {
          const { plane, fake } = here();
          const judge = async (message: IncomingMessage, response: ServerResponse) => {
            const { request } = JSON.parse(await readText(message));
            reviewed.push(`${message.headers.host}${message.url}`);
            response.setHeader('content-type', 'application/json');
            const verdict = { uid: request.uid, allowed: false, status: { message: 'not guilty enough' } };
            response.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: verdict }));
          };
          const names = ['judge', 'impostor'].map((name) => `${name}.${namespace}.svc`);
          const { object, ip, port } = await fake.runPod('judge', judge, { tls: names.slice(0, 1) });
          const targetRef = { kind: 'Pod', name: 'judge', namespace, uid: object.metadata?.uid ?? '' };
          for (const name of ['judge', 'impostor', 'nobody']) {
            const subsets = name === 'nobody' ? [] : [{ addresses: [{ ip, nodeName: 'node-1', targetRef }], ports: [{ port }] }];
            await plane.client.create(Services, { metadata: { name, namespace }, spec: { ports: [{ port: 8443, targetPort: port }] } });
            await plane.client.create(Endpoints, { metadata: { name, namespace }, subsets });
          }
        });

        it('asks one of its pods, which it knows by the service’s name', async () => {
          expect((await configure('judge', { name: 'judge', path: '/verdict' })).code).toBe(201);
          expect(await refusalBy('judge')).toBe('admission webhook "judge.example.com" denied the request: not guilty enough');
          expect(reviewed[0]).toBe(`judge.${namespace}.svc:8443/verdict?timeout=2s`);
        });

        it.each([
          ['a pod whose certificate is for another name', 'impostor', 'certificate'],
          ['a service without endpoints', 'nobody', 'no endpoints available for service "nobody"'],
          ['a service that is not there', 'gone', '"gone" not found'],
        ])('does not trust %s', async (_, name, why) => {
          expect((await configure(name, { name })).code).toBe(201);
          const message = await refusalBy(name);
          const post = `Post "https://${name}.${namespace}.svc:8443/?timeout=2s"`;
          expect(message).toContain(`failed calling webhook "judge.example.com": failed to call webhook: ${post}: `);
          expect(message).toContain(why);
        });

        it.each([
          [
            { name: '', namespace: '' },
            ['name: Required value: service name is required', 'namespace: Required value: service namespace is required'],
          ],
          [{ name: 'a', port: 70000 }, ['port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive']],
          [{ name: 'a', path: '//' }, ['path: Invalid value: "//": segment[0] may not be empty']],
          [
            { name: 'a', path: 'b/' },
            [`path: Invalid value: "b/": must start with a '/'`, 'path: Invalid value: "b/": segment[0] may not be empty'],
          ],
          [{ name: 'a', path: '/b//c/' }, ['path: Invalid value: "/b//c/": segment[1] may not be empty']],
        ])('refuses a configuration whose service is %j', async (service, expected) => {
          const { code, text } = await configure('wrong', service);
          const causes = JSON.parse(text).details.causes as { field: string; message: string }[];
          const field = 'webhooks[0].clientConfig.service.';
          expect(code).toBe(422);
          expect(causes.map(({ field, message }) => `${field}: ${message}`)).toEqual(expected.map((each) => field + each));
        });
      });

      it('is for those who may: get services/proxy, create pods/exec', async () => {
        const { plane } = here();
        const jane = await plane.issue('jane');
        await plane.client.create(ClusterRoles, {
          metadata: { name: 'looks-in' },
          rules: [{ apiGroups: [''], resources: ['services/proxy'], verbs: ['get'] }],
        });
        await plane.client.create(RoleBindings, {
          metadata: { name: 'looks-in', namespace },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'looks-in' },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
        });
        const path = `${inNamespace}/services/served:80/proxy/a`;
        await eventually('jane may', async () => (await ask(path, { as: jane })).code === 200);
        const codes = async (method: string, path: string) => (await ask(path, { method, as: jane })).code;
        expect(await codes('POST', path)).toBe(403);
        expect(await codes('GET', `${inNamespace}/pods/served/proxy/a`)).toBe(403);
        expect(await codes('POST', `${inNamespace}/pods/web/exec?command=ls`)).toBe(403);
      });
    });

    /** The kubelet begins an answer, and goes on as the test says. */
    /** Asks, goes away as soon as whoever should answer has heard of it, and waits until that one has heard of that, too. */
    async function goneWhile(path: string, asked: Promise<ServerResponse>): Promise<void> {
      const gone = new AbortController();
      const answer = here().client.open(path, { signal: gone.signal });
      const over = once(await withDeadline('the question comes', asked), 'close');
      gone.abort();
      await expect(answer).rejects.toThrow('aborted');
      await withDeadline('who should answer hears that nobody waits', over);
    }

    async function kubeletWrites() {
      const begun = Promise.withResolvers<ServerResponse>();
      here().fake.answer = (_, response) => {
        response.writeHead(200, { 'content-type': 'text/plain' });
        response.flushHeaders();
        begun.resolve(response);
      };
      return begun.promise;
    }
  }));

/** What has come of an answer until now. */
function listen(answer: IncomingMessage): () => string {
  let heard = '';
  answer.on('data', (chunk) => (heard += chunk));
  return () => heard;
}

/** Waits until a number no longer grows. */
async function standsStill(what: string, read: () => number): Promise<void> {
  let [last, times] = [0, 0];
  await eventually(what, () => {
    times = read() === last ? times + 1 : 0;
    last = read();
    return last > 0 && times > 20;
  });
}
