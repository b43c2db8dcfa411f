// Readiness gates: a pod whose containers are ready waits for what others say of it, and kubectl shows how far it is.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Pod, type PodCondition, Pods } from '#kit/api';
import type { RunningComponent } from '#kit/component';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';
import { HollowRuntime, startKubelet } from '#kubelet';
import { closedGates } from '#kubelet/readiness-gates';

const balancer = 'example.com/balancer';
const dns = 'example.com/dns';

describe('readiness gates', () => {
  const pod = (...conditions: Partial<PodCondition>[]) =>
    ({ spec: { readinessGates: [balancer, dns].map((conditionType) => ({ conditionType })) }, status: { conditions } }) as Pod;

  it.each<[string, string, Partial<PodCondition>[]]>([
    [
      'nobody has said a word',
      `corresponding condition of pod readiness gate "${balancer}" does not exist., ` +
        `corresponding condition of pod readiness gate "${dns}" does not exist.`,
      [],
    ],
    [
      'one says no',
      `the status of pod readiness gate "${dns}" is not "True", but Unknown`,
      [
        { type: balancer, status: 'True' },
        { type: dns, status: 'Unknown' },
      ],
    ],
    [
      'all say yes',
      '',
      [
        { type: dns, status: 'True' },
        { type: balancer, status: 'True' },
      ],
    ],
  ])('tell what is missing: %s', (_, message, conditions) => {
    expect(closedGates(pod(...conditions))).toBe(message);
  });

  describe('on a node', () => {
    let plane: TestControlPlane;
    let kubelet: RunningComponent;
    let kubectl: Kubectl;

    beforeAll(async () => {
      plane = await startTestControlPlane();
      const { context, ca: clientCa, clientFor, issue } = plane;
      const podCidr = '10.244.1.0/24';
      kubelet = await startKubelet({
        client: await clientFor('system:node:node-1', ['system:nodes']),
        nodeName: 'node-1',
        nodeIp: '172.30.0.1',
        podCidr,
        runtime: new HollowRuntime({ podCidr, clock: context.clock }),
        listen: { host: '127.0.0.1', port: 0 },
        tls: { ...(await issue('system:node:node-1', ['system:nodes'])), clientCa },
        clusterDns: '10.96.0.10',
        clusterDomain: 'cluster.local',
        ...context,
      });
      kubectl = await kubectlFor(plane);
    });
    afterAll(async () => {
      await kubectl?.dispose();
      await kubelet?.stop();
      await plane?.stop();
    });

    const name = { name: 'web', namespace: 'default' };
    const say = (type: string, status: string) =>
      plane.client.patch(Pods, name, 'strategic-merge', { status: { conditions: [{ type, status }] } }, { subresource: 'status' });
    const conditionOf = async (type: string) =>
      (await plane.client.get(Pods, name)).status?.conditions?.find((condition) => condition.type === type);
    /** The condition, once it has this status and message. */
    const ready = (status: string, message?: string) =>
      plane.eventually(`Ready is ${status}: ${message}`, async () => {
        const condition = await conditionOf('Ready');
        return condition?.status === status && condition.message === message && condition;
      });
    const shown = async () => (await kubectl(['get', 'pod', 'web', '-o', 'wide', '--no-headers'])).trim().split(/ {2,}/).at(-1);

    it('keep a pod from being Ready until every one is True, and again when one is not any more', async () => {
      const spec = {
        nodeName: 'node-1',
        containers: [{ name: 'web', image: 'web' }],
        readinessGates: [{ conditionType: balancer }, { conditionType: dns }],
      };
      await plane.client.create(Pods, { metadata: name, spec });
      const missing = (type: string) => `corresponding condition of pod readiness gate "${type}" does not exist.`;
      const closed = await ready('False', `${missing(balancer)}, ${missing(dns)}`);
      expect(closed.reason).toBe('ReadinessGatesNotReady');
      expect(await conditionOf('ContainersReady')).toMatchObject({ status: 'True' });
      expect(await shown()).toBe('0/2');

      await say(balancer, 'True');
      const half = await ready('False', missing(dns));
      expect(half.lastTransitionTime).toBe(closed.lastTransitionTime);
      expect(await shown()).toBe('1/2');

      await say(dns, 'True');
      const open = await ready('True');
      expect(open).not.toHaveProperty('reason');
      expect(await shown()).toBe('2/2');

      await say(balancer, 'False');
      await ready('False', `the status of pod readiness gate "${balancer}" is not "True", but False`);
      expect(await shown()).toBe('1/2');
      expect(await conditionOf(balancer)).toMatchObject({ status: 'False' });
    });
  });
});
