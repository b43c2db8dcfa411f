import { beforeEach, describe, expect, it } from '@jest/globals';
import { Leases, Nodes } from '#kit/api';
import { FakeClock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { registerNode, renewLease, statusIsDue } from '#kubelet/node-heartbeat';
import { newNode, nodeConditions, nodeStatus } from '#kubelet/node-object';
import type { Machine } from '#kubelet/runtime';
import { isTrue, KubeletCluster, nodeIp, nodeName, noon, podCidr } from './harness.ts';

const gibibyte = 2 ** 30;
const machine: Machine = {
  cpus: 4,
  memoryBytes: 8 * gibibyte,
  availableMemoryBytes: 6 * gibibyte,
  diskBytes: 100 * gibibyte,
  availableDiskBytes: 60 * gibibyte,
  kernelVersion: '6.1.0-18-amd64',
  osImage: 'Debian GNU/Linux 12 (bookworm)',
  architecture: 'arm64',
  containerRuntimeVersion: 'docker://28.0.1',
  machineId: 'b3f1c7',
};
const identity = { name: nodeName, ip: nodeIp, podCidr, port: 10250 };
const lease = { namespace: 'kube-node-lease', name: nodeName };

describe('kubelet', () => {
  describe('5.1 a node joins', () => {
    beforeEach(() => NotImplemented.forget());

    describe('the Node', () => {
      it("carries the well-known labels and its share of the pods' addresses", () => {
        const { metadata, spec } = newNode(identity, 'arm64');
        expect(metadata?.name).toBe(nodeName);
        expect(metadata?.labels).toMatchObject({
          'kubernetes.io/hostname': nodeName,
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'arm64',
        });
        expect(spec).toMatchObject({ podCIDR: podCidr, podCIDRs: [podCidr] });
      });

      it('says where it can be reached', () => {
        const { addresses, daemonEndpoints } = nodeStatus(identity, { machine }, {}, noon);
        expect(addresses).toEqual(
          expect.arrayContaining([
            { type: 'InternalIP', address: nodeIp },
            { type: 'Hostname', address: nodeName },
            { type: 'InternalDNS', address: 'localhost' },
          ]),
        );
        expect(daemonEndpoints?.kubeletEndpoint?.Port).toBe(10250);
      });

      it('says what the machine has, and promises pods less memory than that', () => {
        const { capacity = {}, allocatable = {} } = nodeStatus(identity, { machine }, {}, noon);
        expect(capacity).toMatchObject({ cpu: '4', memory: '8388608Ki', 'ephemeral-storage': '104857600Ki', pods: '110' });
        expect(allocatable).toMatchObject({ cpu: '4', pods: '110' });
        expect(Number.parseInt(allocatable.memory ?? '', 10)).toBe(8388608 - 100 * 1024);
      });

      it('says what it runs', () => {
        expect(nodeStatus(identity, { machine }, {}, noon).nodeInfo).toMatchObject({
          architecture: 'arm64',
          operatingSystem: 'linux',
          kernelVersion: '6.1.0-18-amd64',
          osImage: 'Debian GNU/Linux 12 (bookworm)',
          containerRuntimeVersion: 'docker://28.0.1',
          kubeletVersion: 'v1.32.0',
        });
      });

      it('keeps what it said of the machine while the machine is unknown', () => {
        const known = nodeStatus(identity, { machine }, {}, noon);
        const unknown = nodeStatus(identity, { problem: 'container runtime is down' }, known, noon + 10_000);
        expect(unknown.capacity).toEqual(known.capacity);
        expect(unknown.allocatable).toEqual(known.allocatable);
        expect(unknown.nodeInfo).toEqual(known.nodeInfo);
      });
    });

    describe('conditions', () => {
      const truths = (observation: Parameters<typeof nodeConditions>[0]) =>
        Object.fromEntries(nodeConditions(observation, [], noon).map(({ type, status, reason }) => [type, `${status} ${reason}`]));

      it('are Ready and three kinds of pressure', () => {
        expect(truths({ machine })).toEqual({
          MemoryPressure: 'False KubeletHasSufficientMemory',
          DiskPressure: 'False KubeletHasNoDiskPressure',
          PIDPressure: 'False KubeletHasSufficientPID',
          Ready: 'True KubeletReady',
        });
      });

      it('tell that memory or disk run out', () => {
        const tight = { ...machine, availableMemoryBytes: 50 * 2 ** 20, availableDiskBytes: gibibyte / 2 };
        expect(truths({ machine: tight })).toMatchObject({
          MemoryPressure: 'True KubeletHasInsufficientMemory',
          DiskPressure: 'True KubeletHasDiskPressure',
          Ready: 'True KubeletReady',
        });
      });

      it('tell why the node is not ready', () => {
        const ready = nodeConditions({ problem: 'container runtime is down: no answer' }, [], noon).find(({ type }) => type === 'Ready');
        expect(ready).toMatchObject({
          status: 'False',
          reason: 'KubeletNotReady',
          message: expect.stringContaining('container runtime is down: no answer'),
        });
      });

      it('keep their transition time until the truth changes', () => {
        const first = nodeConditions({ machine }, [], noon);
        const later = nodeConditions({ problem: 'no answer' }, first, noon + 60_000);
        const times = (type: string) => {
          const condition = later.find((other) => other.type === type);
          return [condition?.lastTransitionTime, condition?.lastHeartbeatTime];
        };
        expect(times('MemoryPressure')).toEqual(['2026-01-01T12:00:00Z', '2026-01-01T12:01:00Z']);
        expect(times('Ready')).toEqual(['2026-01-01T12:01:00Z', '2026-01-01T12:01:00Z']);
      });

      it('leave the conditions of others alone', () => {
        const other = { type: 'NetworkUnavailable', status: 'False', reason: 'RouteCreated' };
        expect(nodeConditions({ machine }, [other], noon)).toContainEqual(other);
      });
    });

    describe('when a status is worth writing', () => {
      const written = () => nodeStatus(identity, { machine }, {}, noon);
      const due = (seconds: number, changed: Partial<Machine> = {}) => {
        const before = written();
        const now = noon + seconds * 1000;
        return statusIsDue(before, nodeStatus(identity, { machine: { ...machine, ...changed } }, before, now), now);
      };

      it('is at first', () => expect(statusIsDue(undefined, written(), noon)).toBe(true));
      it('is not while only the time went on', () => expect(due(10)).toBe(false));
      it('is at once when something changed', () => expect(due(10, { availableMemoryBytes: 0 })).toBe(true));
      it('is after five minutes in any case', () => expect([due(299), due(300)]).toEqual([false, true]));
    });

    describe('in a cluster', () => {
      const cluster = KubeletCluster.forTheseTests();

      it('joins by itself and becomes Ready', async () => {
        const url = await cluster.startKubelet();
        const node = await cluster.node('is Ready', ({ status }) => isTrue(status, 'Ready'));
        expect(node.spec?.podCIDR).toBe(podCidr);
        expect(String(node.status?.daemonEndpoints?.kubeletEndpoint?.Port)).toBe(new URL(url).port);
        await cluster.eventAbout(nodeName, 'NodeReady');
      });

      it('takes a lease that belongs to the node', async () => {
        await cluster.startKubelet();
        const { metadata } = await cluster.node('joined');
        const { spec, metadata: own } = await cluster.eventually('the lease', () => cluster.client.get(Leases, lease));
        expect(spec).toMatchObject({ holderIdentity: nodeName, leaseDurationSeconds: 40 });
        expect(own?.ownerReferences).toEqual([expect.objectContaining({ kind: 'Node', name: nodeName, uid: metadata?.uid })]);
      });

      it('writes the time of every renewal into the same lease', async () => {
        const node = await registerNode(cluster.client, newNode(identity, 'amd64'));
        const clock = new FakeClock(noon);
        await renewLease(cluster.client, node, clock);
        await clock.advance(10_000);
        await renewLease(cluster.client, node, clock);
        const { spec } = await cluster.client.get(Leases, lease);
        expect(spec?.renewTime).toBe('2026-01-01T12:00:10.000000Z');
      });

      it('says every ten seconds that it is here', async () => {
        const clock = cluster.stopTime();
        await cluster.startKubelet();
        await cluster.node('is Ready', ({ status }) => isTrue(status, 'Ready'));
        const renewals = new Set<string>();
        for (let heartbeat = 0; heartbeat < 3; heartbeat++) {
          await cluster.eventually('the next heartbeat is awaited', () => clock.pending > 0);
          const { spec } = await cluster.client.get(Leases, lease);
          renewals.add(spec?.renewTime ?? '');
          await clock.advance(10_000);
        }
        expect([...renewals]).toEqual(['2026-01-01T12:00:00.000000Z', '2026-01-01T12:00:10.000000Z', '2026-01-01T12:00:20.000000Z']);
      });

      it('becomes not ready when the runtime stops answering, and ready again', async () => {
        const clock = cluster.stopTime();
        await cluster.startKubelet();
        await cluster.node('is Ready', ({ status }) => isTrue(status, 'Ready'));
        const afterNextHeartbeat = async () => {
          await cluster.eventually('the next heartbeat is awaited', () => clock.pending > 0);
          await clock.advance(10_000);
        };
        cluster.runtime.down = 'the engine does not answer';
        await afterNextHeartbeat();
        const { status } = await cluster.node('is not ready', ({ status }) => !isTrue(status, 'Ready'));
        expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toContain('the engine does not answer');
        cluster.runtime.down = undefined;
        await afterNextHeartbeat();
        await cluster.node('is ready again', ({ status }) => isTrue(status, 'Ready'));
      });

      it('says that it is ready when others said Unknown for it while it was not heard', async () => {
        const clock = cluster.stopTime();
        await cluster.startKubelet();
        await cluster.node('is Ready', ({ status }) => isTrue(status, 'Ready'));
        const status = { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] };
        await cluster.client.patch(Nodes, { name: nodeName }, 'strategic-merge', { status }, { subresource: 'status' });
        await cluster.eventually('the next heartbeat is awaited', () => clock.pending > 0);
        await clock.advance(10_000);
        await cluster.node('is ready again', ({ status }) => isTrue(status, 'Ready'));
      });

      it("uses the Node that is there, and leaves other people's labels on it", async () => {
        const earlier = newNode(identity, 'amd64');
        const labels = { 'kubernetes.io/hostname': 'an-old-name', disk: 'ssd' };
        const created = await cluster.client.create(Nodes, { ...earlier, metadata: { name: nodeName, labels } });
        await cluster.startKubelet();
        const { metadata } = await cluster.node('is Ready', ({ status }) => isTrue(status, 'Ready'));
        expect(metadata?.uid).toBe(created.metadata?.uid);
        expect(metadata?.labels).toMatchObject({ disk: 'ssd', 'kubernetes.io/hostname': nodeName });
      });
    });
  });
});
