import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type EndpointSlice, EndpointSlices, type Service, Services } from '#kit/api';
import { FakeClock } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { silentLogger } from '#kit/log';
import type { NodeShell } from '#kit/node/shell';
import { NotImplemented } from '#kit/not-implemented';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Answer, type ServiceNode, startServiceNode, type TestPeer, type TestPod } from '#kit/testing/service-node';
import { startKubeProxy } from '#kube-proxy';
import { clusterIpRule, refuseRule, spreadRules } from '#kube-proxy/cluster-ip';
import { NodeTables } from '#kube-proxy/node-tables';
import { planServicePorts, type ServicePortPlan } from '#kube-proxy/plan';
import { restoreInput } from '#kube-proxy/restore-input';
import { SyncLoop } from '#kube-proxy/sync-loop';
import { tablesFor } from '#kube-proxy/tables';
import { notReady, ready, service, sliceOf } from './harness.ts';

const addresses = { clusterCidr: '10.244.0.0/16', serviceClusterIpRange: '10.96.0.0/12' };
const virtualAddress = '10.96.0.20:80';

const tables = (services: Service[], slices: EndpointSlice[]) => tablesFor(planServicePorts(services, slices, 'node-1'), addresses);

function plan(owner: Service, slices: EndpointSlice[]): ServicePortPlan {
  return planServicePorts([owner], slices, 'node-1')[0] as ServicePortPlan;
}

/** Who answered, each once, sorted; everything else as what it was. */
function who(answers: Answer[]): string[] {
  return [...new Set(answers.map((answer) => (answer.outcome === 'answered' ? answer.from : answer.outcome)))].sort();
}

/**
 * Who answers, asked until all that are expected have, or somebody else has. That one of two that are equally likely stays
 * silent in sixty connections happens once in 10^18 runs.
 */
async function whoInTheEnd(peer: TestPeer, target: string, expected: string[]): Promise<string[]> {
  const answers: Answer[] = [];
  while (answers.length < 60) {
    answers.push(...(await peer.connect(target)));
    const seen = who(answers);
    if (seen.join() === expected.join() || seen.some((name) => !expected.includes(name))) break;
  }
  return who(answers);
}

function sources(answers: Answer[]): string[] {
  return [...new Set(answers.map((answer) => (answer.outcome === 'answered' ? answer.source : answer.outcome)))];
}

/** The node's shell, with an eye on what is run. `failing` makes the next iptables-restore fail. */
class WatchedShell implements NodeShell {
  readonly runs: { script: string; stdin: string | undefined }[] = [];
  failing = false;
  readonly #shell: NodeShell;

  constructor(shell: NodeShell) {
    this.#shell = shell;
  }

  run(script: string, stdin?: string): Promise<string> {
    this.runs.push({ script, stdin });
    if (!this.failing || !script.includes('iptables-restore')) return this.#shell.run(script, stdin);
    this.failing = false;
    return Promise.reject(new Error('iptables-restore: the kernel is busy'));
  }

  close(): void {}
}

