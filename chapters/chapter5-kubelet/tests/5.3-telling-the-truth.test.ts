import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Container, type ContainerStatus, type Pod, Pods, Services } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { isNotFound } from '#kit/status';
import { pod } from '#kit/testing/builders';
import { ContainerProblem } from '#kubelet/container-problem';
import { containerStatus, stateOf } from '#kubelet/container-status';
import { eventsOf } from '#kubelet/pod-happenings';
import { podConditions, podPhase, statusFor } from '#kubelet/pod-status';
import type { RuntimeContainer } from '#kubelet/runtime';
import { DockerNode, isTrue, KubeletCluster, nodeIp, noon, runtimePod } from './harness.ts';

const container: Container = { name: 'echo', image: 'kubekata/echo:v1' };
const ended = (exitCode: number, more: Partial<RuntimeContainer> = {}): Partial<RuntimeContainer> => ({
  state: 'exited',
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  finishedAt: noon + 61_500,
  ...more,
});
const runs = (...containers: Partial<RuntimeContainer>[]) => runtimePod(pod('echo'), [{}], containers);
const onlyRun = (fields: Partial<RuntimeContainer>) => runs(fields).containers[0] as RuntimeContainer;
const crashLoop = new Map([['echo', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]]);
const none = new Map();
const firstStateOf = ({ status }: Pod) => status?.containerStatuses?.[0]?.state;

