import { beforeEach, describe, expect, it } from '@jest/globals';
import type { EndpointSlice, Service } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { chainHash, endpointChainName, serviceChainName } from '#kube-proxy/chain-names';
import { addressOf, type Endpoint } from '#kube-proxy/endpoints';
import { planServicePorts, type ServicePortPlan } from '#kube-proxy/plan';
import { servicePortName, servicePortsOf } from '#kube-proxy/service-ports';
import { gone, leaving, notReady, ready, service, sliceOf } from './harness.ts';

const addresses = (endpoints: Endpoint[]) => endpoints.map(addressOf);

/** The plan of one Service with one port. */
function planOf(owner: Service, slices: EndpointSlice[], nodeName = 'node-1'): ServicePortPlan {
  const plan = planServicePorts([owner], slices, nodeName);
  if (plan.length !== 1 || !plan[0]) throw new Error(`the Service has one port that needs rules, but the plan has ${plan.length}`);
  return plan[0];
}

describe('kube-proxy', () => {
  describe('6.1 from Services and EndpointSlices to a plan', () => {
    beforeEach(() => NotImplemented.forget());

    describe('a Service port', () => {
      it('is called namespace/service:port', () => {
        expect(servicePortName('default', 'echo', 'http')).toBe('default/echo:http');
      });

      it('is called namespace/service when the port has no name', () => {
        expect(servicePortName('default', 'echo', '')).toBe('default/echo');
      });

      it('has the address, the port and the protocol that clients use', () => {
        expect(servicePortsOf(service('echo'))).toMatchObject([
          { name: 'default/echo:http', service: 'default/echo', protocol: 'tcp', clusterIp: '10.96.0.20', port: 80 },
        ]);
      });

      it('is one of as many as the Service has', () => {
        const dns = service('dns', {
          ports: [
            { name: 'dns', port: 53, protocol: 'UDP' },
            { name: 'dns-tcp', port: 53, protocol: 'TCP' },
          ],
        });
        expect(servicePortsOf(dns)).toMatchObject([
          { name: 'default/dns:dns', protocol: 'udp', port: 53 },
          { name: 'default/dns:dns-tcp', protocol: 'tcp', port: 53 },
        ]);
      });

      it('uses TCP when the Service names no protocol', () => {
        expect(servicePortsOf(service('echo', { ports: [{ port: 80 }] }))).toMatchObject([{ name: 'default/echo', protocol: 'tcp' }]);
      });

      it('has a node port only if the Service got one', () => {
        const open = service('echo', { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080 }] });
        expect(servicePortsOf(open)[0]?.nodePort).toBe(30080);
        expect(servicePortsOf(service('echo'))[0]?.nodePort).toBeUndefined();
      });

      it('keeps a client at its endpoint for three hours when session affinity is ClientIP', () => {
        const withoutSeconds = service('echo', { sessionAffinity: 'ClientIP', sessionAffinityConfig: {} });
        expect(servicePortsOf(service('echo', { sessionAffinity: 'ClientIP' }))[0]?.affinitySeconds).toBe(10_800);
        expect(servicePortsOf(withoutSeconds)[0]?.affinitySeconds).toBe(10_800);
      });

      it('keeps a client at its endpoint as long as the Service says', () => {
        const sticky = service('echo', { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } });
        expect(servicePortsOf(sticky)[0]?.affinitySeconds).toBe(60);
      });

      it('keeps no client when there is no session affinity', () => {
        expect(servicePortsOf(service('echo', { sessionAffinity: 'None' }))[0]?.affinitySeconds).toBeUndefined();
      });

      it('knows when traffic from outside must stay on the node', () => {
        expect(servicePortsOf(service('echo', { type: 'NodePort', externalTrafficPolicy: 'Local' }))[0]?.externalTrafficLocal).toBe(true);
        expect(servicePortsOf(service('echo', { type: 'NodePort', externalTrafficPolicy: 'Cluster' }))[0]?.externalTrafficLocal).toBe(
          false,
        );
      });
    });

    describe('which Services need rules', () => {
      const meshed = service('echo');
      meshed.metadata = { ...meshed.metadata, labels: { 'service.kubernetes.io/service-proxy-name': 'mesh' } };
      const { clusterIP, ...unallocated } = service('echo').spec ?? {};

      it.each([
        ['a ClusterIP Service', service('echo'), 1],
        ['a NodePort Service', service('echo', { type: 'NodePort' }), 1],
        ['a LoadBalancer Service', service('echo', { type: 'LoadBalancer' }), 1],
        ['no headless Service: its clients find the pods by DNS', service('echo', { clusterIP: 'None' }), 0],
        [
          'no ExternalName Service: it is a name in DNS',
          service('echo', { type: 'ExternalName', externalName: 'example.com', clusterIP: '' }),
          0,
        ],
        ['no ExternalName Service that was a ClusterIP Service once', service('echo', { type: 'ExternalName' }), 0],
        ['no Service without an address yet', { ...service('echo'), spec: unallocated }, 0],
        ['no Service that another proxy serves', meshed, 0],
        ['no Service without ports', { ...service('echo'), spec: { type: 'ClusterIP', clusterIP: '10.96.0.20' } }, 0],
      ])('%s', (_, owner, ports) => {
        expect(servicePortsOf(owner)).toHaveLength(ports);
        expect(planServicePorts([owner], [], 'node-1')).toHaveLength(ports);
      });
    });

    describe('the endpoints behind it', () => {
      it('are the addresses of its slice with the port that the slice gives, not the one of the Service', () => {
        const plan = planOf(service('echo', { ports: [{ name: 'http', port: 80, targetPort: 'web' }] }), [sliceOf('echo', ['10.244.1.2'])]);
        expect(addresses(plan.endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('may listen on different numbers: a named target port is resolved pod by pod', () => {
        const newer = sliceOf('echo', ['10.244.1.3'], { name: 'echo-2', ports: [{ name: 'http', port: 9090, protocol: 'TCP' }] });
        const plan = planOf(service('echo', { ports: [{ name: 'http', port: 80, targetPort: 'web' }] }), [
          sliceOf('echo', ['10.244.1.2']),
          newer,
        ]);
        expect(addresses(plan.endpoints)).toEqual(['10.244.1.2:8080', '10.244.1.3:9090']);
      });

      it('come from all slices of the Service', () => {
        const slices = [sliceOf('echo', ['10.244.1.2']), sliceOf('echo', ['10.244.1.3', '10.244.2.2'], { name: 'echo-2' })];
        expect(addresses(planOf(service('echo'), slices).endpoints)).toEqual(['10.244.1.2:8080', '10.244.1.3:8080', '10.244.2.2:8080']);
      });

      it('are told apart by namespace, not by the name of the Service alone', () => {
        const slices = [sliceOf('echo', ['10.244.1.2']), sliceOf('echo', ['10.244.1.9'], { namespace: 'other' })];
        expect(addresses(planOf(service('echo'), slices).endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('belong to the Service that the label names, whatever the name of the slice', () => {
        const slices = [sliceOf('echo', ['10.244.1.2'], { name: 'x7' }), sliceOf('web', ['10.244.1.9'], { name: 'echo-1' })];
        expect(addresses(planOf(service('echo'), slices).endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('are those of the slice port with the same name', () => {
        const twoPorts = service('echo', {
          ports: [
            { name: 'http', port: 80 },
            { name: 'metrics', port: 9100 },
          ],
        });
        const ports = [
          { name: 'metrics', port: 9101 },
          { name: 'http', port: 8080 },
        ];
        const plan = planServicePorts([twoPorts], [sliceOf('echo', ['10.244.1.2'], { ports })], 'node-1');
        expect(plan.map(({ name, endpoints }) => [name, ...addresses(endpoints)])).toEqual([
          ['default/echo:http', '10.244.1.2:8080'],
          ['default/echo:metrics', '10.244.1.2:9101'],
        ]);
      });

      it('match a port without a name by its missing name', () => {
        const plan = planOf(service('echo', { ports: [{ port: 80 }] }), [
          sliceOf('echo', ['10.244.1.2'], { ports: [{ name: '', port: 8080 }] }),
        ]);
        expect(addresses(plan.endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('match a port without a name by a slice port that leaves its name out', () => {
        const plan = planOf(service('echo', { ports: [{ port: 80 }] }), [sliceOf('echo', ['10.244.1.2'], { ports: [{ port: 8080 }] })]);
        expect(addresses(plan.endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('do not include a slice port of another protocol', () => {
        const udp = sliceOf('echo', ['10.244.1.2'], { ports: [{ name: 'http', port: 8080, protocol: 'UDP' }] });
        expect(addresses(planOf(service('echo'), [udp]).endpoints)).toEqual([]);
      });

      it('do not include a slice port without a number: it does not say where to connect to', () => {
        const open = sliceOf('echo', ['10.244.1.2'], { ports: [{ name: 'http' }] });
        expect(addresses(planOf(service('echo'), [open]).endpoints)).toEqual([]);
      });

      it('do not include addresses of another family or mere names', () => {
        const slices = [
          sliceOf('echo', ['fd00::2'], { name: 'echo-v6', addressType: 'IPv6' }),
          sliceOf('echo', ['echo.example.com'], { name: 'echo-names', addressType: 'FQDN' }),
        ];
        expect(addresses(planOf(service('echo'), slices).endpoints)).toEqual([]);
      });

      it('do not include what is no IPv4 address in a slice that says it is', () => {
        const wrong = sliceOf('echo', ['echo.example.com', { addresses: [] }, '10.244.1.2']);
        expect(addresses(planOf(service('echo'), [wrong]).endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('do not include addresses of a slice of another type, whatever they look like', () => {
        const names = sliceOf('echo', ['10.244.1.2'], { addressType: 'FQDN' });
        expect(addresses(planOf(service('echo'), [names]).endpoints)).toEqual([]);
      });

      it('are counted once, however many slices list them', () => {
        const slices = [sliceOf('echo', ['10.244.1.2']), sliceOf('echo', ['10.244.1.2', '10.244.1.3'], { name: 'echo-2' })];
        expect(addresses(planOf(service('echo'), slices).endpoints)).toEqual(['10.244.1.2:8080', '10.244.1.3:8080']);
      });

      it('are ready if one of two slices that list them says so', () => {
        const older = sliceOf('echo', [notReady('10.244.1.2')]);
        const newer = sliceOf('echo', ['10.244.1.2'], { name: 'echo-2' });
        expect(addresses(planOf(service('echo'), [older, newer]).endpoints)).toEqual(['10.244.1.2:8080']);
        expect(addresses(planOf(service('echo'), [newer, older]).endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('are the first address of each: the others lead to the same pod', () => {
        const plan = planOf(service('echo'), [sliceOf('echo', [{ addresses: ['10.244.1.2', '10.244.1.3'] }])]);
        expect(addresses(plan.endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('are sorted by address', () => {
        const plan = planOf(service('echo'), [sliceOf('echo', ['10.244.1.4', '10.244.1.2', '10.244.1.3'])]);
        expect(addresses(plan.endpoints)).toEqual(['10.244.1.2:8080', '10.244.1.3:8080', '10.244.1.4:8080']);
      });

      it('are none in a slice that lists no endpoints or no ports', () => {
        const { endpoints, ...withoutEndpoints } = sliceOf('echo', ['10.244.1.2']);
        const { ports, ...withoutPorts } = sliceOf('echo', ['10.244.1.3'], { name: 'echo-2' });
        const slices = [withoutEndpoints, withoutPorts, sliceOf('echo', ['10.244.1.4'], { name: 'echo-3' })] as EndpointSlice[];
        expect(addresses(planOf(service('echo'), slices).endpoints)).toEqual(['10.244.1.4:8080']);
      });

      it('may be none', () => {
        expect(planOf(service('echo'), []).endpoints).toEqual([]);
      });
    });

    describe('which of them get connections', () => {
      it('the ready ones, and no other', () => {
        const slice = sliceOf('echo', [ready('10.244.1.2'), notReady('10.244.1.3'), leaving('10.244.1.4'), gone('10.244.1.5')]);
        expect(addresses(planOf(service('echo'), [slice]).endpoints)).toEqual(['10.244.1.2:8080']);
      });

      it('those that are stopping but still serve, when none is ready', () => {
        const slice = sliceOf('echo', [notReady('10.244.1.3'), leaving('10.244.1.4'), gone('10.244.1.5')]);
        expect(addresses(planOf(service('echo'), [slice]).endpoints)).toEqual(['10.244.1.4:8080']);
      });

      it('none, when none is ready and none is stopping: a pod that has not started yet would not answer', () => {
        const startingUp = { addresses: ['10.244.1.3'], conditions: { ready: false, serving: true, terminating: false } };
        expect(addresses(planOf(service('echo'), [sliceOf('echo', [startingUp, notReady('10.244.1.4')])]).endpoints)).toEqual([]);
      });

      it('one without conditions: what is not said counts as ready', () => {
        expect(addresses(planOf(service('echo'), [sliceOf('echo', [{ addresses: ['10.244.1.2'] }])]).endpoints)).toEqual([
          '10.244.1.2:8080',
        ]);
      });

      it('not one that serves without being ready and does not say whether it is stopping: then it is not', () => {
        const startingUp = { addresses: ['10.244.1.2'], conditions: { ready: false, serving: true } };
        expect(addresses(planOf(service('echo'), [sliceOf('echo', [startingUp])]).endpoints)).toEqual([]);
      });

      it('each with what its slice says of it', () => {
        const slice = sliceOf('echo', [{ addresses: ['10.244.1.2'], nodeName: 'node-7' }]);
        expect(planOf(service('echo'), [slice]).endpoints).toEqual([
          { ip: '10.244.1.2', port: 8080, nodeName: 'node-7', ready: true, serving: true, terminating: false },
        ]);
      });

      it('not one that is not ready and does not say whether it serves: then it does not', () => {
        const stopping = { addresses: ['10.244.1.2'], conditions: { ready: false, terminating: true } };
        expect(addresses(planOf(service('echo'), [sliceOf('echo', [stopping])]).endpoints)).toEqual([]);
      });

      it("from outside, where traffic stays on the node, that node's own", () => {
        const local = service('echo', { type: 'NodePort', externalTrafficPolicy: 'Local' });
        const slices = [sliceOf('echo', [ready('10.244.1.2', 'node-1'), ready('10.244.2.2', 'node-2')])];
        expect(addresses(planOf(local, slices, 'node-2').localEndpoints)).toEqual(['10.244.2.2:8080']);
        expect(addresses(planOf(local, slices, 'node-2').endpoints)).toEqual(['10.244.1.2:8080', '10.244.2.2:8080']);
        expect(addresses(planOf(local, slices, 'node-3').localEndpoints)).toEqual([]);
      });
    });

    describe('the plan', () => {
      it('is the same in whatever order Services, slices and endpoints come: the same rules need not be written again', () => {
        const services = [
          service('echo'),
          service('web', { clusterIP: '10.96.0.30' }),
          service('echo', { clusterIP: '10.96.0.40' }, 'other'),
        ];
        const slices = [
          sliceOf('echo', ['10.244.1.3', '10.244.1.2']),
          sliceOf('echo', ['10.244.2.2'], { name: 'echo-2' }),
          sliceOf('web', ['10.244.1.4']),
        ];
        const turned = slices.map((slice) => ({ ...slice, endpoints: slice.endpoints.toReversed() })).toReversed();
        const plan = planServicePorts(services, slices, 'node-1');
        expect(plan).toHaveLength(3);
        expect(planServicePorts(services.toReversed(), turned, 'node-1')).toEqual(plan);
      });

      it('is sorted by name', () => {
        const ports = ['http', 'admin', 'metrics'].map((name, index) => ({ name, port: 80 + index }));
        const plan = planServicePorts([service('web', { ports }), service('echo')], [], 'node-1');
        expect(plan.map(({ name }) => name)).toEqual(['default/echo:http', 'default/web:admin', 'default/web:http', 'default/web:metrics']);
      });

      it('changes neither Services nor slices: they belong to the cache', () => {
        const services = [service('web'), service('echo')];
        const slices = [sliceOf('echo', ['10.244.1.3', '10.244.1.2'])];
        const before = structuredClone({ services, slices });
        planServicePorts(services, slices, 'node-1');
        expect({ services, slices }).toEqual(before);
      });
    });

    describe("a chain's name", () => {
      it("is the real kube-proxy's: the hash of ns1/svc1:p80 and tcp is XPGD46QRK7WJZT7O", () => {
        expect(chainHash('ns1/svc1:p80tcp')).toBe('XPGD46QRK7WJZT7O');
        expect(serviceChainName({ name: 'ns1/svc1:p80', protocol: 'tcp' })).toBe('KUBE-SVC-XPGD46QRK7WJZT7O');
        expect(endpointChainName({ name: 'ns1/svc1:p80', protocol: 'tcp' }, '10.180.0.1:80')).toBe('KUBE-SEP-SXIVWICOYRO3J4NJ');
      });

      it('fits the 28 characters that iptables allows, however long the Service is called', () => {
        const name = servicePortName('n'.repeat(63), 's'.repeat(63), 'p'.repeat(15));
        expect(serviceChainName({ name, protocol: 'sctp' }).length).toBeLessThanOrEqual(28);
      });
    });
  });
});
