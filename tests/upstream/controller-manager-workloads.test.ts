// The real controller manager's workloads on our API server: what Deployment, StatefulSet, DaemonSet, Job and CronJob promise comes true.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Deployments, PersistentVolumeClaims, type Pod, Pods, ReplicaSets } from '#kit/api';
import { isNotFound } from '#kit/status';
import { UpstreamCluster } from './cluster.ts';
import { CronJobs, DaemonSets, deployment, HorizontalPodAutoscalers, Jobs, PersistentVolumes, StatefulSets, template } from './kinds.ts';

jest.setTimeout(120_000);

const namespace = 'shop';
const named = (name: string) => ({ name, namespace });
const isReady = ({ status }: Pod) => status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

describe('the real kube-controller-manager: workloads', () => {
  let cluster: UpstreamCluster;
  beforeAll(async () => {
    cluster = await UpstreamCluster.start();
    await cluster.namespace(namespace);
  });
  afterAll(() => cluster?.stop());

  const kubectl = (command: string, within = 60_000) => cluster.kubectl(['-n', namespace, ...command.split(' ')], { within });

  describe('a Deployment', () => {
    it('gets its pods by way of a ReplicaSet', async () => {
      const made = await cluster.client.create(Deployments, deployment(namespace, 'web', 3));
      await cluster.until(Deployments, made, ({ status }) => status?.availableReplicas === 3 && status.observedGeneration === 1);
      expect((await cluster.pods(namespace, 'web')).filter(isReady)).toHaveLength(3);
    });

    it('rolls out, and back', async () => {
      const images = async () => new Set((await cluster.pods(namespace, 'web')).map(({ spec }) => spec?.containers[0]?.image));
      await kubectl('set image deployment/web web=web:2');
      expect(await kubectl('rollout status deployment/web')).toContain('successfully rolled out');
      await cluster.eventually('only the new pods are left', async () => [...(await images())].join() === 'web:2');
      await kubectl('rollout undo deployment/web');
      expect(await kubectl('rollout status deployment/web')).toContain('successfully rolled out');
      await cluster.eventually('only the old image is left', async () => [...(await images())].join() === 'web:1');
      expect(await kubectl('rollout history deployment/web')).toMatch(/\n2 .*\n3 /);
    });

    it('is scaled, and its ReplicaSet with it', async () => {
      await kubectl('scale deployment/web --replicas=5');
      await cluster.until(Deployments, { metadata: named('web') }, ({ status }) => status?.readyReplicas === 5);
      await kubectl('scale deployment/web --replicas=1');
      await cluster.until(Deployments, { metadata: named('web') }, ({ status }) => status?.replicas === 1);
    });

    it('that is paused does not roll out', async () => {
      await kubectl('rollout pause deployment/web');
      await kubectl('set image deployment/web web=web:3');
      const { metadata } = await cluster.client.get(Deployments, named('web'));
      await cluster.until(Deployments, { metadata: named('web') }, ({ status }) => status?.observedGeneration === metadata?.generation);
      await kubectl('rollout resume deployment/web');
      await cluster.until(Deployments, { metadata: named('web') }, ({ status }) => status?.updatedReplicas === 1 && status.replicas === 1);
    });

    it('that makes no progress says so', async () => {
      const wanted = deployment(namespace, 'stuck', 1, { nodeSelector: { there: 'is-none' } });
      const made = await cluster.client.create(Deployments, { ...wanted, spec: { ...wanted.spec, progressDeadlineSeconds: 1 } as never });
      const { status } = await cluster.until(Deployments, made, ({ status }) =>
        status?.conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded'),
      );
      expect(status?.unavailableReplicas).toBe(1);
    });
  });

  describe('a StatefulSet', () => {
    it('gets its pods in order, each with a claim of its own', async () => {
      for (const number of [0, 1, 2]) {
        const spec = {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'by-hand',
          hostPath: { path: '/tmp' },
        };
        await cluster.client.create(PersistentVolumes, { metadata: { name: `disk-${number}` }, spec });
      }
      const claim = { accessModes: ['ReadWriteOnce'], storageClassName: 'by-hand', resources: { requests: { storage: '1Gi' } } };
      const made = await cluster.client.create(StatefulSets, {
        metadata: named('db'),
        spec: {
          replicas: 3,
          serviceName: 'db',
          selector: { matchLabels: { app: 'db' } },
          template: template('db'),
          volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
        },
      });
      await cluster.until(StatefulSets, made, ({ status }) => status?.readyReplicas === 3);
      const pods = await cluster.pods(namespace, 'db');
      expect(pods.map(({ metadata }) => metadata?.name).sort()).toEqual(['db-0', 'db-1', 'db-2']);
      const readySince = (name: string) => {
        const { status } = pods.find(({ metadata }) => metadata?.name === name) as Pod;
        return status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
      };
      const createdAt = (name: string) => pods.find(({ metadata }) => metadata?.name === name)?.metadata?.creationTimestamp ?? '';
      expect(readySince('db-0') <= createdAt('db-1')).toBe(true);
      expect(readySince('db-1') <= createdAt('db-2')).toBe(true);
      const { items: claims } = await cluster.client.list(PersistentVolumeClaims, { namespace });
      expect(claims.map(({ metadata, status }) => `${metadata?.name} ${status?.phase}`).sort()).toEqual([
        'data-db-0 Bound',
        'data-db-1 Bound',
        'data-db-2 Bound',
      ]);
    });

    it('replaces a pod under its old name, and keeps its claim', async () => {
      const before = await cluster.client.get(Pods, named('db-1'));
      await cluster.client.delete(Pods, named('db-1'));
      const after = await cluster.until(Pods, before, (pod) => pod.metadata?.uid !== before.metadata?.uid && isReady(pod));
      expect(after.spec?.volumes?.find(({ name }) => name === 'data')?.persistentVolumeClaim?.claimName).toBe('data-db-1');
    });

    it('rolls out from the last pod to the first', async () => {
      await kubectl('set image statefulset/db db=db:2');
      expect(await kubectl('rollout status statefulset/db')).toContain('partitioned roll out complete');
      await kubectl('scale statefulset/db --replicas=1');
      await cluster.until(StatefulSets, { metadata: named('db') }, ({ status }) => status?.replicas === 1);
      expect((await cluster.client.list(PersistentVolumeClaims, { namespace })).items).toHaveLength(3);
    });
  });

  it('a DaemonSet has a pod on every node, and follows a new template', async () => {
    const made = await cluster.client.create(DaemonSets, {
      metadata: named('agent'),
      spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
    });
    await cluster.until(DaemonSets, made, ({ status }) => status?.numberReady === 2);
    expect(new Set((await cluster.pods(namespace, 'agent')).map(({ spec }) => spec?.nodeName))).toEqual(new Set(['node-1', 'node-2']));
    await kubectl('set image daemonset/agent agent=agent:2');
    expect(await kubectl('rollout status daemonset/agent')).toContain('successfully rolled out');
    await kubectl('rollout undo daemonset/agent');
    expect(await kubectl('rollout status daemonset/agent')).toContain('successfully rolled out');
  });

  describe('a Job', () => {
    const job = (name: string, spec: object = {}) => ({
      metadata: named(name),
      spec: { template: template(name, { restartPolicy: 'Never' }), ...spec },
    });
    /** Ends the pods that run, until the job is as it should be. */
    const until = (name: string, type: string, { app = name, exitCode = 0 } = {}) =>
      cluster.until(Jobs, { metadata: named(name) }, async ({ status }) => {
        for (const pod of await cluster.pods(namespace, app)) if (pod.status?.phase === 'Running') cluster.finish(pod, exitCode);
        return status?.conditions?.some((condition) => condition.type === type && condition.status === 'True');
      });

    it('is complete when so many pods have succeeded', async () => {
      await cluster.client.create(Jobs, job('sum', { completions: 3, parallelism: 2 }));
      expect((await until('sum', 'Complete')).status).toMatchObject({ succeeded: 3, uncountedTerminatedPods: {} });
    });

    it('with indexes gives each pod its own', async () => {
      await cluster.client.create(Jobs, job('parts', { completions: 2, parallelism: 2, completionMode: 'Indexed' }));
      expect((await until('parts', 'Complete')).status?.completedIndexes).toBe('0,1');
      const index = 'batch.kubernetes.io/job-completion-index';
      expect((await cluster.pods(namespace, 'parts')).map(({ metadata }) => metadata?.annotations?.[index]).sort()).toEqual(['0', '1']);
    });

    it('fails when its pods do', async () => {
      await cluster.client.create(Jobs, job('bad', { backoffLimit: 0 }));
      const { status } = await until('bad', 'Failed', { exitCode: 3 });
      expect(status?.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({ reason: 'BackoffLimitExceeded' });
    });

    it('is removed with its pods when its time is over', async () => {
      await cluster.client.create(Jobs, job('short', { ttlSecondsAfterFinished: 1 }));
      await until('short', 'Complete').catch((error) => {
        if (!isNotFound(error)) throw error;
      });
      await cluster.eventually('the job is gone', () => isGone(cluster.client.get(Jobs, named('short'))));
      await cluster.eventually('its pod is gone', async () => (await cluster.pods(namespace, 'short')).length === 0);
    });

    it('is started by a CronJob at its time', async () => {
      const made = await cluster.client.create(CronJobs, {
        metadata: named('nightly'),
        spec: { schedule: '* * * * *', concurrencyPolicy: 'Forbid', jobTemplate: { spec: job('nightly').spec } },
      });
      // Otherwise the test would wait for the next minute.
      const before = new Date(Date.parse(made.metadata?.creationTimestamp ?? '') - 90_000).toISOString().replace(/\.\d+Z$/, 'Z');
      await cluster.client.patch(CronJobs, named('nightly'), 'merge', { status: { lastScheduleTime: before } }, { subresource: 'status' });
      const { status } = await cluster.until(CronJobs, made, ({ status }) => status?.active?.length === 1);
      // The next minute, which may begin at any moment, is of no interest.
      await cluster.client.patch(CronJobs, named('nightly'), 'merge', { spec: { suspend: true } });
      const { items } = await cluster.client.list(Jobs, { namespace });
      const started = items.find(({ metadata }) => metadata?.ownerReferences?.some(({ kind }) => kind === 'CronJob'));
      expect(status?.active?.[0]).toMatchObject({ kind: 'Job', name: started?.metadata?.name });
      await until(started?.metadata?.name ?? '', 'Complete', { app: 'nightly' });
      await cluster.until(CronJobs, made, ({ status }) => !status?.active && status?.lastSuccessfulTime);
    });
  });

  it('a HorizontalPodAutoscaler scales to its minimum, and says that there are no metrics', async () => {
    await cluster.client.create(Deployments, deployment(namespace, 'busy', 1));
    const made = await cluster.client.create(HorizontalPodAutoscalers, {
      metadata: named('busy'),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'busy' },
        minReplicas: 2,
        maxReplicas: 4,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
      },
    });
    await cluster.until(Deployments, { metadata: named('busy') }, ({ status }) => status?.readyReplicas === 2);
    const { status } = await cluster.until(HorizontalPodAutoscalers, made, ({ status }) =>
      status?.conditions?.some(({ type }) => type === 'ScalingActive'),
    );
    expect(status?.conditions?.find(({ type }) => type === 'ScalingActive')).toMatchObject({
      status: 'False',
      reason: 'FailedGetResourceMetric',
    });
  });

  it('a ReplicaSet takes over a pod that fits it, and lets one go that no longer does', async () => {
    const orphan = await cluster.client.create(Pods, {
      metadata: { ...named('orphan'), labels: { app: 'kept' } },
      spec: template('kept').spec as never,
    });
    const made = await cluster.client.create(ReplicaSets, {
      metadata: named('kept'),
      spec: { replicas: 1, selector: { matchLabels: { app: 'kept' } }, template: template('kept') },
    });
    await cluster.until(Pods, orphan, ({ metadata }) => metadata?.ownerReferences?.[0]?.uid === made.metadata?.uid);
    await kubectl('label pod orphan app=other --overwrite');
    await cluster.until(Pods, orphan, ({ metadata }) => !metadata?.ownerReferences);
    await cluster.eventually('another pod takes its place', async () => (await cluster.pods(namespace, 'kept')).some(isReady));
  });

  it('complains of nothing that is the API server’s fault', () => expect(cluster.faults()).toEqual([]));
});

async function isGone(get: Promise<unknown>): Promise<boolean> {
  try {
    await get;
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}