describe('kubelet', () => {
  describe('5.3 telling the truth', () => {
    beforeEach(() => NotImplemented.forget());

    describe("one run's state", () => {
      it('is running since its start', () => {
        expect(stateOf(onlyRun({}), 'docker')).toEqual({ running: { startedAt: '2026-01-01T12:00:01Z' } });
      });

      it('is waiting while it is only created', () => {
        expect(stateOf(onlyRun({ state: 'created' }), 'docker')).toEqual({ waiting: { reason: 'ContainerCreating' } });
      });

      it('is terminated, with how and when', () => {
        expect(stateOf(onlyRun(ended(137, { message: 'killed' })), 'docker')).toEqual({
          terminated: {
            exitCode: 137,
            reason: 'Error',
            message: 'killed',
            startedAt: '2026-01-01T12:00:01Z',
            finishedAt: '2026-01-01T12:01:01Z',
            containerID: 'docker://echo-0',
          },
        });
      });
    });

    describe("a container's status", () => {
      it('before its first run is ContainerCreating, or what keeps it from running', () => {
        const pulling = new Map([['echo', { reason: 'ImagePullBackOff', message: 'Back-off pulling image "kubekata/echo:v1"' }]]);
        const before = containerStatus(container, runs(), none, 'docker');
        expect(before).toMatchObject({ name: 'echo', ready: false, restartCount: 0, image: 'kubekata/echo:v1' });
        expect(before.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
        expect(before.containerID).toBeUndefined();
        expect(containerStatus(container, runs(), pulling, 'docker').state?.waiting).toMatchObject({ reason: 'ImagePullBackOff' });
        expect(containerStatus(container, runs(), none, 'docker', { initializing: true }).state?.waiting?.reason).toBe('PodInitializing');
      });

      it('while it runs is ready, and remembers how the run before ended', () => {
        const status = containerStatus(container, runs({ attempt: 3 }, ended(1, { attempt: 2 })), none, 'docker');
        expect(status).toMatchObject({ ready: true, started: true, restartCount: 3, imageID: 'sha256:e1', containerID: 'docker://echo-3' });
        expect(status.state?.running).toBeDefined();
        expect(status.lastState?.terminated).toMatchObject({ exitCode: 1, containerID: 'docker://echo-2' });
      });

      it('of the first run has no last state', () => {
        expect(containerStatus(container, runs({}), none, 'docker').lastState).toEqual({});
      });

      it('after the end is terminated', () => {
        const status = containerStatus(container, runs(ended(0)), none, 'docker');
        expect(status).toMatchObject({ ready: false, started: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } });
      });

      it('while it waits to be started again says why it waits, and how it ended as its last state', () => {
        const status = containerStatus(container, runs(ended(1, { attempt: 4 }), ended(2, { attempt: 3 })), crashLoop, 'docker');
        expect(status.restartCount).toBe(4);
        expect(status.state).toEqual({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } });
        expect(status.lastState?.terminated).toMatchObject({ exitCode: 1 });
      });

      it('is told for each container by its own name', () => {
        const two = runs({ name: 'helper', attempt: 5 }, ended(1));
        expect(containerStatus(container, two, none, 'docker')).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 1 } } });
      });
    });

    describe('the phase', () => {
      const running: ContainerStatus['state'] = { running: {} };
      const done = { terminated: { exitCode: 0 } };
      const failed = { terminated: { exitCode: 1 } };
      const creating = { waiting: { reason: 'ContainerCreating' } };
      const crashed = 'waits after a crash';
      type State = ContainerStatus['state'] | typeof crashed;
      const statuses = (states: State[]) =>
        states.map((state, index) => ({
          name: `c${index}`,
          ready: false,
          restartCount: 0,
          image: '',
          imageID: '',
          state: state === crashed ? { waiting: { reason: 'CrashLoopBackOff' } } : (state ?? {}),
          lastState: state === crashed ? failed : {},
        }));

      it.each<[restartPolicy: string, what: string, phase: string, states: State[]]>([
        ['Always', 'one is not started', 'Pending', [running, creating]],
        ['Always', 'all run', 'Running', [running, running]],
        ['Always', 'one has ended', 'Running', [running, done]],
        ['Always', 'one waits after a crash', 'Running', [running, crashed]],
        ['Always', 'all wait after a crash', 'Running', [crashed]],
        ['Always', 'all have ended', 'Running', [done, done]],
        ['OnFailure', 'all have succeeded', 'Succeeded', [done, done]],
        ['OnFailure', 'one has failed', 'Running', [done, failed]],
        ['Never', 'one still runs', 'Running', [running, failed]],
        ['Never', 'all have succeeded', 'Succeeded', [done, done]],
        ['Never', 'one has failed', 'Failed', [done, failed]],
      ])('with policy %s, when %s: %s', (restartPolicy, _, phase, states) => {
        expect(podPhase(pod('echo').specified({ restartPolicy }), statuses(states))).toBe(phase);
      });

      it('never comes back from Succeeded or Failed', () => {
        expect(podPhase(pod('echo'), statuses([running]), [], 'Failed')).toBe('Failed');
        expect(podPhase(pod('echo'), statuses([creating]), [], 'Succeeded')).toBe('Succeeded');
      });

      it('of a pod that was deleted ends when its containers have ended, whatever the policy', () => {
        const deleted = pod('echo');
        Object.assign(deleted.metadata, { deletionTimestamp: '2026-01-01T12:00:00Z' });
        expect(podPhase(deleted, statuses([running, done]))).toBe('Running');
        expect(podPhase(deleted, statuses([done, done]))).toBe('Succeeded');
        expect(podPhase(deleted, statuses([done, failed]))).toBe('Failed');
      });
    });

    describe('conditions', () => {
      const status = (name: string, ready: boolean): ContainerStatus => ({ name, ready, restartCount: 0, image: '', imageID: '' });
      const started = { inSandbox: true, initialized: true };
      const byType = (...args: Parameters<typeof podConditions>) =>
        Object.fromEntries(podConditions(...args).map((condition) => [condition.type, condition]));

      it('are all true for a pod that runs', () => {
        const conditions = byType('Running', [status('a', true)], started, [], noon);
        for (const type of ['PodScheduled', 'PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready']) {
          expect(conditions[type]).toMatchObject({ status: 'True', lastTransitionTime: '2026-01-01T12:00:00Z' });
        }
      });

      it('name the containers that are not ready', () => {
        const { Ready, ContainersReady, PodScheduled } = byType(
          'Running',
          [status('a', false), status('b', true), status('c', false)],
          started,
          [],
          noon,
        );
        const notReady = { status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [a c]' };
        expect(Ready).toMatchObject(notReady);
        expect(ContainersReady).toMatchObject(notReady);
        expect(PodScheduled).toMatchObject({ status: 'True' });
      });

      it('say that a pod has completed, or failed', () => {
        expect(byType('Succeeded', [status('a', false)], started, [], noon).Ready).toMatchObject({
          status: 'False',
          reason: 'PodCompleted',
        });
        expect(byType('Failed', [status('a', false)], started, [], noon).Ready).toMatchObject({ status: 'False', reason: 'PodFailed' });
      });

      it('keep their time until the truth changes', () => {
        const first = podConditions('Running', [status('a', true)], started, [], noon);
        const same = byType('Running', [status('a', true)], started, first, noon + 60_000);
        const changed = byType('Running', [status('a', false)], started, first, noon + 60_000);
        expect(same.Ready?.lastTransitionTime).toBe('2026-01-01T12:00:00Z');
        expect(changed.Ready?.lastTransitionTime).toBe('2026-01-01T12:01:00Z');
        expect(changed.Initialized?.lastTransitionTime).toBe('2026-01-01T12:00:00Z');
      });

      it('of others stay', () => {
        const gate = { type: 'example.org/registered', status: 'True' };
        expect(podConditions('Running', [status('a', true)], started, [gate], noon)).toContainEqual(gate);
      });
    });

    describe("the pod's status", () => {
      const context = { hostIp: nodeIp, runtimeName: 'docker', now: noon, waiting: none };

      it('tells where it runs, since when, and how its containers are', () => {
        expect(statusFor(pod('echo'), runs({}), context)).toMatchObject({
          phase: 'Running',
          hostIP: nodeIp,
          podIP: '10.244.1.2',
          podIPs: [{ ip: '10.244.1.2' }],
          startTime: '2026-01-01T12:00:00Z',
          containerStatuses: [{ name: 'echo', ready: true }],
        });
      });

      it('keeps the time when the pod was first seen', () => {
        const first = statusFor(pod('echo'), runtimePod(pod('echo'), []), context);
        const later = statusFor(pod('echo'), runs({}), { ...context, now: noon + 60_000 }, first);
        expect(first).toMatchObject({ phase: 'Pending', startTime: '2026-01-01T12:00:00Z' });
        expect(later).toMatchObject({ phase: 'Running', startTime: '2026-01-01T12:00:00Z' });
      });

      it('keeps the address when the sandbox is gone, because the pod has ended', () => {
        const before = statusFor(pod('echo'), runs({}), context);
        const after = statusFor(
          pod('echo').specified({ restartPolicy: 'Never' }),
          runtimePod(pod('echo'), [], [ended(0)]),
          context,
          before,
        );
        expect(after).toMatchObject({ phase: 'Succeeded', podIP: '10.244.1.2' });
      });
    });

    describe('events', () => {
      const problem = (reason: ContainerProblem['reason'], message: string) => new ContainerProblem(reason, message);
      const lines = (happening: Parameters<typeof eventsOf>[0]) => {
        const echo = pod('echo');
        Object.assign(echo.metadata, { uid: 'u-1' });
        return eventsOf(happening, echo).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
      };

      it.each([
        ['pulling', 'Normal Pulling Pulling image "kubekata/echo:v1"'],
        ['image present', 'Normal Pulled Container image "kubekata/echo:v1" already present on machine'],
        ['created', 'Normal Created Created container: echo'],
        ['started', 'Normal Started Started container echo'],
        ['stopping', 'Normal Killing Stopping container echo'],
      ] as const)('tell of a container: %s', (kind, line) => {
        expect(lines({ kind, container })).toEqual([line]);
      });

      it('tell of an image that cannot be had, and then of the waiting', () => {
        expect(lines({ kind: 'failed', container, problem: problem('ErrImagePull', 'no such registry') })).toEqual([
          'Warning Failed Failed to pull image "kubekata/echo:v1": no such registry',
          'Warning Failed Error: ErrImagePull',
        ]);
        expect(lines({ kind: 'waiting', container, problem: problem('ImagePullBackOff', 'Back-off') })).toEqual([
          'Normal BackOff Back-off pulling image "kubekata/echo:v1"',
          'Warning Failed Error: ImagePullBackOff',
        ]);
      });

      it('tell of a container that keeps ending', () => {
        expect(lines({ kind: 'waiting', container, problem: problem('CrashLoopBackOff', 'back-off 10s') })).toEqual([
          'Warning BackOff Back-off restarting failed container echo in pod echo_default(u-1)',
        ]);
      });

      it('give the reason of any other failure', () => {
        expect(lines({ kind: 'failed', container, problem: problem('CreateContainerConfigError', 'configmap "x" not found') })).toEqual([
          'Warning Failed Error: configmap "x" not found',
        ]);
      });
    });

    describe('in a cluster', () => {
      const cluster = KubeletCluster.forTheseTests();

      it('says ContainerCreating while it works, and Running as soon as it is true', async () => {
        const connecting = cluster.runtime.hold('startSandbox');
        await cluster.startKubelet();
        await cluster.createPod(pod('echo'));
        const pending = await cluster.pod(
          'echo',
          'is being created',
          (echo) => firstStateOf(echo)?.waiting?.reason === 'ContainerCreating',
        );
        expect(pending.status?.phase).toBe('Pending');
        connecting.release();
        const { status } = await cluster.running('echo');
        expect(status).toMatchObject({ podIP: '10.244.1.2', hostIP: nodeIp });
        for (const reason of ['Pulled', 'Created', 'Started']) await cluster.eventAbout('echo', reason);
      });

      it('tells of an image that cannot be had: ErrImagePull, then ImagePullBackOff', async () => {
        cluster.runtime.missingImages.add('nosuch:v1');
        cluster.runtime.fail('pullImage', 'no such registry');
        await cluster.startKubelet();
        const absent = pod('absent');
        absent.spec.containers[0].image = 'nosuch:v1';
        await cluster.createPod(absent);
        const waitingFor = (reason: string) =>
          cluster.pod('absent', `waits: ${reason}`, (echo) => firstStateOf(echo)?.waiting?.reason === reason);
        expect((await waitingFor('ErrImagePull')).status?.containerStatuses?.[0]?.state?.waiting?.message).toContain('no such registry');
        expect((await waitingFor('ImagePullBackOff')).status?.phase).toBe('Pending');
        expect(await cluster.eventAbout('absent', 'BackOff')).toBe('Back-off pulling image "nosuch:v1"');
      });

      it('starts a container that ended at once, and the next time after ten seconds: CrashLoopBackOff', async () => {
        const clock = cluster.stopTime();
        await cluster.startKubelet();
        const { metadata } = await cluster.createPod(pod('echo'));
        const crash = () => {
          const [run] = cluster.runtime.pod(metadata?.uid ?? '').containers;
          cluster.runtime.exit(run?.id ?? '', 1);
        };
        await cluster.running('echo');
        crash();
        await cluster.pod('echo', 'was started again', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1);
        await cluster.running('echo');
        crash();
        const waits = await cluster.pod('echo', 'waits', (echo) => firstStateOf(echo)?.waiting?.reason === 'CrashLoopBackOff');
        expect(waits.status?.phase).toBe('Running');
        expect(isTrue(waits.status, 'Ready')).toBe(false);
        expect(waits.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(1);
        await clock.advance(10_000);
        const again = await cluster.running('echo');
        expect(again.status?.containerStatuses?.[0]?.restartCount).toBe(2);
      });

      it('says again what is so when somebody else has written otherwise, and leaves the conditions of others to them', async () => {
        const { metadata } = await cluster.createPod(pod('echo'));
        const gate = (status: string) => ({ type: 'example.org/registered', status });
        await cluster.writeConditions('echo', gate('True'));
        await cluster.startKubelet();
        await cluster.running('echo');
        await cluster.writeConditions('echo', gate('False'), { type: 'Ready', status: 'False' });
        await cluster.pod('echo', 'is ready again', ({ status }) => isTrue(status, 'Ready'));
        const [run] = cluster.runtime.pod(metadata?.uid ?? '').containers;
        cluster.runtime.exit(run?.id ?? '', 1);
        const again = await cluster.pod('echo', 'was started again', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1);
        expect(again.status?.conditions).toContainEqual(expect.objectContaining(gate('False')));
      });

      it('ends a pod whose work is done: Succeeded, and never started again', async () => {
        await cluster.startKubelet();
        const { metadata } = await cluster.createPod(pod('batch').specified({ restartPolicy: 'Never' }));
        await cluster.running('batch');
        const [run] = cluster.runtime.pod(metadata?.uid ?? '').containers;
        cluster.runtime.exit(run?.id ?? '', 0);
        const { status } = await cluster.pod('batch', 'has succeeded', ({ status }) => status?.phase === 'Succeeded');
        expect(status?.containerStatuses?.[0]).toMatchObject({ restartCount: 0, state: { terminated: { reason: 'Completed' } } });
        expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False', reason: 'PodCompleted' }));
      });

      it('stops a deleted pod with its grace, tells of it, and only then lets it go', async () => {
        await cluster.startKubelet();
        await cluster.createPod(pod('echo'));
        await cluster.running('echo');
        await cluster.deletePod('echo', 7);
        await cluster.eventually('the pod is gone', () => cluster.readPod('echo').then(() => false, isNotFound));
        expect(cluster.runtime.graces).toEqual([7]);
        expect(cluster.runtime.pods()).toEqual([]);
        await cluster.eventAbout('echo', 'Killing');
      });

      it('finds its running pods after a restart and restarts nothing', async () => {
        await cluster.startKubelet();
        await cluster.createPod(pod('echo'));
        const before = await cluster.running('echo');
        await cluster.stopKubelet();
        cluster.runtime.diary.length = 0;
        await cluster.startKubelet();
        const other = pod('other');
        other.spec.containers[0].name = 'other';
        await cluster.createPod(other);
        await cluster.running('other');
        expect(cluster.runtime.diary.filter((entry) => entry.includes('echo'))).toEqual([]);
        const after = await cluster.readPod('echo');
        expect(after.status?.containerStatuses).toEqual(before.status?.containerStatuses);
      });

      it('removes what it finds of pods that were deleted while it was away', async () => {
        await cluster.startKubelet();
        await cluster.createPod(pod('echo'));
        await cluster.running('echo');
        await cluster.stopKubelet();
        await cluster.deletePod('echo');
        await cluster.startKubelet();
        await cluster.eventually('nothing of it is left', () => cluster.runtime.pods().length === 0);
      });

      it("gives containers the addresses of their namespace's services", async () => {
        const ports = [{ port: 80 }];
        await cluster.client.create(Services, {
          metadata: { name: 'echo', namespace: 'default' },
          spec: { clusterIP: '10.96.0.77', ports },
        });
        await cluster.startKubelet();
        await cluster.createPod(pod('echo'));
        await cluster.running('echo');
        const [request] = cluster.runtime.requests;
        await cluster.client.delete(Services, { name: 'echo', namespace: 'default' });
        expect(request?.env).toContainEqual({ name: 'ECHO_SERVICE_HOST', value: '10.96.0.77' });
      });
    });

    describe('the node API', () => {
      const cluster = KubeletCluster.forTheseTests();

      it('tells its pods to those who may use nodes/proxy, and to nobody else', async () => {
        await cluster.startKubelet();
        await cluster.createPod(pod('echo'));
        await cluster.running('echo');
        expect((await cluster.ask('/pods', { anonymous: true })).code).toBe(401);
        const message = 'Forbidden (user=jane, verb=get, resource=nodes, subresource=proxy)';
        expect(await cluster.ask('/pods', { user: 'jane', groups: ['guests'] })).toEqual({ code: 403, body: message });
        const { code, body } = await cluster.ask('/pods');
        expect([code, JSON.parse(body).items.length]).toEqual([200, 1]);
      });

      it('says why there is no log', async () => {
        const connecting = cluster.runtime.hold('startSandbox');
        await cluster.startKubelet();
        await cluster.createPod(pod('echo'));
        await cluster.pod('echo', 'is known to the kubelet', ({ status }) => status?.containerStatuses?.length === 1);
        const answers = {
          '/containerLogs/default/echo/echo': [400, 'container "echo" in pod "echo" is waiting to start: ContainerCreating'],
          '/containerLogs/default/echo/other': [404, 'container "other" not found in pod "echo"'],
          '/containerLogs/default/nobody/echo': [404, 'pod "nobody" is not on this node'],
        };
        for (const [path, answer] of Object.entries(answers)) {
          const { code, body } = await cluster.ask(path);
          expect([code, body]).toEqual(answer);
        }
        connecting.release();
        await cluster.running('echo');
        expect(await cluster.ask('/containerLogs/default/echo/echo?previous=true')).toEqual({
          code: 400,
          body: 'previous terminated container "echo" in pod "echo" not found',
        });
        expect((await cluster.ask('/containerLogs/default/echo/echo?tailLines=some')).code).toBe(400);
      });
    });

    describe('on Docker', () => {
      const node = DockerNode.forTheseTests();
      const cluster = KubeletCluster.forTheseTests();

      it('gives the log of this run and of the one before, as much of it as was asked for', async () => {
        await cluster.startKubelet(node.runtime());
        const talker = pod('talker').specified({ terminationGracePeriodSeconds: 0 });
        const script = 'echo one; echo two; echo "three, and $HOSTNAME"; exit 3';
        Object.assign(talker.spec.containers[0], { image: 'kubekata/busybox:1', command: ['sh', '-c', script] });
        talker.withContainer({ name: 'complainer', image: 'kubekata/busybox:1', command: ['sh', '-c', 'echo no >&2; sleep 3600'] });
        await cluster.createPod(talker);
        await cluster.pod('talker', 'was started again', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1);
        const log = async (query: string) => (await cluster.ask(`/containerLogs/default/talker/echo?${query}`)).body;
        expect(await log('follow=true')).toBe('one\ntwo\nthree, and talker\n');
        expect(await log('tailLines=1')).toBe('three, and talker\n');
        expect(await log('limitBytes=6')).toBe('one\ntw');
        expect(await log('tailLines=1&timestamps=true')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z three, and talker\n$/);
        expect(await log('previous=true')).toBe('one\ntwo\nthree, and talker\n');
        await cluster.eventually('what was written to standard error', async () => {
          const { body } = await cluster.ask('/containerLogs/default/talker/complainer');
          return body === 'no\n';
        });
      });

      it('says what it cannot do yet, instead of leaving it out', async () => {
        await cluster.startKubelet(node.runtime());
        const mounting = pod('mounting').specified({ volumes: [{ name: 'data', emptyDir: {} }] });
        Object.assign(mounting.spec.containers[0], { image: 'kubekata/busybox:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] });
        await cluster.createPod(mounting);
        const waits = await cluster.pod('mounting', 'waits', (echo) => firstStateOf(echo)?.waiting?.reason === 'CreateContainerError');
        expect(firstStateOf(waits)?.waiting?.message).toContain('/data');
      });

      it('tells the id that Docker knows, and starts again what Docker killed', async () => {
        await cluster.startKubelet(node.runtime());
        const sleeper = pod('sleeper').specified({ terminationGracePeriodSeconds: 0 });
        Object.assign(sleeper.spec.containers[0], { image: 'kubekata/busybox:1', command: ['sleep', '3600'] });
        await cluster.createPod(sleeper);
        const running = await cluster.running('sleeper');
        const [, id = ''] = running.status?.containerStatuses?.[0]?.containerID?.split('docker://') ?? [];
        expect((await node.docker.getContainer(id).inspect()).State.Running).toBe(true);

        await node.docker.getContainer(id).kill();
        const restarted = await cluster.pod(
          'sleeper',
          'runs again',
          ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1 && isTrue(status, 'Ready'),
        );
        expect(restarted.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
        expect(restarted.status?.podIP).toBe(running.status?.podIP);
      });

      it('rebuilds the whole pod when its sandbox died', async () => {
        await cluster.startKubelet(node.runtime());
        const sleeper = pod('sleeper').specified({ terminationGracePeriodSeconds: 0 });
        Object.assign(sleeper.spec.containers[0], { image: 'kubekata/busybox:1', command: ['sleep', '3600'] });
        await cluster.createPod(sleeper);
        await cluster.running('sleeper');
        const [sandbox] = await node.containers('io.kubernetes.docker.type=podsandbox');
        await node.docker.getContainer(sandbox?.Id ?? '').kill();
        await cluster.pod(
          'sleeper',
          'runs in a new sandbox',
          ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1 && isTrue(status, 'Ready'),
        );
        const names = (await node.containers('io.kubernetes.docker.type=podsandbox')).map(({ Names }) => Names[0]);
        expect(names).toEqual([expect.stringMatching(/^\/k8s_POD_sleeper_default_.*_1$/)]);
        await cluster.eventAbout('sleeper', 'SandboxChanged');
      });

      it("gives the runtime's words when a command does not exist", async () => {
        await cluster.startKubelet(node.runtime());
        const broken = pod('broken').specified({ restartPolicy: 'Never' });
        Object.assign(broken.spec.containers[0], { image: 'kubekata/busybox:1', command: ['no-such-program'] });
        await cluster.createPod(broken);
        const { status } = await cluster.pod('broken', 'has failed', ({ status }) => status?.phase === 'Failed');
        const state = status?.containerStatuses?.[0];
        const terminated = state?.state?.terminated ?? state?.lastState?.terminated;
        expect(terminated).toMatchObject({ reason: 'StartError', exitCode: 128, message: expect.stringContaining('no-such-program') });
      });

      it('leaves no container of a deleted pod', async () => {
        await cluster.startKubelet(node.runtime());
        const sleeper = pod('sleeper');
        Object.assign(sleeper.spec.containers[0], { image: 'kubekata/busybox:1', command: ['sleep', '3600'] });
        await cluster.createPod(sleeper);
        await cluster.running('sleeper');
        await cluster.client.delete(Pods, { name: 'sleeper', namespace: 'default' }, { gracePeriodSeconds: 1 });
        await cluster.eventually('the pod is gone', () => cluster.readPod('sleeper').then(() => false, isNotFound));
        expect(await node.containers()).toEqual([]);
      });
    });
  });
});
