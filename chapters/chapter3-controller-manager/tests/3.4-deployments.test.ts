import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { buildNewSet, generationsOf, revisionFor, setsToForget } from '#controller-manager/deployment-revisions';
import { availableCondition, countDeployment, deploymentStatus, progressCondition } from '#controller-manager/deployment-status';
import { boundsOf, nextRecreateStep, nextRollingStep, type Scaling } from '#controller-manager/rolling-update';
import { type Deployment, Deployments, Events, type PodTemplateSpec, type ReplicaSet, ReplicaSets } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import {
  activePods,
  brokenImage,
  type Controllers,
  change,
  echoDeployment,
  echoTemplate,
  holdBack,
  letGo,
  names,
  startControlPlane,
} from './harness.ts';

beforeEach(() => NotImplemented.forget());

const revision = 'deployment.kubernetes.io/revision';
const hashLabel = 'pod-template-hash';

/** A set as the controller finds it in its cache. */
function set(
  name: string,
  replicas: number,
  available = replicas,
  more: Partial<ReplicaSet['metadata']> & { image?: string } = {},
): ReplicaSet {
  const { image = name, ...metadata } = more;
  return {
    metadata: { name, ...metadata },
    spec: { replicas, selector: {}, template: echoTemplate(image) },
    status: { replicas, readyReplicas: available, availableReplicas: available },
  };
}

const rolling = (replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment =>
  echoDeployment('default', replicas, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } });

const sizes = (scalings: Scaling[]) => Object.fromEntries(scalings.map(({ set: { metadata }, replicas }) => [metadata?.name, replicas]));

