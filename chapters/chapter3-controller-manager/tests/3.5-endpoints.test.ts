import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EndpointPort } from 'kubernetes-types/discovery/v1';
import { type EndpointGroup, endpointOf, groupEndpoints, planSlices, targetPortOf } from '#controller-manager/endpoint-slices';
import { endpointsFor } from '#controller-manager/endpoints';
import {
  type Endpoint,
  type EndpointSlice,
  EndpointSlices,
  Endpoints,
  type Pod,
  Pods,
  type Service,
  type ServicePort,
  Services,
} from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { pod } from '#kit/testing/builders';
import { type Controllers, change, echoService, lagging, newAddress, playKubelet, recording, startControlPlane } from './harness.ts';

beforeEach(() => NotImplemented.forget());

const addresses = (endpoints: Endpoint[]) => endpoints.map(({ addresses: [first] }) => first).sort();

describe('controller manager', () => {
  describe('3.5 Endpoints and EndpointSlices', () => {
    const service = echoService('default');
    const web = pod('web').withContainer({
      name: 'named',
      ports: [
        { name: 'http', containerPort: 8080 },
        { name: 'dns', containerPort: 53, protocol: 'UDP' },
      ],
    });

    describe('the port on the pod', () => {
      it.each<[string, ServicePort, number | undefined]>([
        ['is the port itself when nothing else is said', { port: 80 }, 80],
        ['is the target port when that is a number', { port: 80, targetPort: 8080 }, 8080],
        ['is the container port of that name', { port: 80, targetPort: 'http' }, 8080],
        ['is none when no container has the name', { port: 80, targetPort: 'metrics' }, undefined],
        ['is none when the name belongs to another protocol', { port: 80, targetPort: 'dns' }, undefined],
        ['is found by name for its protocol', { port: 53, targetPort: 'dns', protocol: 'UDP' }, 53],
      ])('%s', (_rule, port, expected) => {
        expect(targetPortOf(web, port)).toBe(expected);
      });
    });

    describe('a pod as an endpoint', () => {
      const ready = pod('a').boundTo('node-1').at('10.244.1.2').ready();

      it('has the address, the node and the pod it stands for', () => {
        Object.assign(ready.metadata, { uid: 'uid-a' });
        expect(endpointOf(ready, service)).toMatchObject({
          addresses: ['10.244.1.2'],
          nodeName: 'node-1',
          targetRef: { kind: 'Pod', namespace: 'default', name: 'a', uid: 'uid-a' },
        });
      });

      it.each<[string, Pod, Partial<NonNullable<Service['spec']>>, Endpoint['conditions']]>([
        ['a ready pod', ready, {}, { ready: true, serving: true, terminating: false }],
        ['a pod that is not ready', pod('a').at('10.244.1.2').inPhase('Running'), {}, { ready: false, serving: false, terminating: false }],
        [
          'a ready pod that is being deleted',
          pod('a').at('10.244.1.2').ready().terminating(),
          {},
          { ready: false, serving: true, terminating: true },
        ],
        [
          'a pod that is not ready, of a service that wants it anyway',
          pod('a').at('10.244.1.2'),
          { publishNotReadyAddresses: true },
          { ready: true, serving: false, terminating: false },
        ],
      ])('says of %s what it is', (_what, of, spec, conditions) => {
        expect(endpointOf(of, { ...service, spec: { ...service.spec, ...spec } })?.conditions).toEqual(conditions);
      });

      it.each<[string, { hostname?: string; subdomain?: string }, string | undefined]>([
        ['has the host name of a pod whose subdomain is the service', { hostname: 'db-0', subdomain: 'echo' }, 'db-0'],
        ['has no host name when the subdomain is another service', { hostname: 'db-0', subdomain: 'other' }, undefined],
        ['has no host name when the pod names no subdomain', { hostname: 'db-0' }, undefined],
        ['has no host name when the pod names no host', { subdomain: 'echo' }, undefined],
      ])('%s', (_rule, names, expected) => {
        expect(endpointOf(pod('a').at('10.244.1.2').specified(names), service)?.hostname).toBe(expected);
      });

      it.each([
        ['has no address yet', pod('a').inPhase('Pending')],
        ['has failed', pod('a').at('10.244.1.2').inPhase('Failed')],
        ['has finished', pod('a').at('10.244.1.2').inPhase('Succeeded')],
      ])('does not exist when the pod %s', (_why, of) => {
        expect(endpointOf(of, service)).toBeUndefined();
      });
    });

    describe('groups', () => {
      const named = (name: string, ip: string, containerPort: number) =>
        pod(name)
          .at(ip)
          .ready()
          .withContainer({ name: 'named', ports: [{ name: 'http', containerPort }] });
      const byName = echoService('default', { ports: [{ name: 'web', port: 80, targetPort: 'http' }] });

      it('puts pods that answer at the same ports together', () => {
        expect(groupEndpoints(byName, [named('a', '10.244.1.2', 8080), named('b', '10.244.1.3', 8080)])).toMatchObject([
          {
            ports: [{ name: 'web', port: 8080, protocol: 'TCP' }],
            endpoints: [{ addresses: ['10.244.1.2'] }, { addresses: ['10.244.1.3'] }],
          },
        ]);
      });

      it('keeps pods apart that give the port another number', () => {
        const groups = groupEndpoints(byName, [named('a', '10.244.1.2', 8080), named('b', '10.244.1.3', 9090)]);
        expect(groups.map(({ ports, endpoints }) => [ports[0]?.port, endpoints.length])).toEqual([
          [8080, 1],
          [9090, 1],
        ]);
      });

      it('leaves out pods that are no endpoints', () => {
        expect(groupEndpoints(byName, [pod('pending')])).toEqual([]);
      });

      it('leaves out a port that the pod does not have', () => {
        const two = echoService('default', {
          ports: [...(byName.spec?.ports ?? []), { name: 'metrics', port: 90, targetPort: 'metrics' }],
        });
        expect(groupEndpoints(two, [named('a', '10.244.1.2', 8080)]).map(({ ports }) => ports)).toEqual([
          [{ name: 'web', port: 8080, protocol: 'TCP' }],
        ]);
      });

      it('hands on what the service says is spoken at the port', () => {
        const spoken = echoService('default', { ports: [{ port: 80, appProtocol: 'kubernetes.io/h2c' }] });
        expect(groupEndpoints(spoken, [named('a', '10.244.1.2', 8080)])[0]?.ports).toEqual([
          { name: '', port: 80, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' },
        ]);
      });

      it('makes one group without ports for a headless service without ports', () => {
        const { ports: _none, ...spec } = service.spec ?? {};
        const listening = pod('a')
          .at('10.244.1.2')
          .ready()
          .withContainer({ name: 'unnamed', ports: [{ containerPort: 8080 }] });
        expect(groupEndpoints({ ...service, spec: { ...spec, clusterIP: 'None' } }, [listening])).toMatchObject([
          { ports: [], endpoints: [{}] },
        ]);
      });
    });

    describe('the plan for the slices', () => {
      const ports: EndpointPort[] = [{ name: '', port: 8080, protocol: 'TCP' }];
      const endpoint = (number: number, ready = true): Endpoint => ({
        addresses: [`10.244.${number >> 8}.${number & 255}`],
        conditions: { ready, serving: ready, terminating: false },
        targetRef: { kind: 'Pod', namespace: 'default', name: `pod-${number}`, uid: `uid-${number}` },
      });
      const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => endpoint(from + index));
      const group = (endpoints: Endpoint[]): EndpointGroup[] => (endpoints.length > 0 ? [{ ports, endpoints }] : []);
      const slice = (name: string, endpoints: Endpoint[], of = ports): EndpointSlice => ({
        metadata: {
          name,
          namespace: 'default',
          labels: { 'kubernetes.io/service-name': 'echo', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
        },
        addressType: 'IPv4',
        ports: of,
        endpoints,
      });
      const lengths = (slices: EndpointSlice[]) => slices.map(({ endpoints }) => endpoints.length);

      it('cuts at 100', () => {
        const { create } = planSlices(service, group(range(0, 250)), []);
        expect(lengths(create)).toEqual([100, 100, 50]);
      });

      it('makes slices that say whose they are', () => {
        const [made] = planSlices(service, group(range(0, 1)), []).create;
        expect(made).toMatchObject({
          addressType: 'IPv4',
          metadata: {
            generateName: 'echo-',
            namespace: 'default',
            labels: { 'kubernetes.io/service-name': 'echo', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
            ownerReferences: [{ kind: 'Service', name: 'echo' }],
          },
          ports,
        });
      });

      it('writes nothing when everything is right', () => {
        expect(planSlices(service, group(range(0, 3)), [slice('s', range(0, 3))])).toEqual({ create: [], update: [], delete: [] });
      });

      it('writes nothing when only the order of the pods is another', () => {
        expect(planSlices(service, group(range(0, 3).reverse()), [slice('s', range(0, 3))])).toEqual({
          create: [],
          update: [],
          delete: [],
        });
      });

      it('writes only the slice in which something changed', () => {
        const wanted = [...range(0, 149), endpoint(149, false)];
        const plan = planSlices(service, group(wanted), [slice('first', range(0, 100)), slice('second', range(100, 150))]);
        expect([plan.create, plan.delete]).toEqual([[], []]);
        expect(plan.update.map(({ metadata }) => metadata?.name)).toEqual(['second']);
        expect(plan.update[0]?.endpoints.at(-1)?.conditions?.ready).toBe(false);
      });

      it('gives a slice the labels that the service has now, and keeps the rest of it', () => {
        const labelled = { ...service, metadata: { ...service.metadata, labels: { team: 'blue' } } };
        const present = slice('s', range(0, 3));
        const { create, update, delete: gone } = planSlices(labelled, group(range(0, 3)), [present]);
        const labels = { ...present.metadata?.labels, team: 'blue' };
        expect([create, update, gone]).toEqual([[], [{ ...present, metadata: { ...present.metadata, labels } }], []]);
        expect(planSlices(service, group(range(0, 3)), update).update).toEqual([present]);
      });

      it('fills the room that is left before it makes a new slice', () => {
        const plan = planSlices(service, group(range(0, 230)), [slice('full', range(0, 100)), slice('half', range(100, 150))]);
        expect(plan.update.map(({ metadata, endpoints }) => [metadata?.name, endpoints.length])).toEqual([['half', 100]]);
        expect(lengths(plan.create)).toEqual([30]);
      });

      it('puts an endpoint that came into the place of one that went', () => {
        const wanted = [...range(1, 100), endpoint(500)];
        const plan = planSlices(service, group(wanted), [slice('s', range(0, 100))]);
        expect([lengths(plan.update), plan.create, plan.delete]).toEqual([[100], [], []]);
        expect(addresses(plan.update[0]?.endpoints ?? [])).toEqual(addresses(wanted));
      });

      it('deletes a slice that became empty', () => {
        const plan = planSlices(service, group(range(0, 100)), [slice('stays', range(0, 100)), slice('goes', range(100, 150))]);
        expect([plan.create, plan.update, plan.delete.map(({ metadata }) => metadata?.name)]).toEqual([[], [], ['goes']]);
      });

      it('deletes the first slice, too, when that is the empty one', () => {
        const plan = planSlices(service, group(range(0, 100)), [slice('goes', range(100, 150)), slice('stays', range(0, 100))]);
        expect([plan.create, plan.update, plan.delete.map(({ metadata }) => metadata?.name)]).toEqual([[], [], ['goes']]);
      });

      it('replaces slices whose ports nobody has any more', () => {
        const plan = planSlices(service, group(range(0, 2)), [slice('old', range(0, 2), [{ name: '', port: 9090, protocol: 'TCP' }])]);
        expect([lengths(plan.create), plan.update, plan.delete.map(({ metadata }) => metadata?.name)]).toEqual([[2], [], ['old']]);
      });

      it('keeps one empty slice for a service without endpoints', () => {
        const first = planSlices(service, [], []);
        expect([lengths(first.create), first.delete]).toEqual([[0], []]);
        expect(planSlices(service, [], [slice('empty', [], [])])).toEqual({ create: [], update: [], delete: [] });
        const { create, update, delete: deleted } = planSlices(service, [], [slice('empty', [], []), slice('second', [], [])]);
        expect([create, update, deleted.map(({ metadata }) => metadata?.name)]).toEqual([[], [], ['second']]);
      });

      it('takes a slice without lists for an empty one', () => {
        const { ports: _noPorts, endpoints: _noEndpoints, ...bare } = slice('bare', []);
        expect(planSlices(service, [], [bare as EndpointSlice])).toEqual({ create: [], update: [], delete: [] });
      });

      it('throws out an endpoint that stands for no pod', () => {
        const plan = planSlices(service, group(range(0, 1)), [slice('s', [{ addresses: ['192.0.2.1'] }])]);
        expect(plan.update.map(({ endpoints }) => endpoints)).toEqual([range(0, 1)]);
      });

      it('names every endpoint in exactly one slice, whatever was there before', () => {
        const before = [slice('a', range(0, 80)), slice('b', range(50, 130)), slice('c', [])];
        const plan = planSlices(service, group(range(20, 300)), before);
        const after = new Map(before.map((one) => [one.metadata?.name, one]));
        for (const one of plan.update) after.set(one.metadata?.name, one);
        for (const one of plan.delete) after.delete(one.metadata?.name);
        const all = [...after.values(), ...plan.create];
        expect(addresses(all.flatMap(({ endpoints }) => endpoints))).toEqual(addresses(range(20, 300)));
        expect(Math.max(...lengths(all))).toBeLessThanOrEqual(100);
      });
    });

    describe('the Endpoints object', () => {
      const groups = (...endpoints: Endpoint[]): EndpointGroup[] => [{ ports: [{ name: '', port: 8080, protocol: 'TCP' }], endpoints }];
      const at = (ip: string, conditions: Endpoint['conditions']): Endpoint => ({ addresses: [ip], ...(conditions ? { conditions } : {}) });
      const ready = { ready: true, serving: true, terminating: false };
      const notReady = { ready: false, serving: false, terminating: false };
      const leaving = { ready: false, serving: true, terminating: true };

      it('has the name of the service, and keeps ready addresses apart from the others', () => {
        const object = endpointsFor(service, groups(at('10.0.0.2', ready), at('10.0.0.1', ready), at('10.0.0.3', notReady)));
        expect(object.metadata).toMatchObject({ name: 'echo', namespace: 'default' });
        expect(object.subsets).toEqual([
          {
            addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }],
            notReadyAddresses: [{ ip: '10.0.0.3' }],
            ports: [{ port: 8080, protocol: 'TCP' }],
          },
        ]);
      });

      it('leaves out pods that are being deleted, and subsets without addresses', () => {
        expect(endpointsFor(service, groups(at('10.0.0.1', leaving))).subsets).toEqual([]);
      });

      it('names a pod that is being deleted while the service publishes it all the same', () => {
        const [subset] = endpointsFor(service, groups(at('10.0.0.1', { ...leaving, ready: true }))).subsets ?? [];
        expect(subset?.addresses).toEqual([{ ip: '10.0.0.1' }]);
      });

      it('has no list that would be empty', () => {
        const portless = (endpoint: Endpoint) => endpointsFor(service, [{ ports: [], endpoints: [endpoint] }]).subsets;
        expect(portless(at('10.0.0.1', ready))).toStrictEqual([{ addresses: [{ ip: '10.0.0.1' }] }]);
        expect(portless(at('10.0.0.1', notReady))).toStrictEqual([{ notReadyAddresses: [{ ip: '10.0.0.1' }] }]);
        expect(portless(at('10.0.0.1', undefined))).toStrictEqual([{ notReadyAddresses: [{ ip: '10.0.0.1' }] }]);
      });

      it('says of an address what the endpoint says: host name, node and pod', () => {
        const names = { hostname: 'db-0', nodeName: 'node-1', targetRef: { kind: 'Pod', namespace: 'default', name: 'db-0', uid: 'u' } };
        const [subset] = endpointsFor(service, groups({ ...at('10.0.0.1', ready), ...names })).subsets ?? [];
        expect(subset?.addresses).toEqual([{ ip: '10.0.0.1', ...names }]);
      });

      it('keeps the name of a port and what is spoken there', () => {
        const port = { name: 'web', port: 8080, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' };
        const [subset] = endpointsFor(service, [{ ports: [port], endpoints: [at('10.0.0.1', ready)] }]).subsets ?? [];
        expect(subset?.ports).toEqual([port]);
      });

      it.each([
        ['has the labels of the service', '10.96.0.7', { team: 'blue' }],
        ['is marked when the service is headless', 'None', { team: 'blue', 'service.kubernetes.io/headless': '' }],
      ])('%s', (_what, clusterIP, labels) => {
        const { metadata, spec } = service;
        const labelled = { ...service, metadata: { ...metadata, labels: { team: 'blue' } }, spec: { ...spec, clusterIP } };
        expect(endpointsFor(labelled, []).metadata?.labels).toEqual(labels);
      });
    });

    describe('in a control plane', () => {
      let cluster: Controllers;
      let namespace: string;
      beforeAll(async () => {
        cluster = await startControlPlane();
        await cluster.run(['endpoints-controller', 'endpointslice-controller']);
      });
      afterAll(() => cluster?.stop());
      beforeEach(async () => {
        namespace = await cluster.namespace();
      });

      const create = (spec: Partial<NonNullable<Service['spec']>> = {}) => cluster.client.create(Services, echoService(namespace, spec));
      const addPod = async (name: string, labels: Record<string, string> = { app: 'echo' }) => {
        const made = await cluster.client.create(Pods, pod(name, namespace).labelled(labels).boundTo('node-1'));
        const ip = newAddress();
        await playKubelet(cluster.client, made, { phase: 'Running', podIP: ip, conditions: [{ type: 'Ready', status: 'True' }] });
        return { pod: made, ip };
      };
      const slices = async () =>
        (await cluster.client.list(EndpointSlices, { namespace, labelSelector: 'kubernetes.io/service-name=echo' })).items;
      const haveEndpoints = (expected: Record<string, boolean>) =>
        cluster.eventually(`the slices name ${JSON.stringify(expected)}`, async () => {
          const endpoints = (await slices()).flatMap((slice) => slice.endpoints);
          expect(Object.fromEntries(endpoints.map((endpoint) => [endpoint.addresses[0], endpoint.conditions?.ready]))).toEqual(expected);
          return true;
        });
      const subsets = async () => (await cluster.client.get(Endpoints, { name: 'echo', namespace })).subsets ?? [];

      it('names the ready pods that the service selects, in both forms', async () => {
        await create();
        const [a, b] = [await addPod('a'), await addPod('b')];
        await addPod('stranger', { app: 'other' });
        await haveEndpoints({ [a.ip]: true, [b.ip]: true });
        await cluster.eventually('the Endpoints object names them', async () => {
          expect((await subsets()).flatMap(({ addresses: list = [] }) => list.map(({ ip }) => ip))).toEqual([a.ip, b.ip].sort());
          return true;
        });
        const [slice] = await slices();
        expect(slice?.ports).toEqual([{ name: '', port: 8080, protocol: 'TCP' }]);
      });

      it('follows pods that lose and regain readiness', async () => {
        await create();
        const a = await addPod('a');
        await haveEndpoints({ [a.ip]: true });
        await playKubelet(cluster.client, a.pod, { conditions: [{ type: 'Ready', status: 'False' }] });
        await haveEndpoints({ [a.ip]: false });
        await cluster.eventually('Endpoints has it as not ready', async () => (await subsets())[0]?.notReadyAddresses?.[0]?.ip === a.ip);
        await playKubelet(cluster.client, a.pod, { conditions: [{ type: 'Ready', status: 'True' }] });
        await haveEndpoints({ [a.ip]: true });
      });

      it('says of a pod on its way out that it is terminating, and forgets it when it is gone', async () => {
        await create();
        const a = await addPod('a');
        await haveEndpoints({ [a.ip]: true });
        await cluster.client.delete(Pods, { name: 'a', namespace });
        await cluster.eventually('the endpoint is terminating, but still serving', async () => {
          const [endpoint] = (await slices()).flatMap((slice) => slice.endpoints);
          expect(endpoint?.conditions).toEqual({ ready: false, serving: true, terminating: true });
          return true;
        });
        await cluster.eventually('Endpoints does not name it', async () => (await subsets()).length === 0);
        await cluster.client.delete(Pods, { name: 'a', namespace }, { gracePeriodSeconds: 0 });
        await haveEndpoints({});
      });

      it('follows a pod whose labels change', async () => {
        await create();
        const a = await addPod('a');
        await haveEndpoints({ [a.ip]: true });
        await change(cluster.client, Pods, a.pod, (fresh) => ({ ...fresh, metadata: { ...fresh.metadata, labels: { app: 'taken-out' } } }));
        await haveEndpoints({});
      });

      it('gives the Endpoints object the labels of the service, also when they change', async () => {
        const made = await create();
        const labels = { team: 'blue' };
        await cluster.eventually('Endpoints is there', async () =>
          (await cluster.client.list(Endpoints, { namespace })).items.some(({ metadata }) => metadata?.name === 'echo'),
        );
        await change(cluster.client, Services, made, (fresh) => ({ ...fresh, metadata: { ...fresh.metadata, labels } }));
        await cluster.eventually('it has the label', async () => {
          const { metadata } = await cluster.client.get(Endpoints, { name: 'echo', namespace });
          return metadata?.labels?.team === 'blue';
        });
      });

      it('marks the slices of a headless service', async () => {
        await create({ clusterIP: 'None' });
        const a = await addPod('a');
        await haveEndpoints({ [a.ip]: true });
        expect((await slices())[0]?.metadata?.labels).toHaveProperty(['service.kubernetes.io/headless']);
      });

      it('leaves the endpoints of a service without a selector alone', async () => {
        const { selector: _none, ...spec } = echoService(namespace).spec ?? {};
        await cluster.client.create(Services, { ...echoService(namespace), spec });
        const metadata = { name: 'echo', namespace };
        await cluster.client.create(Endpoints, { metadata, subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }] });
        await cluster.client.create(Services, { ...echoService(namespace), metadata: { name: 'other', namespace } });
        await cluster.eventually('the controllers have come to a later service', async () => {
          const { items } = await cluster.client.list(EndpointSlices, { namespace });
          return items.some((slice) => slice.metadata?.labels?.['kubernetes.io/service-name'] === 'other');
        });
        expect(await slices()).toEqual([]);
        expect((await subsets())[0]?.addresses).toEqual([{ ip: '192.0.2.1' }]);
      });

      it('touches no slice that somebody else manages', async () => {
        await create();
        const labels = { 'kubernetes.io/service-name': 'echo', 'endpointslice.kubernetes.io/managed-by': 'somebody-else' };
        await cluster.client.create(EndpointSlices, {
          metadata: { name: 'foreign', namespace, labels },
          addressType: 'IPv4',
          ports: [],
          endpoints: [{ addresses: ['192.0.2.1'] }],
        });
        const a = await addPod('a');
        await cluster.eventually('its own slice is written', async () =>
          (await slices()).some(({ endpoints }) => endpoints[0]?.addresses[0] === a.ip),
        );
        expect((await cluster.client.get(EndpointSlices, { name: 'foreign', namespace })).endpoints).toMatchObject([
          { addresses: ['192.0.2.1'] },
        ]);
      });

      it('deletes both forms with the service', async () => {
        await create();
        const a = await addPod('a');
        await haveEndpoints({ [a.ip]: true });
        await cluster.eventually('Endpoints is there', async () => (await subsets()).length === 1);
        await cluster.client.delete(Services, { name: 'echo', namespace });
        await cluster.eventually('nothing is left', async () => {
          const { items } = await cluster.client.list(Endpoints, { namespace });
          return items.length === 0 && (await slices()).length === 0;
        });
      });
    });

    it('does not write an Endpoints object that is right', async () => {
      const cluster = await startControlPlane();
      try {
        const namespace = await cluster.namespace();
        const { client, writes } = recording(cluster.client, Endpoints);
        await cluster.run(['endpoints-controller'], client);
        const exists = (name: string) =>
          cluster.eventually(`the Endpoints object "${name}"`, async () => {
            const { items } = await cluster.client.list(Endpoints, { namespace });
            return items.some(({ metadata }) => metadata?.name === name);
          });
        const create = (name: string) => cluster.client.create(Services, { ...echoService(namespace), metadata: { name, namespace } });
        const service = await create('echo');
        await exists('echo');
        for (const look of ['this', 'and this', 'wakes the controller']) {
          await change(cluster.client, Services, service, (fresh) => ({
            ...fresh,
            metadata: { ...fresh.metadata, annotations: { look } },
          }));
        }
        await create('later');
        await exists('later');
        expect(writes).toEqual([]);
      } finally {
        await cluster.stop();
      }
    });

    it('makes no slice twice while its cache lags behind', async () => {
      const cluster = await startControlPlane();
      try {
        const namespace = await cluster.namespace();
        const { client, release } = lagging(cluster.client, EndpointSlices);
        await cluster.run(['endpointslice-controller'], client);
        const all = async () => (await cluster.client.list(EndpointSlices, { namespace })).items;
        const service = await cluster.client.create(Services, echoService(namespace));
        await cluster.eventually('a slice', async () => (await all()).length === 1);
        for (let look = 0; look < 3; look++) {
          await change(cluster.client, Services, service, (fresh) => ({
            ...fresh,
            metadata: { ...fresh.metadata, annotations: { look: `${look}` } },
          }));
        }
        await cluster.client.create(Services, { ...echoService(namespace), metadata: { name: 'later', namespace } });
        await cluster.eventually('a slice of a later service', async () =>
          (await all()).some(({ metadata }) => metadata?.labels?.['kubernetes.io/service-name'] === 'later'),
        );
        release();
        expect(await all()).toHaveLength(2);
      } finally {
        await cluster.stop();
      }
    });
  });
});