describe('kube-proxy', () => {
  describe('6.2 ClusterIP in real iptables', () => {
    beforeEach(() => NotImplemented.forget());

    describe('the rules of a Service port', () => {
      it.each([1, 2, 3, 4, 7, 10])('give each of %i endpoints the same chance', (count) => {
        const port = plan(service('echo'), [
          sliceOf(
            'echo',
            Array.from({ length: count }, (_, index) => `10.244.1.${index + 2}`),
          ),
        ]);
        let left = 1;
        const chances = spreadRules(port, port.endpoints).map((rule) => {
          const probability = Number(/--probability (\S+)/.exec(rule)?.[1] ?? 1);
          const chance = left * probability;
          left -= chance;
          return chance;
        });
        expect(chances).toHaveLength(count);
        for (const chance of chances) expect(chance).toBeCloseTo(1 / count, 6);
        // Nobody falls through the last rule.
        expect(left).toBeCloseTo(0, 9);
      });

      it('match the protocol of the port', () => {
        const dns = service('dns', { ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] });
        const port = plan(dns, [sliceOf('dns', ['10.244.1.2'], { ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }] })]);
        expect(clusterIpRule(port)).toContain('-p udp');
        expect(refuseRule(port)).toContain('-p udp');
      });
    });

    describe('what iptables-restore is given', () => {
      const echo = service('echo');
      const web = service('web', { clusterIP: '10.96.0.30' });
      const present = () => tables([echo, web], [sliceOf('echo', ['10.244.1.2']), sliceOf('web', ['10.244.1.3'])]);

      it('nothing, when the node has what it should have', () => {
        expect(restoreInput(present(), present())).toBe('');
      });

      it('not the chains of a Service that has not changed', () => {
        const input = restoreInput(
          present(),
          tables([echo, web], [sliceOf('echo', ['10.244.1.2', '10.244.1.4']), sliceOf('web', ['10.244.1.3'])]),
        );
        expect(input).toContain('10.244.1.4:8080');
        expect(input).not.toContain('10.244.1.3:8080');
      });

      it('not the table that has not changed', () => {
        const input = restoreInput(present(), tables([echo, web], [sliceOf('echo', ['10.244.1.4']), sliceOf('web', ['10.244.1.3'])]));
        expect(input).toContain('*nat');
        expect(input).not.toContain('*filter');
      });
    });

    describe('on a node', () => {
      let node: ServiceNode;
      let client: TestPod;
      let a: TestPod;
      let b: TestPod;
      let outsider: TestPeer;
      let nodeTables: NodeTables;
      let shell: WatchedShell;

      beforeAll(async () => {
        node = await startServiceNode();
        client = await node.pod('client');
        a = await node.pod('a');
        b = await node.pod('b');
        outsider = await node.outsider();
      }, 60_000);
      afterAll(() => node?.stop(), 30_000);
      beforeEach(() => {
        shell = new WatchedShell(node.shell);
        nodeTables = new NodeTables(shell);
      });

      const write = (services: Service[], slices: EndpointSlice[]) => nodeTables.write(tables(services, slices));
      const bothEndpoints = () => [sliceOf('echo', [a.ip, b.ip])];

      it('answers a pod that connects to the cluster IP, from all endpoints', async () => {
        await write([service('echo')], bothEndpoints());
        expect(await whoInTheEnd(client, virtualAddress, ['a', 'b'])).toEqual(['a', 'b']);
      });

      it("shows the endpoint the client pod's own address", async () => {
        await write([service('echo')], bothEndpoints());
        expect(sources(await client.connect(virtualAddress, 4))).toEqual([client.ip]);
      });

      it('answers the node itself', async () => {
        await write([service('echo')], bothEndpoints());
        expect(['a', 'b']).toEqual(expect.arrayContaining(who(await node.connect(virtualAddress, 4))));
      });

      it("puts the node's address in the place of a client outside the cluster, so that the answer comes back this way", async () => {
        await write([service('echo')], bothEndpoints());
        const seen = sources(await outsider.connect(virtualAddress, 4));
        expect(seen).not.toContain(outsider.ip);
        expect(seen).toEqual([expect.stringMatching(/^[\d.]+$/)]);
      });

      it('lets a pod reach itself through its own Service', async () => {
        await write([service('echo')], [sliceOf('echo', [a.ip])]);
        expect(who(await a.connect(virtualAddress, 2))).toEqual(['a']);
      });

      it('masquerades nothing but Services: pods see each other by their own addresses', async () => {
        await write([service('echo')], bothEndpoints());
        expect(sources(await client.connect(`${a.ip}:${a.port}`))).toEqual([client.ip]);
        expect(sources(await outsider.connect(`${a.ip}:${a.port}`))).toEqual([outsider.ip]);
      });

      it('keeps Services apart', async () => {
        const web = service('web', { clusterIP: '10.96.0.30' });
        await write([service('echo'), web], [sliceOf('echo', [a.ip]), sliceOf('web', [b.ip])]);
        expect(who(await client.connect('10.96.0.20:80', 4))).toEqual(['a']);
        expect(who(await client.connect('10.96.0.30:80', 4))).toEqual(['b']);
      });

      it('answers as soon as there is an endpoint', async () => {
        await write([service('echo')], []);
        await write([service('echo')], [sliceOf('echo', [b.ip])]);
        expect(who(await client.connect(virtualAddress))).toEqual(['b']);
      });

      it('sends connections only to the endpoints that are left', async () => {
        await write([service('echo')], bothEndpoints());
        await write([service('echo')], [sliceOf('echo', [b.ip])]);
        expect(who(await client.connect(virtualAddress, 10))).toEqual(['b']);
      });

      it('leaves no chain behind of a Service that is deleted', async () => {
        await write([service('echo'), service('web', { clusterIP: '10.96.0.30' })], [...bothEndpoints(), sliceOf('web', [a.ip])]);
        expect(await node.shell.run('iptables-save')).toContain('default/echo:http');
        await write([service('web', { clusterIP: '10.96.0.30' })], [sliceOf('web', [a.ip])]);
        const saved = await node.shell.run('iptables-save');
        expect(saved).not.toContain('default/echo:http');
        expect(saved.match(/^:KUBE-SVC-/gm)).toHaveLength(1);
        expect(saved.match(/^:KUBE-SEP-/gm)).toHaveLength(1);
      });

      it("leaves other programs' chains and rules alone", async () => {
        const theirs = [
          '-t nat -A NEIGHBOUR -s 198.51.100.7/32 -j RETURN',
          '-A INPUT -s 198.51.100.8/32 -j DROP',
          '-t nat -A KUBE-OTHER -j RETURN',
        ];
        await node.shell.run(
          ['iptables -t nat -N NEIGHBOUR', 'iptables -t nat -N KUBE-OTHER', ...theirs.map((rule) => `iptables ${rule}`)].join('\n'),
        );
        try {
          await write([service('echo')], bothEndpoints());
          await write([], []);
          const saved = await node.shell.run('iptables-save');
          for (const rule of theirs) expect(saved).toContain(rule.replace('-t nat ', ''));
        } finally {
          await node.shell.run(
            ['iptables -D INPUT -s 198.51.100.8/32 -j DROP', 'iptables -t nat -F NEIGHBOUR', 'iptables -t nat -X NEIGHBOUR'].join('\n'),
          );
        }
      });

      it('removes what a predecessor left behind, and finds its own jumps again instead of doubling them', async () => {
        await write([service('echo'), service('old', { clusterIP: '10.96.0.99' })], [...bothEndpoints(), sliceOf('old', [a.ip])]);
        const jumps = async () =>
          (await node.shell.run('iptables-save')).match(/^-A (INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING) .*KUBE-/gm)?.sort();
        const before = await jumps();
        nodeTables = new NodeTables(shell);
        await write([service('echo')], bothEndpoints());
        expect(await node.shell.run('iptables-save')).not.toContain('default/old:http');
        expect(await jumps()).toEqual(before);
        expect(who(await client.connect(virtualAddress, 4))).not.toContain('refused');
      });

      it('writes both tables with one iptables-restore that gets the rules on its standard input', async () => {
        await write([service('echo')], bothEndpoints());
        const restores = shell.runs.filter(({ script }) => script.includes('iptables-restore'));
        expect(restores).toHaveLength(1);
        expect(restores[0]?.script).toMatch(/--noflush|-n\b/);
        expect(restores[0]?.stdin).toMatch(/\*filter[\s\S]*COMMIT[\s\S]*\*nat[\s\S]*COMMIT/);
      });

      it('runs nothing in the node when nothing has changed', async () => {
        await write([service('echo')], bothEndpoints());
        shell.runs.length = 0;
        await write([service('echo')], bothEndpoints());
        expect(shell.runs).toEqual([]);
      });

      it('says when the node refuses, and makes all good with the next attempt', async () => {
        await write([service('echo')], bothEndpoints());
        shell.failing = true;
        await expect(write([service('echo')], [sliceOf('echo', [b.ip])])).rejects.toThrow('the kernel is busy');
        // Half of it may be there, or somebody else was at it meanwhile: what the node has is not known any more.
        await node.shell.run('iptables -t nat -F KUBE-SERVICES');
        await write([service('echo')], [sliceOf('echo', [b.ip])]);
        expect(who(await client.connect(virtualAddress, 8))).toEqual(['b']);
      });

      describe('what it refuses at once, instead of leaving the client to wait', () => {
        const empty = service('empty', { type: 'NodePort', clusterIP: '10.96.0.50', ports: [{ name: 'http', port: 80, nodePort: 30050 }] });
        const deleted = service('deleted', { clusterIP: '10.96.0.60' });
        let answers: Promise<Answer[]> | undefined;

        // A client's kernel believes the second refusal, a second after the first: so all connections are made at once, when the
        // first is wanted. They come from several pods, for a kernel refuses the same one only six times in a row.
        const allAtOnce = async (): Promise<Answer[]> => {
          await write([service('echo'), empty, deleted], [...bothEndpoints(), sliceOf('deleted', [a.ip])]);
          await write([service('echo'), empty], bothEndpoints());
          return node.connectAtOnce([
            { from: client, to: '10.96.0.50:80' },
            { from: node, to: '10.96.0.50:80' },
            { from: a, to: '10.97.3.4:80' },
            { from: node, to: '10.97.3.4:80' },
            { from: b, to: '10.96.0.20:81' },
            { from: client, to: '10.96.0.60:80' },
            { from: outsider, to: `${node.ip}:30050` },
          ]);
        };

        it.each([
          ['a connection of a pod to a Service without endpoints', 0],
          ['a connection of the node to a Service without endpoints', 1],
          ["a pod's connection to an address of the service range that no Service has: it must not leave the machine", 2],
          ["the node's connection to an address of the service range that no Service has", 3],
          ['a connection to a port that the Service does not have', 4],
          ['a connection to a Service that is deleted', 5],
          ['a connection from outside to the node port of a Service without endpoints', 6],
        ])('%s', async (_, index) => {
          answers ??= allAtOnce();
          expect((await answers)[index]).toEqual({ outcome: 'refused' });
        });
      });

      describe('with a node port (given for now)', () => {
        const open = (spec: Service['spec'] = {}) =>
          service('echo', { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080 }], ...spec });

        it("answers from outside, from pods and on the node's own 127.0.0.1", async () => {
          await write([open()], bothEndpoints());
          expect(await whoInTheEnd(outsider, `${node.ip}:30080`, ['a', 'b'])).toEqual(['a', 'b']);
          expect(await whoInTheEnd(client, `${node.ip}:30080`, ['a', 'b'])).toEqual(['a', 'b']);
          expect(await whoInTheEnd(node, '127.0.0.1:30080', ['a', 'b'])).toEqual(['a', 'b']);
        });

        it("uses this node's endpoints alone, and shows them the client's address, when traffic must stay local", async () => {
          const slices = [
            sliceOf('echo', [
              { addresses: [a.ip], nodeName: 'node-1' },
              { addresses: [b.ip], nodeName: 'node-2' },
            ]),
          ];
          await write([open({ externalTrafficPolicy: 'Local' })], slices);
          const answers = await outsider.connect(`${node.ip}:30080`, 20);
          expect(who(answers)).toEqual(['a']);
          expect(sources(answers)).toEqual([outsider.ip]);
          expect(await whoInTheEnd(client, `${node.ip}:30080`, ['a', 'b'])).toEqual(['a', 'b']);
        });
      });
    });

    describe('as a component', () => {
      let plane: TestControlPlane;
      let node: ServiceNode;
      let client: TestPod;
      let a: TestPod;
      let b: TestPod;
      let shell: WatchedShell;
      let proxy: RunningComponent | undefined;

      beforeAll(async () => {
        [plane, node] = await Promise.all([startTestControlPlane(), startServiceNode()]);
        client = await node.pod('client');
        a = await node.pod('a');
        b = await node.pod('b');
        shell = new WatchedShell(node.shell);
      }, 60_000);
      afterEach(async () => {
        await proxy?.stop();
        proxy = undefined;
      });
      afterAll(() => Promise.all([plane?.stop(), node?.stop()]), 30_000);

      const start = async () => {
        const listen = { host: '127.0.0.1', port: 0 };
        proxy = await startKubeProxy({ client: plane.client, nodeName: 'node-1', shell, listen, ...addresses, ...plane.context });
        return proxy;
      };
      /** Waits until the node has rules with `there` in them and without `absent`; connecting too early would cost a second. */
      const rules = (there: string, absent?: string) =>
        plane.eventually(`iptables rules with ${there}${absent ? ` and without ${absent}` : ''}`, async () => {
          const saved = await node.shell.run('iptables-save');
          return saved.includes(there) && !(absent && saved.includes(absent));
        });
      const get = async (path: string) => {
        const response = await fetch(`${proxy?.url}${path}`);
        return { code: response.status, body: await response.text() };
      };
      /** A Service gets its address from the API server. */
      const createService = async (name: string) => {
        const { clusterIP, ...spec } = service(name).spec ?? {};
        const created = await plane.client.create(Services, { ...service(name), spec });
        return `${created.spec?.clusterIP}:80`;
      };

      it('makes a new Service reachable as soon as it has endpoints, and follows every change of them', async () => {
        await start();
        const target = await createService('echo');
        const slice = await plane.client.create(EndpointSlices, sliceOf('echo', [a.ip, b.ip]));
        await rules(`${b.ip}:8080`);
        expect(await whoInTheEnd(client, target, ['a', 'b'])).toEqual(['a', 'b']);
        const updated = await plane.client.update(EndpointSlices, { ...slice, endpoints: [ready(b.ip)] });
        await rules(`${b.ip}:8080`, `${a.ip}:8080`);
        expect(who(await client.connect(target, 8))).toEqual(['b']);
        await plane.client.update(EndpointSlices, { ...updated, endpoints: [ready(a.ip), notReady(b.ip)] });
        await rules(`${a.ip}:8080`, `${b.ip}:8080`);
        expect(who(await client.connect(target, 8))).toEqual(['a']);
      });

      it('is well once the rules are written, and measures how long that took', async () => {
        await start();
        await plane.eventually('/healthz to answer ok', async () => (await get('/healthz')).code === 200);
        const { body } = await get('/metrics');
        expect(Number(/^kubeproxy_sync_proxy_rules_duration_seconds_count (\S+)$/m.exec(body)?.[1])).toBeGreaterThan(0);
      });

      it('leaves the rules in place when it stops, so that connections go on', async () => {
        const target = await createService('lasting');
        await plane.client.create(EndpointSlices, sliceOf('lasting', [a.ip]));
        await start();
        await rules('default/lasting:http cluster IP');
        await proxy?.stop();
        expect(who(await client.connect(target))).toEqual(['a']);
      });

      it('removes when it starts what was deleted while it was away', async () => {
        await createService('passing');
        await start();
        await rules('default/passing:http');
        await proxy?.stop();
        await plane.client.delete(Services, { name: 'passing', namespace: 'default' });
        await start();
        await rules('KUBE-SERVICES', 'default/passing:http');
      });

      it('says on /healthz that it could not write, tries again by itself, and is well again', async () => {
        await start();
        await plane.eventually('/healthz to answer ok', async () => (await get('/healthz')).code === 200);
        shell.failing = true;
        const target = await createService('late');
        await plane.eventually('/healthz to say what is wrong', async () => {
          expect(await get('/healthz')).toEqual({ code: 500, body: expect.stringContaining('the kernel is busy') });
          return true;
        });
        await plane.eventually('/healthz to answer ok again', async () => (await get('/healthz')).code === 200);
        expect(await node.shell.run('iptables-save')).toContain(target.replace(':80', '/32'));
      });
    });

    describe('when it writes', () => {
      let clock: FakeClock;
      let starts: number[];
      let finish: () => void;
      let fail: (error: Error) => void;
      let loop: SyncLoop;

      beforeEach(() => {
        clock = new FakeClock(0);
        starts = [];
        const sync = () => {
          starts.push(clock.now());
          return new Promise<void>((resolve, reject) => {
            finish = resolve;
            fail = reject;
          });
        };
        loop = new SyncLoop({ sync, minIntervalMs: 100, retryAfterMs: 1_000, clock, log: silentLogger });
      });

      it('at once, after a time of quiet', async () => {
        loop.request();
        await clock.advance(0);
        expect(starts).toEqual([0]);
      });

      it('not before anybody asks', async () => {
        await clock.advance(60_000);
        expect(starts).toEqual([]);
      });

      it('once for a burst of changes, and once more for what came later', async () => {
        for (let change = 0; change < 50; change++) loop.request();
        await clock.advance(10);
        finish();
        await clock.advance(10);
        for (let change = 0; change < 50; change++) loop.request();
        await clock.advance(10_000);
        expect(starts).toEqual([0, 100]);
      });

      it('never twice at once: what changes during a write waits for the next one', async () => {
        loop.request();
        await clock.advance(10);
        loop.request();
        await clock.advance(10_000);
        expect(starts).toEqual([0]);
        finish();
        await clock.advance(0);
        expect(starts).toEqual([0, 10_010]);
        finish();
        await clock.advance(10_000);
        expect(starts).toHaveLength(2);
      });

      it('again after a failure, without being asked', async () => {
        loop.request();
        await clock.advance(0);
        fail(new Error('the kernel is busy'));
        await clock.advance(999);
        expect(starts).toEqual([0]);
        await clock.advance(1);
        expect(starts).toEqual([0, 1_000]);
        finish();
        await clock.advance(10_000);
        expect(starts).toHaveLength(2);
      });

      it('not any more once it is stopped', async () => {
        loop.request();
        await loop.stop();
        loop.request();
        await clock.advance(10_000);
        expect(starts).toEqual([]);
        expect(clock.pending).toBe(0);
      });
    });
  });
});