describe('controller manager', () => {
  describe('3.4 Deployment', () => {
    describe('the bounds', () => {
      it.each([
        [10, '25%', '25%', { maxSurge: 3, maxUnavailable: 2 }],
        [10, 3, 1, { maxSurge: 3, maxUnavailable: 1 }],
        [1, '25%', '25%', { maxSurge: 1, maxUnavailable: 0 }],
        [10, 0, 0, { maxSurge: 0, maxUnavailable: 1 }],
        [10, '0%', '1%', { maxSurge: 0, maxUnavailable: 1 }],
        [10, 0, 3, { maxSurge: 0, maxUnavailable: 3 }],
        [2, 1, 5, { maxSurge: 1, maxUnavailable: 2 }],
      ])('of %d replicas with surge %s and unavailable %s', (replicas, maxSurge, maxUnavailable, expected) => {
        expect(boundsOf(rolling(replicas, maxSurge, maxUnavailable))).toEqual(expected);
      });

      it('are 25% each when nothing is said', () => {
        expect(boundsOf(echoDeployment('default', 4))).toEqual({ maxSurge: 1, maxUnavailable: 1 });
      });

      it('are none for Recreate', () => {
        expect(boundsOf(echoDeployment('default', 4, { strategy: { type: 'Recreate' } }))).toEqual({ maxSurge: 0, maxUnavailable: 0 });
      });
    });

    describe('which set is which', () => {
      const deployment = echoDeployment('default', 2);
      const template = deployment.spec?.template ?? {};
      const withHash = (hash: string, from: PodTemplateSpec): PodTemplateSpec => ({
        ...from,
        metadata: { ...from.metadata, labels: { ...from.metadata?.labels, [hashLabel]: hash } },
      });
      const having = (name: string, of: PodTemplateSpec, creationTimestamp = '2026-01-01T00:00:00Z'): ReplicaSet => ({
        metadata: { name, creationTimestamp },
        spec: { selector: {}, template: of },
      });

      it('finds the new set by its template, whatever hash label was added', () => {
        const sets = [having('old', withHash('x', echoTemplate('old'))), having('new', withHash('y', template))];
        const { newSet, oldSets } = generationsOf(deployment, sets);
        expect([newSet?.metadata?.name, names(oldSets)]).toEqual(['new', ['old']]);
      });

      it('knows the template again when its fields come in another order', () => {
        const { containers = [] } = template.spec ?? {};
        const reordered = {
          spec: { containers: containers.map(({ name, image }) => ({ image: image ?? '', name })) },
          metadata: template.metadata ?? {},
        };
        expect(generationsOf(deployment, [having('same', reordered)]).newSet?.metadata?.name).toBe('same');
      });

      it('has no new set for a template that no set has', () => {
        expect(generationsOf(deployment, [having('old', echoTemplate('old'))])).toMatchObject({ newSet: undefined, oldSets: [{}] });
      });

      it('takes the oldest of two sets with the same template, and puts old ones in order of age', () => {
        const sets = [
          having('second', template, '2026-01-02T00:00:00Z'),
          having('old-2', echoTemplate('b'), '2026-01-04T00:00:00Z'),
          having('first', template, '2026-01-01T00:00:00Z'),
          having('old-1', echoTemplate('a'), '2026-01-03T00:00:00Z'),
        ];
        const { newSet, oldSets } = generationsOf(deployment, sets);
        expect(newSet?.metadata?.name).toBe('first');
        expect(oldSets.map(({ metadata }) => metadata?.name)).toEqual(['second', 'old-1', 'old-2']);
      });

      it.each([
        ['1 when it is the first', undefined, [], 1],
        ['one above all old sets', undefined, [1, 4, 2], 5],
        ['its own when it is above all already', 5, [1, 4], 5],
        ['one above all old sets when an old template comes back', 1, [2, 3], 4],
      ])('numbers the new set %s', (_rule, own, old, expected) => {
        const numbered = (name: string, number: number) => set(name, 0, 0, { annotations: { [revision]: String(number) } });
        const newSet = own === undefined ? undefined : numbered('new', own);
        expect(revisionFor({ newSet, oldSets: old.map((number) => numbered(`old-${number}`, number)) })).toBe(expected);
      });

      it('builds the new set with the hash in its name, labels, selector and template', () => {
        const owner = { ...deployment, metadata: { ...deployment.metadata, uid: 'uid-1' } };
        const built = buildNewSet(owner, 3);
        const hash = built.metadata?.labels?.[hashLabel];
        expect(hash).toMatch(/^[a-z0-9]{3,10}$/);
        expect(built.metadata?.name).toBe(`echo-${hash}`);
        expect(built.spec?.selector.matchLabels).toEqual({ app: 'echo', [hashLabel]: hash });
        expect(built.spec?.template?.metadata?.labels).toEqual({ app: 'echo', [hashLabel]: hash });
        expect(built.metadata?.annotations?.[revision]).toBe('3');
        expect(built.metadata?.ownerReferences).toMatchObject([{ kind: 'Deployment', name: 'echo', uid: 'uid-1', controller: true }]);
        expect(built.spec?.replicas).toBe(0);
      });

      it('builds the new set as a ReplicaSet in the namespace, with minReadySeconds and the whole selector', () => {
        const matchExpressions = [{ key: 'app', operator: 'Exists' }];
        const built = buildNewSet(
          echoDeployment('shop', 1, { minReadySeconds: 5, selector: { matchLabels: { app: 'echo' }, matchExpressions } }),
          1,
        );
        expect(built).toMatchObject({ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { namespace: 'shop' } });
        expect(built.spec).toMatchObject({ minReadySeconds: 5, selector: { matchLabels: { app: 'echo' }, matchExpressions } });
      });

      it('gives other templates other names, and the same template the same', () => {
        const nameFor = (image: string) => buildNewSet(echoDeployment('default', 1, { template: echoTemplate(image) }), 1).metadata?.name;
        expect(new Set(['a', 'b', 'c', 'a', 'b'].map(nameFor)).size).toBe(3);
      });

      it('forgets the lowest empty revisions beyond the history limit', () => {
        const old = [4, 2, 3, 1].map((number) => set(`r${number}`, 0, 0, { annotations: { [revision]: String(number) } }));
        const limited = echoDeployment('default', 1, { revisionHistoryLimit: 2 });
        expect(setsToForget(limited, old).map(({ metadata }) => metadata?.name)).toEqual(['r1', 'r2']);
        expect(setsToForget(echoDeployment('default', 1), old)).toEqual([]);
      });

      it('never forgets a set that still has pods', () => {
        const busy = set('busy', 0, 0, { annotations: { [revision]: '1' } });
        const emptied = { ...busy, status: { replicas: 1 } };
        expect(setsToForget(echoDeployment('default', 1, { revisionHistoryLimit: 0 }), [emptied, set('wanted', 1)])).toEqual([]);
      });
    });

    describe('the next rolling step', () => {
      it('grows the new set by the surge first', () => {
        expect(sizes(nextRollingStep(rolling(10, 3, 2), set('new', 0), [set('old', 10)]))).toEqual({ new: 3 });
      });

      it('shrinks old pods while enough others are available', () => {
        expect(sizes(nextRollingStep(rolling(10, 3, 2), set('new', 3, 0), [set('old', 10)]))).toEqual({ old: 8 });
      });

      it('waits when the bounds leave no room', () => {
        expect(nextRollingStep(rolling(10, 3, 2), set('new', 5, 0), [set('old', 8)])).toEqual([]);
      });

      it('goes on as new pods become available', () => {
        expect(sizes(nextRollingStep(rolling(10, 3, 2), set('new', 5, 4), [set('old', 8)]))).toEqual({ old: 4 });
      });

      it('never makes more pods than wanted and surge', () => {
        expect(sizes(nextRollingStep(rolling(10, 3, 2), set('new', 5, 5), [set('old', 3)]))).toEqual({ new: 10 });
        expect(sizes(nextRollingStep(rolling(10, 3, 2), set('new', 9, 9), [set('old', 3)]))).toEqual({ new: 10 });
      });

      it('takes old pods that do not work first, for they serve nobody', () => {
        const broken = set('broken', 3, 0);
        const healthy = set('healthy', 10);
        expect(sizes(nextRollingStep(rolling(10, 3, 0), set('new', 0, 0), [healthy, broken]))).toEqual({ broken: 0 });
      });

      it('takes only as many that do not work as the bound leaves room for, of the oldest set first', () => {
        const old = [set('broken-1', 3, 0), set('broken-2', 3, 0), set('healthy', 7)];
        expect(sizes(nextRollingStep(rolling(10, 3, 0), set('new', 0, 0), old))).toEqual({ 'broken-1': 0 });
      });

      it('leaves room for new pods that may never work', () => {
        const old = [set('broken', 3, 0), set('healthy', 7)];
        expect(sizes(nextRollingStep(rolling(10, 3, 0), set('new', 3, 1), old))).toEqual({ broken: 2 });
      });

      it('takes pods that work of the oldest set first', () => {
        const old = [set('old-1', 6), set('old-2', 5)];
        expect(sizes(nextRollingStep(rolling(10, 3, 2), set('new', 2), old))).toEqual({ 'old-1': 1 });
      });

      it('does not count on pods of a set that was shrunk a moment ago', () => {
        const stale: ReplicaSet = { ...set('old', 8), status: { replicas: 10, availableReplicas: 10 } };
        expect(nextRollingStep(rolling(10, 3, 2), set('new', 5, 0), [stale])).toEqual([]);
      });

      it('shrinks the new set when there are too many', () => {
        expect(sizes(nextRollingStep(rolling(2, 1, 1), set('new', 5), []))).toEqual({ new: 2 });
      });

      it.each([
        [10, 3, 2],
        [1, 1, 0],
        [1, 0, 1],
        [4, 0, 1],
        [3, '100%', 0],
        [7, '25%', '25%'],
      ])('keeps every promise on the whole way: %d replicas, surge %s, unavailable %s', (replicas, maxSurge, maxUnavailable) => {
        const deployment = rolling(replicas, maxSurge, maxUnavailable);
        const bounds = boundsOf(deployment);
        let newSet = set('new', 0);
        let old = set('old', replicas);
        for (let steps = 0; newSet.status?.availableReplicas !== replicas || old.spec?.replicas !== 0; steps++) {
          if (steps > 100) throw new Error('the rollout does not come to an end');
          const step = sizes(nextRollingStep(deployment, newSet, [old]));
          const [newSize, oldSize] = [step.new ?? newSet.spec?.replicas ?? 0, step.old ?? old.spec?.replicas ?? 0];
          const available = Math.min(newSet.status?.availableReplicas ?? 0, newSize);
          expect(newSize + oldSize).toBeLessThanOrEqual(replicas + bounds.maxSurge);
          expect(available + oldSize).toBeGreaterThanOrEqual(replicas - bounds.maxUnavailable);
          // One new pod becomes available between two looks.
          newSet = set('new', newSize, Math.min(newSize, available + 1));
          old = set('old', oldSize);
        }
      });
    });

    describe('the next step of Recreate', () => {
      const deployment = echoDeployment('default', 3, { strategy: { type: 'Recreate' } });

      it('scales every old set to zero first', () => {
        expect(
          sizes(nextRecreateStep(deployment, { newSet: set('new', 0), oldSets: [set('a', 2), set('b', 0), set('c', 1)] }, true)),
        ).toEqual({ a: 0, c: 0 });
      });

      it('waits until the last old pod is gone', () => {
        expect(nextRecreateStep(deployment, { newSet: set('new', 0), oldSets: [set('a', 0)] }, true)).toEqual([]);
      });

      it('scales nothing up while an old set has a size, though no pod of it runs', () => {
        expect(sizes(nextRecreateStep(deployment, { newSet: set('new', 0), oldSets: [set('a', 2)] }, false))).toEqual({ a: 0 });
      });

      it('does nothing without a new set, or when it has its size', () => {
        expect(nextRecreateStep(deployment, { newSet: undefined, oldSets: [] }, false)).toEqual([]);
        expect(nextRecreateStep(deployment, { newSet: set('new', 3), oldSets: [] }, false)).toEqual([]);
      });

      it('then scales the new set up at once', () => {
        expect(sizes(nextRecreateStep(deployment, { newSet: set('new', 0), oldSets: [set('a', 0)] }, false))).toEqual({ new: 3 });
      });
    });

    describe('the status', () => {
      const now = '2026-01-01T00:10:00Z';
      const rollout = (deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: ReplicaSet[] = [], created = false) => ({
        deployment,
        newSet,
        oldSets,
        created,
        now,
      });
      const saying = (reason: string, status = 'True', more: Partial<NonNullable<Deployment['spec']>> = {}, counts = {}): Deployment => ({
        ...echoDeployment('default', 3, more),
        status: {
          ...counts,
          conditions: [{ type: 'Progressing', status, reason, message: '', lastUpdateTime: '2026-01-01T00:00:00Z' }],
        },
      });
      const progress = (deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: ReplicaSet[] = [], created = false) => {
        const of = rollout(deployment, newSet, oldSets, created);
        const { status, reason } = progressCondition(of, countDeployment(of)) ?? {};
        return `${status} ${reason}`;
      };
      const unmoved = { replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1 };

      it('sums up all sets, and counts as updated the pods of the new one', () => {
        const deployment = { ...echoDeployment('default', 4), metadata: { name: 'echo', generation: 7 } };
        expect(countDeployment(rollout(deployment, set('new', 2, 1), [set('old', 3, 3)]))).toEqual({
          observedGeneration: 7,
          replicas: 5,
          updatedReplicas: 2,
          readyReplicas: 4,
          availableReplicas: 4,
          unavailableReplicas: 1,
        });
      });

      it('counts nothing where nothing is reported yet', () => {
        const { status: _none, ...unreported } = set('old', 2);
        expect(countDeployment(rollout(echoDeployment('default', 2), undefined, [unreported]))).toEqual({
          observedGeneration: 0,
          replicas: 0,
          updatedReplicas: 0,
          readyReplicas: 0,
          availableReplicas: 0,
          unavailableReplicas: 2,
        });
        expect(countDeployment(rollout(echoDeployment('default', 2), unreported))).toMatchObject({ updatedReplicas: 0, replicas: 0 });
      });

      it('says nothing about the progress of what has no set', () => {
        const of = rollout(echoDeployment('default', 3), undefined);
        expect(progressCondition(of, countDeployment(of))).toBeUndefined();
      });

      it('begins the deadline anew with every step forward, though the condition reads as before', () => {
        const deployment = saying('ReplicaSetUpdated', 'True', { progressDeadlineSeconds: 601 }, unmoved);
        const progressOf = (newSet: ReplicaSet) =>
          deploymentStatus(rollout(deployment, newSet)).conditions?.find(({ type }) => type === 'Progressing')?.lastUpdateTime;
        expect(progressOf(set('new', 3, 1))).toBe('2026-01-01T00:00:00Z');
        expect(progressOf(set('new', 3, 2))).toBe(now);
      });

      it.each([
        [3, 'True', 'MinimumReplicasAvailable'],
        [2, 'False', 'MinimumReplicasUnavailable'],
      ])('with %d of 4 pods available and one that may be missing, Available is %s', (available, status, reason) => {
        const deployment = rolling(4, 1, 1);
        const counts = countDeployment(rollout(deployment, set('new', 4, available)));
        expect(availableCondition(deployment, counts)).toMatchObject({ type: 'Available', status, reason });
      });

      it.each([
        ['a new set was created', echoDeployment('default', 3), set('new', 1, 0), [], true, 'True NewReplicaSetCreated'],
        ['there was no condition yet', echoDeployment('default', 3), set('new', 1, 0), [], false, 'True FoundNewReplicaSet'],
        [
          'one more pod is ready',
          saying('NewReplicaSetCreated', 'True', {}, unmoved),
          set('new', 3, 2),
          [],
          false,
          'True ReplicaSetUpdated',
        ],
        [
          'one old pod less is there',
          saying('ReplicaSetUpdated', 'True', {}, { ...unmoved, replicas: 4 }),
          set('new', 3, 1),
          [],
          false,
          'True ReplicaSetUpdated',
        ],
        [
          'all pods are new and available',
          saying('ReplicaSetUpdated', 'True', {}, unmoved),
          set('new', 3),
          [set('old', 0)],
          false,
          'True NewReplicaSetAvailable',
        ],
        [
          'an old pod is still there',
          saying('ReplicaSetUpdated', 'True', {}, unmoved),
          set('new', 3),
          [set('old', 1)],
          false,
          'True ReplicaSetUpdated',
        ],
        [
          'nothing moved, within the deadline',
          saying('ReplicaSetUpdated', 'True', { progressDeadlineSeconds: 601 }, unmoved),
          set('new', 3, 1),
          [],
          false,
          'True ReplicaSetUpdated',
        ],
        [
          'nothing moved until the deadline',
          saying('ReplicaSetUpdated', 'True', { progressDeadlineSeconds: 600 }, unmoved),
          set('new', 3, 1),
          [],
          false,
          'False ProgressDeadlineExceeded',
        ],
        [
          'the deadline was missed, but now it moves',
          saying('ProgressDeadlineExceeded', 'False', {}, unmoved),
          set('new', 3, 2),
          [],
          false,
          'True ReplicaSetUpdated',
        ],
        [
          'a pod is lost after a rollout',
          saying('NewReplicaSetAvailable', 'True', { progressDeadlineSeconds: 1 }),
          set('new', 3, 2),
          [],
          false,
          'True NewReplicaSetAvailable',
        ],
        [
          'it is paused',
          saying('ReplicaSetUpdated', 'True', { paused: true }, unmoved),
          set('new', 3, 1),
          [],
          false,
          'Unknown DeploymentPaused',
        ],
        [
          'it is paused before anything was said',
          echoDeployment('default', 3, { paused: true }),
          set('new', 1, 0),
          [],
          false,
          'Unknown DeploymentPaused',
        ],
        [
          'it is paused after the deadline was missed',
          saying('ProgressDeadlineExceeded', 'False', { paused: true }, unmoved),
          set('new', 3, 1),
          [],
          false,
          'False ProgressDeadlineExceeded',
        ],
        [
          'an old pod comes back after a rollout',
          saying('NewReplicaSetAvailable', 'True', { progressDeadlineSeconds: 1 }, { ...unmoved, readyReplicas: 5, availableReplicas: 5 }),
          set('new', 3),
          [set('old', 1)],
          false,
          'True NewReplicaSetAvailable',
        ],
        [
          'an old template comes back, whose set is there',
          saying('NewReplicaSetAvailable', 'True', {}, { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 }),
          set('first', 1),
          [set('second', 3)],
          false,
          'True ReplicaSetUpdated',
        ],
        ['it is resumed', saying('DeploymentPaused', 'Unknown', {}, unmoved), set('new', 3, 1), [], false, 'Unknown DeploymentResumed'],
      ])('when %s, Progressing is right', (_when, deployment, newSet, oldSets, created, expected) => {
        expect(progress(deployment, newSet, oldSets, created)).toBe(expected);
      });
    });

    describe('in a control plane', () => {
      let cluster: Controllers;
      let namespace: string;
      beforeAll(async () => {
        cluster = await startControlPlane();
        await cluster.run(['replicaset-controller', 'deployment-controller']);
        cluster.runPods();
      });
      afterAll(() => cluster?.stop());
      beforeEach(async () => {
        namespace = await cluster.namespace();
      });

      const deployment = () => cluster.client.get(Deployments, { name: 'echo', namespace });
      const create = (replicas: number, spec: Partial<NonNullable<Deployment['spec']>> = {}) =>
        cluster.client.create(Deployments, echoDeployment(namespace, replicas, spec));
      const sets = async () => (await cluster.client.list(ReplicaSets, { namespace })).items;
      const edit = (spec: Partial<NonNullable<Deployment['spec']>>, metadata: Deployment['metadata'] = {}) =>
        change(
          cluster.client,
          Deployments,
          echoDeployment(namespace, 0),
          (fresh) => ({ ...fresh, metadata: { ...fresh.metadata, ...metadata }, spec: { ...fresh.spec, ...spec } }) as Deployment,
        );
      const image = (pods: Awaited<ReturnType<typeof activePods>>) => pods.map(({ spec }) => spec?.containers[0]?.image);
      const rolledOut = (replicas: number) =>
        cluster.eventually('the rollout is complete', async () => {
          const { metadata, status } = await deployment();
          return (
            status?.observedGeneration === metadata?.generation &&
            status?.updatedReplicas === replicas &&
            status?.replicas === replicas &&
            status?.availableReplicas === replicas &&
            status?.conditions?.some(({ reason }) => reason === 'NewReplicaSetAvailable')
          );
        });

      it('makes a set of the first revision, and becomes available', async () => {
        await create(2);
        await rolledOut(2);
        const [only, ...others] = await sets();
        expect(others).toEqual([]);
        expect(only?.metadata?.annotations?.[revision]).toBe('1');
        const { metadata, status } = await deployment();
        expect(metadata?.annotations?.[revision]).toBe('1');
        expect(status?.conditions).toEqual(
          expect.arrayContaining([
            expect.objectContaining({ type: 'Available', status: 'True' }),
            expect.objectContaining({ type: 'Progressing', status: 'True' }),
          ]),
        );
      });

      it('rolls to another image within its bounds', async () => {
        await create(4, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } });
        await rolledOut(4);
        await edit({ template: echoTemplate('kubekata/echo:v2') });
        await cluster.eventually('all pods are of the second image', async () => {
          const pods = await activePods(cluster.client, namespace);
          expect(pods.length).toBeLessThanOrEqual(5);
          const { status } = await deployment();
          return status?.updatedReplicas === 4 && status.replicas === 4 && image(pods).every((name) => name === 'kubekata/echo:v2');
        });
        const all = await sets();
        expect(all.map(({ spec }) => spec?.replicas).sort()).toEqual([0, 4]);
        expect((await deployment()).metadata?.annotations?.[revision]).toBe('2');
      });

      it('stops rolling at the bounds when new pods do not become ready', async () => {
        await create(4, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } });
        await rolledOut(4);
        await edit({ template: echoTemplate(brokenImage) });
        await cluster.eventually('two new pods and three old ones', async () => {
          const images = image(await activePods(cluster.client, namespace));
          return images.filter((name) => name === brokenImage).length === 2 && images.length === 5;
        });
        await cluster.eventually('the status tells that three of four are available', async () => {
          const { status } = await deployment();
          return status?.availableReplicas === 3 && status.updatedReplicas === 2;
        });
      });

      it('scales without a new set', async () => {
        await create(2);
        await rolledOut(2);
        await edit({ replicas: 4 });
        await rolledOut(4);
        expect(await sets()).toHaveLength(1);
        await edit({ replicas: 0 });
        await cluster.eventually('no pod is left', async () => (await activePods(cluster.client, namespace)).length === 0);
      });

      it('goes back to an old template by using its set again, under a new revision', async () => {
        await create(1);
        await rolledOut(1);
        const [first] = await sets();
        await edit({ template: echoTemplate('kubekata/echo:v2') });
        await rolledOut(1);
        await edit({ template: echoTemplate('kubekata/echo:v1') });
        await rolledOut(1);
        expect(await sets()).toHaveLength(2);
        const again = await cluster.client.get(ReplicaSets, { name: first?.metadata?.name ?? '', namespace });
        expect(again.spec?.replicas).toBe(1);
        expect(again.metadata?.annotations?.[revision]).toBe('3');
        expect(again.metadata?.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
        expect((await deployment()).metadata?.annotations?.[revision]).toBe('3');
      });

      it('does not roll while it is paused, but scales', async () => {
        await create(2);
        await rolledOut(2);
        await edit({ paused: true, template: echoTemplate('kubekata/echo:v2'), replicas: 3 });
        await cluster.eventually('three pods, and it says that it is paused', async () => {
          const { status } = await deployment();
          return status?.replicas === 3 && status.conditions?.some(({ reason }) => reason === 'DeploymentPaused');
        });
        expect(await sets()).toHaveLength(1);
        await edit({ paused: false });
        await cluster.eventually('all pods are of the second image', async () => {
          const images = image(await activePods(cluster.client, namespace));
          return images.length === 3 && images.every((name) => name === 'kubekata/echo:v2');
        });
      });

      it('rolls nothing that is being deleted', async () => {
        await create(1);
        await rolledOut(1);
        await edit({ template: echoTemplate('kubekata/echo:v2') }, { finalizers: ['test/hold-back'] });
        await rolledOut(1);
        await cluster.client.delete(Deployments, { name: 'echo', namespace });
        await edit({ template: echoTemplate('kubekata/echo:v3') });
        await cluster.eventually('the status tells that the change was seen', async () => {
          const { metadata, status } = await deployment();
          return status?.observedGeneration === metadata?.generation;
        });
        expect((await sets()).map(({ spec }) => spec?.template?.spec?.containers[0]?.image).sort()).toEqual([
          'kubekata/echo:v1',
          'kubekata/echo:v2',
        ]);
        await edit({}, { finalizers: [] });
      });

      it('with Recreate, starts no new pod while an old one is there', async () => {
        await create(2, { strategy: { type: 'Recreate' } });
        await rolledOut(2);
        const old = await activePods(cluster.client, namespace);
        for (const pod of old) await holdBack(cluster.client, pod);
        await edit({ template: echoTemplate('kubekata/echo:v2') });
        await cluster.eventually('both old pods are being deleted', async () => (await activePods(cluster.client, namespace)).length === 0);
        const [first, second] = old;
        if (first) await letGo(cluster.client, first);
        await cluster.eventually('the status tells that no pod counts', async () => (await deployment()).status?.replicas === undefined);
        expect(await sets()).toHaveLength(1);
        if (second) await letGo(cluster.client, second);
        await rolledOut(2);
        expect(image(await activePods(cluster.client, namespace))).toEqual(['kubekata/echo:v2', 'kubekata/echo:v2']);
      });

      it('keeps as many old sets as its history has room for', async () => {
        await create(1, { revisionHistoryLimit: 1 });
        for (const version of ['a', 'b', 'c']) {
          await edit({ template: echoTemplate(version) });
          await rolledOut(1);
        }
        await cluster.eventually('one new and one old set', async () => {
          const images = (await sets()).map(({ spec }) => spec?.template?.spec?.containers[0]?.image).sort();
          return images.length === 2 && images.join() === 'b,c';
        });
      });

      it('tells its steps in events', async () => {
        await create(2);
        await rolledOut(2);
        const [only] = await sets();
        await cluster.eventually('an event about the scaling', async () => {
          const { items } = await cluster.client.list(Events, { namespace });
          const told = items
            .filter(({ involvedObject }) => involvedObject.kind === 'Deployment')
            .map(({ reason, message }) => `${reason}: ${message}`);
          expect(told).toEqual([`ScalingReplicaSet: Scaled up replica set ${only?.metadata?.name} from 0 to 2`]);
          return true;
        });
      });

      it('adopts a set that its selector chooses and whose template is its own', async () => {
        const labels = { app: 'echo', [hashLabel]: 'by-hand' };
        const template = echoTemplate('kubekata/echo:v1');
        await cluster.client.create(ReplicaSets, {
          metadata: { name: 'by-hand', namespace, labels },
          spec: { replicas: 2, selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } },
        });
        const { metadata } = await create(2);
        await rolledOut(2);
        const all = await sets();
        expect(names(all)).toEqual(['by-hand']);
        expect(all[0]?.metadata?.ownerReferences?.[0]?.uid).toBe(metadata?.uid);
      });

      it('says that a rollout is stuck when the deadline has passed', async () => {
        await create(1, { progressDeadlineSeconds: 1, template: echoTemplate(brokenImage) });
        await cluster.eventually('ProgressDeadlineExceeded', async () => {
          const { status } = await deployment();
          return status?.conditions?.some(
            ({ type, status: value, reason }) => type === 'Progressing' && value === 'False' && reason === 'ProgressDeadlineExceeded',
          );
        });
      });
    });
  });
});
