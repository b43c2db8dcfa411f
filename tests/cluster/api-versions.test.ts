// One object in two versions: HorizontalPodAutoscalers are stored as autoscaling/v2 and served as v1, too (`kubectl autoscale` writes v1
// until 1.32); events are stored as core's and served as those of events.k8s.io; and all of them as nothing but their metadata.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HorizontalPodAutoscaler as V1 } from 'kubernetes-types/autoscaling/v1';
import type { HorizontalPodAutoscaler as V2 } from 'kubernetes-types/autoscaling/v2';
import type { Event as V1Event } from 'kubernetes-types/events/v1';
import { Events, type KubernetesObject, type Resource } from '#kit/api';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';
import { readLines } from '#kit/transport';

const names = { kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', namespaced: true } as const;
const inV1: Resource<V1> = { apiVersion: 'autoscaling/v1', ...names };
const inV2: Resource<V2> = { apiVersion: 'autoscaling/v2', ...names };

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'echo' };
const cpu = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '200Mi' } } };
const behavior = { scaleDown: { stabilizationWindowSeconds: 60 } };

describe('API server: one object in two versions', () => {
  let plane: TestControlPlane;
  let kubectl: Kubectl;

  beforeAll(async () => {
    plane = await startTestControlPlane();
    kubectl = await kubectlFor(plane);
  });

  afterAll(async () => {
    await kubectl?.dispose();
    await plane?.stop();
  });

  describe('autoscaling/v1 beside v2', () => {
    const v1 = (name: string, spec: Partial<V1['spec']> = {}): V1 => ({
      metadata: { name, namespace: 'default' },
      spec: { scaleTargetRef, maxReplicas: 5, ...spec },
    });
    const v2 = (name: string, spec: Partial<V2['spec']> = {}): V2 => ({
      metadata: { name, namespace: 'default' },
      spec: { scaleTargetRef, maxReplicas: 5, ...spec },
    });
    const named = (name: string) => ({ namespace: 'default', name });

    it('shows in v2 what was written in v1', async () => {
      const written = await plane.client.create(inV1, v1('from-v1', { targetCPUUtilizationPercentage: 60 }));
      expect(written).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 60, minReplicas: 1 } });
      const read = await plane.client.get(inV2, named('from-v1'));
      expect(read).toMatchObject({ apiVersion: 'autoscaling/v2', metadata: { uid: written.metadata?.uid } });
      expect(read.spec?.metrics).toEqual([cpu(60)]);
    });

    it('shows in v1 what was written in v2, and keeps there what v1 has no field for', async () => {
      await plane.client.create(inV2, v2('from-v2', { metrics: [memory, cpu(70)], behavior }));
      const read = await plane.client.get(inV1, named('from-v2'));
      expect(read).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 70 } });
      expect(read.spec).not.toHaveProperty('metrics');

      await plane.client.update(inV1, { ...read, spec: { scaleTargetRef, maxReplicas: 9, targetCPUUtilizationPercentage: 50 } });
      const { metadata, spec } = await plane.client.get(inV2, named('from-v2'));
      expect(spec).toEqual({ scaleTargetRef, minReplicas: 1, maxReplicas: 9, metrics: [cpu(50), memory], behavior });
      expect(metadata?.annotations ?? {}).toEqual({});
    });

    it('patches in the version of the URL', async () => {
      await plane.client.create(inV2, v2('patched', { metrics: [cpu(70)] }));
      await kubectl([
        'patch',
        'horizontalpodautoscalers.v1.autoscaling',
        'patched',
        '--type=merge',
        '-p',
        '{"spec":{"targetCPUUtilizationPercentage":42}}',
      ]);
      expect((await plane.client.get(inV2, named('patched'))).spec?.metrics).toEqual([cpu(42)]);
    });

    it('lists and watches in the version of the URL, and selects the same objects in both', async () => {
      await plane.client.create(inV2, { ...v2('seen'), metadata: { ...named('seen'), labels: { show: 'me' } } });
      const { items, metadata } = await plane.client.list(inV1, { labelSelector: 'show=me' });
      expect(items).toMatchObject([{ metadata: { name: 'seen' }, spec: { targetCPUUtilizationPercentage: 80 } }]);

      const since = Number(metadata.resourceVersion) - 1;
      const events = plane.client.watch(inV1, { resourceVersion: String(since), labelSelector: 'show=me' });
      for await (const { type, object } of events) {
        expect(type).toBe('ADDED');
        expect(object).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 80 } });
        break;
      }
    });

    it('refuses what its annotations cannot say', async () => {
      const annotations = { 'autoscaling.alpha.kubernetes.io/metrics': '[{"type": 7}]' };
      const wanted = { ...v1('wrong'), metadata: { ...named('wrong'), annotations } };
      await expect(plane.client.create(inV1, wanted)).rejects.toMatchObject({ reason: 'BadRequest' });
    });

    it('does what kubectl autoscale asks for', async () => {
      const deployment = await kubectl(['create', 'deployment', 'echo', '--image=kubekata/echo:v1']);
      expect(deployment).toContain('created');
      await kubectl(['autoscale', 'deployment', 'echo', '--min=2', '--max=7', '--cpu-percent=65']);
      const { spec } = await plane.client.get(inV2, named('echo'));
      expect(spec).toMatchObject({ minReplicas: 2, maxReplicas: 7, metrics: [cpu(65)] });
      expect(await kubectl(['get', 'hpa', 'echo'])).toMatch(/echo +Deployment\/echo +cpu: <unknown>\/65% +2 +7/);
    });
  });

  describe('events.k8s.io/v1 beside the core events', () => {
    const newEvents: Resource<V1Event> = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events', namespaced: true };

    it('is the same event in other words, whichever it was written in', async () => {
      const regarding = { kind: 'Pod', name: 'web', namespace: 'default' };
      const written = await plane.client.create(newEvents, {
        metadata: { name: 'new-words', namespace: 'default' },
        eventTime: '2026-01-02T03:04:05.000006Z',
        reportingController: 'example.com/doer',
        reportingInstance: 'doer-1',
        action: 'Doing',
        reason: 'Done',
        note: 'all of it',
        type: 'Normal',
        regarding,
      });
      expect(written).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'all of it', regarding });
      const core = await plane.client.get(Events, { namespace: 'default', name: 'new-words' });
      expect(core).toMatchObject({
        apiVersion: 'v1',
        message: 'all of it',
        involvedObject: regarding,
        reportingComponent: 'example.com/doer',
      });
      const { items } = await plane.client.list(newEvents, { namespace: 'default', fieldSelector: 'reason=Done' });
      expect(items).toMatchObject([{ note: 'all of it' }]);
    });
  });

  it('shows a client that wants metadata only nothing else, also where a streaming list ends', async () => {
    const response = await plane.client.send({
      method: 'GET',
      path: '/api/v1/namespaces?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
      headers: { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' },
    });
    const kinds = new Set<string>();
    for await (const line of readLines(response.body)) {
      const { type, object } = JSON.parse(line) as { type: string; object: KubernetesObject };
      kinds.add(`${object.apiVersion} ${object.kind}`);
      if (type === 'BOOKMARK') break;
    }
    expect([...kinds]).toEqual(['meta.k8s.io/v1 PartialObjectMetadata']);
  });
});
