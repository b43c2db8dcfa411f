import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Container, Pod, Service } from '#kit/api';
import { systemClock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { pod } from '#kit/testing/builders';
import { FakeRuntime } from '#kit/testing/fake-runtime';
import { eventually, withDeadline } from '#kit/testing/wait';
import { applyPlan } from '#kubelet/apply-plan';
import { containerOptions, sandboxOptions } from '#kubelet/docker-config';
import { attemptOf, containerHash, dockerName, podLabels } from '#kubelet/docker-names';
import { environmentOf, fieldValue } from '#kubelet/environment';
import { expand } from '#kubelet/expansion';
import { pullDecision } from '#kubelet/image-policy';
import { planPod, podFinished } from '#kubelet/plan-pod';
import type { RuntimeContainer, RuntimeSandbox } from '#kubelet/runtime';
import { serviceEnvironment } from '#kubelet/service-environment';
import { DockerNode, nodeIp, noon, podCidr, runtimePod, surroundings } from './harness.ts';

/** Containers are named by it, and one Docker may serve several runs at a time. */
const uid = `u-${process.pid}`;

/** The echo pod as the API server would have it. */
function echo(fields: Partial<Container> = {}, spec: Partial<NonNullable<Pod['spec']>> = {}): Pod {
  const built = pod('echo');
  Object.assign(built.metadata, { uid });
  Object.assign(built.spec.containers[0], fields);
  return built.specified({ terminationGracePeriodSeconds: 0, ...spec });
}

const sandbox: RuntimeSandbox = { id: 'sandbox-0', attempt: 0, ip: '10.244.1.2', state: 'running' };
const always = () => 0;
const never = new AbortController().signal;

function service(name: string, clusterIP: string, ports: NonNullable<Service['spec']>['ports'], namespace = 'default'): Service {
  return { metadata: { name, namespace }, spec: { clusterIP, ports: ports ?? [] } };
}

function sources(more: Partial<Parameters<typeof environmentOf>[2]> = {}) {
  return { podIp: '10.244.1.2', hostIp: nodeIp, services: [], configMaps: new Map(), secrets: new Map(), ...more };
}

const valuesOf = (pod: Pod, more = {}) =>
  Object.fromEntries(environmentOf(pod, pod.spec?.containers[0] as Container, sources(more)).map(({ name, value }) => [name, value]));

describe('kubelet', () => {
  describe('5.2 a pod becomes containers', () => {
    beforeEach(() => NotImplemented.forget());

    describe('names and labels', () => {
      it('put everything that makes a container unique into its name', () => {
        expect(dockerName('web', echo(), 3)).toBe(`k8s_web_echo_default_${uid}_3`);
        expect(dockerName('POD', echo(), 0)).toBe(`k8s_POD_echo_default_${uid}_0`);
      });

      it('give the attempt back', () => {
        expect(attemptOf(`/k8s_web_echo_default_${uid}_12`)).toBe(12);
      });

      it('say which pod and container it is, and which of the two kinds', () => {
        expect(podLabels('web', echo())).toMatchObject({
          'io.kubernetes.docker.type': 'container',
          'io.kubernetes.pod.name': 'echo',
          'io.kubernetes.pod.namespace': 'default',
          'io.kubernetes.pod.uid': uid,
          'io.kubernetes.container.name': 'web',
        });
        expect(podLabels('POD', echo())['io.kubernetes.docker.type']).toBe('podsandbox');
      });
    });

    describe('what Docker is asked for', () => {
      const dns = { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] };
      const options = (pod: Pod, args: string[] = []) =>
        containerOptions(
          {
            pod,
            container: pod.spec?.containers[0] as Container,
            attempt: 1,
            sandbox,
            env: [{ name: 'A', value: 'b=c' }],
            command: [],
            args,
          },
          { 'kubekata.node': 'node-1' },
        );

      it('is a sandbox without a network of its own, with the name, host name and DNS of the pod', () => {
        const asked = sandboxOptions({ pod: echo(), attempt: 2, hostname: 'echo', dns }, 'kubekata/pause:1', '10.244.1.7', { mine: 'yes' });
        expect(asked).toMatchObject({ name: `k8s_POD_echo_default_${uid}_2`, Image: 'kubekata/pause:1', Hostname: 'echo' });
        expect(asked.Labels).toMatchObject({ mine: 'yes', 'io.kubernetes.docker.type': 'podsandbox', 'kubekata.pod-ip': '10.244.1.7' });
        expect(asked.HostConfig).toMatchObject({
          NetworkMode: 'none',
          IpcMode: 'shareable',
          Dns: ['10.96.0.10'],
          DnsSearch: ['default.svc.cluster.local'],
          DnsOptions: ['ndots:5'],
        });
        expect(asked.HostConfig?.ExtraHosts).toContain('echo:10.244.1.7');
      });

      it('is a container that joins the sandbox, and that Docker neither restarts nor checks', () => {
        const asked = options(echo({ workingDir: '/www' }));
        expect(asked).toMatchObject({
          name: `k8s_echo_echo_default_${uid}_1`,
          Image: 'kubekata/echo:v1',
          WorkingDir: '/www',
          Env: ['A=b=c'],
        });
        expect(asked.Labels).toMatchObject({ 'kubekata.node': 'node-1', 'io.kubernetes.sandbox.id': 'sandbox-0' });
        expect(asked.HostConfig).toMatchObject({
          NetworkMode: 'container:sandbox-0',
          IpcMode: 'container:sandbox-0',
          RestartPolicy: { Name: 'no' },
        });
        expect(asked.Healthcheck).toEqual({ Test: ['NONE'] });
      });

      it("leaves the image's own entrypoint and command where the pod says none", () => {
        const asked = options(echo(), ['-v']);
        expect(asked.Entrypoint).toBeUndefined();
        expect(asked.Cmd).toEqual(['-v']);
        expect(options(echo()).Cmd).toBeUndefined();
      });
    });

    describe('$(NAME)', () => {
      const variables = new Map([
        ['HOST', 'echo'],
        ['NESTED', '$(HOST)'],
        ['EMPTY', ''],
      ]);
      it.each([
        ['$(HOST):80', 'echo:80'],
        ['$(HOST)$(HOST)', 'echoecho'],
        ['[$(EMPTY)]', '[]'],
        ['$(UNKNOWN)', '$(UNKNOWN)'],
        ['$$(HOST)', '$(HOST)'],
        ['$$$(HOST)', '$echo'],
        ['$(NESTED)', '$(HOST)'],
        ['$HOST $(HOST', '$HOST $(HOST'],
        ['cost: 5$', 'cost: 5$'],
      ])('in %j gives %j', (written, expanded) => {
        expect(expand(written, variables)).toBe(expanded);
      });
    });

    describe('the environment', () => {
      it('tells of services: host, ports by position and by name, and one set for each port', () => {
        const echoWeb = service('echo-web', '10.96.0.7', [
          { name: 'http', port: 80 },
          { name: 'dns-udp', port: 53, protocol: 'UDP' },
        ]);
        const variables = Object.fromEntries(serviceEnvironment([echoWeb]).map(({ name, value }) => [name, value]));
        expect(variables).toEqual({
          ECHO_WEB_SERVICE_HOST: '10.96.0.7',
          ECHO_WEB_SERVICE_PORT: '80',
          ECHO_WEB_SERVICE_PORT_HTTP: '80',
          ECHO_WEB_SERVICE_PORT_DNS_UDP: '53',
          ECHO_WEB_PORT: 'tcp://10.96.0.7:80',
          ECHO_WEB_PORT_80_TCP: 'tcp://10.96.0.7:80',
          ECHO_WEB_PORT_80_TCP_PROTO: 'tcp',
          ECHO_WEB_PORT_80_TCP_PORT: '80',
          ECHO_WEB_PORT_80_TCP_ADDR: '10.96.0.7',
          ECHO_WEB_PORT_53_UDP: 'udp://10.96.0.7:53',
          ECHO_WEB_PORT_53_UDP_PROTO: 'udp',
          ECHO_WEB_PORT_53_UDP_PORT: '53',
          ECHO_WEB_PORT_53_UDP_ADDR: '10.96.0.7',
        });
      });

      it('leaves services without an address out', () => {
        const headless = service('db', 'None', [{ port: 5432 }]);
        const external: Service = {
          metadata: { name: 'mail', namespace: 'default' },
          spec: { type: 'ExternalName', externalName: 'mx.example.org' },
        };
        expect(serviceEnvironment([headless, external])).toEqual([]);
      });

      it("tells of the services of the pod's namespace only, and of the API server", () => {
        const services = [
          service('echo', '10.96.0.7', [{ port: 80 }]),
          service('other', '10.96.0.8', [{ port: 80 }], 'another-namespace'),
          service('kubernetes', '10.96.0.1', [{ port: 443 }]),
        ];
        const elsewhere = { ...echo(), metadata: { name: 'echo', namespace: 'another-namespace', uid: 'u-2' } };
        expect(Object.keys(valuesOf(echo(), { services }))).toEqual(
          expect.arrayContaining(['ECHO_SERVICE_HOST', 'KUBERNETES_SERVICE_HOST']),
        );
        expect(valuesOf(echo(), { services })).not.toHaveProperty('OTHER_SERVICE_HOST');
        expect(valuesOf(elsewhere, { services })).toMatchObject({ OTHER_SERVICE_HOST: '10.96.0.8', KUBERNETES_SERVICE_HOST: '10.96.0.1' });
        expect(valuesOf(elsewhere, { services })).not.toHaveProperty('ECHO_SERVICE_HOST');
      });

      it('lets a later source replace an earlier one: services, then envFrom, then env', () => {
        const services = [service('echo', '10.96.0.7', [{ port: 80 }])];
        const configMaps = new Map([['settings', { data: { ECHO_SERVICE_HOST: 'from-map', COLOR: 'blue', SIZE: 'small' } }]]);
        const withBoth = echo({ envFrom: [{ configMapRef: { name: 'settings' } }], env: [{ name: 'COLOR', value: 'red' }] });
        expect(valuesOf(withBoth, { services, configMaps })).toMatchObject({
          ECHO_SERVICE_HOST: 'from-map',
          ECHO_SERVICE_PORT: '80',
          COLOR: 'red',
          SIZE: 'small',
        });
      });

      it('expands with what comes before, and not with what comes after', () => {
        const env = [
          { name: 'EARLY', value: '$(LATE)' },
          { name: 'LATE', value: 'now' },
          { name: 'URL', value: 'http://$(ECHO_SERVICE_HOST)/$(LATE)' },
        ];
        const services = [service('echo', '10.96.0.7', [{ port: 80 }])];
        expect(valuesOf(echo({ env }), { services })).toMatchObject({ EARLY: '$(LATE)', URL: 'http://10.96.0.7/now' });
      });

      it('reads keys of config maps and secrets, prefixes whole ones, decodes secrets', () => {
        const configMaps = new Map([['settings', { data: { color: 'blue' } }]]);
        const secrets = new Map([['login', { data: { password: Buffer.from('žluťoučký').toString('base64') } }]]);
        const container = {
          envFrom: [{ prefix: 'LOGIN_', secretRef: { name: 'login' } }],
          env: [
            { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
            { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
          ],
        };
        expect(valuesOf(echo(container), { configMaps, secrets })).toEqual({
          LOGIN_password: 'žluťoučký',
          COLOR: 'blue',
          PASSWORD: 'žluťoučký',
        });
      });

      const missing = { configMapKeyRef: { name: 'settings', key: 'color' } };
      it.each<[what: string, fields: Partial<Container>, configMaps: [string, object][], message: string]>([
        ['a missing config map', { env: [{ name: 'A', valueFrom: missing }] }, [], 'configmap "settings" not found'],
        [
          'a missing key',
          { env: [{ name: 'A', valueFrom: missing }] },
          [['settings', { data: {} }]],
          "couldn't find key color in ConfigMap default/settings",
        ],
        ['a missing secret in envFrom', { envFrom: [{ secretRef: { name: 'login' } }] }, [], 'secret "login" not found'],
      ])('refuses %s', (_, fields, configMaps, message) => {
        expect(() => valuesOf(echo(fields), { configMaps: new Map(configMaps) })).toThrow(message);
      });

      it('does without what is optional', () => {
        const container = {
          envFrom: [{ secretRef: { name: 'login', optional: true } }],
          env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color', optional: true } } }],
        };
        expect(valuesOf(echo(container))).toEqual({});
      });

      it.each([
        ['metadata.name', 'echo'],
        ['metadata.namespace', 'default'],
        ['metadata.uid', uid],
        ["metadata.labels['app']", 'echo'],
        ["metadata.labels['none']", ''],
        ["metadata.annotations['example.org/note']", 'a.b'],
        ['spec.nodeName', 'node-1'],
        ['spec.serviceAccountName', 'builder'],
        ['status.podIP', '10.244.1.2'],
        ['status.hostIP', nodeIp],
      ])('knows the field %s', (path, value) => {
        const base = echo({}, { nodeName: 'node-1', serviceAccountName: 'builder' });
        const labelled = {
          ...base,
          metadata: { ...base.metadata, labels: { app: 'echo' }, annotations: { 'example.org/note': 'a.b' } },
        };
        expect(fieldValue(path, labelled, { podIp: '10.244.1.2', hostIp: nodeIp })).toBe(value);
      });

      it('refuses a field it does not know', () => {
        expect(() => fieldValue('spec.colour', echo(), { podIp: '', hostIp: '' })).toThrow('spec.colour');
      });
    });

    describe('images', () => {
      it.each<[image: string, policy: string | undefined, present: boolean, decision: string]>([
        ['echo:v1', 'IfNotPresent', true, 'use'],
        ['echo:v1', 'IfNotPresent', false, 'pull'],
        ['echo:v1', 'Always', true, 'pull'],
        ['echo:v1', 'Never', true, 'use'],
        ['echo:v1', 'Never', false, 'never'],
        ['echo:v1', undefined, true, 'use'],
        ['echo:latest', undefined, true, 'pull'],
        ['echo', undefined, true, 'pull'],
        ['registry.example.org:5000/echo', undefined, true, 'pull'],
        ['registry.example.org:5000/echo:v1', undefined, true, 'use'],
        [`echo@sha256:${'0'.repeat(64)}`, undefined, true, 'use'],
      ])('%s, policy %s, present %s: %s', (image, imagePullPolicy, present, decision) => {
        expect(pullDecision({ name: 'echo', image, ...(imagePullPolicy ? { imagePullPolicy } : {}) }, present)).toBe(decision);
      });
    });

    describe('the plan', () => {
      const hashOf = (pod: Pod) => containerHash(pod.spec?.containers[0] as Container);
      const plan = (pod: Pod, sandboxes: Partial<RuntimeSandbox>[], containers: Partial<RuntimeContainer>[] = [], readyAt = always) => {
        const { start, stop, ...rest } = planPod(pod, runtimePod(pod, sandboxes, containers), noon, readyAt);
        return { ...rest, start: start.map(({ container, attempt }) => `${container.name} ${attempt}`), stop: stop.map(({ id }) => id) };
      };
      const ended = (exitCode: number): Partial<RuntimeContainer> => ({ state: 'exited', exitCode, finishedAt: noon - 1_000 });

      it('for a new pod is a sandbox and every container', () => {
        const two = echo({}, {});
        two.spec?.containers.push({ name: 'helper', image: 'kubekata/busybox:1' });
        expect(plan(two, [])).toMatchObject({ createSandbox: { attempt: 0 }, start: ['echo 0', 'helper 0'], stop: [] });
      });

      it('for a pod that runs as it should is nothing', () => {
        const { start, stop, createSandbox, removeSandboxes, remove } = plan(echo(), [{}], [{ hash: hashOf(echo()) }]);
        expect({ start, stop, createSandbox, removeSandboxes, remove }).toEqual({ start: [], stop: [], removeSandboxes: [], remove: [] });
      });

      it('starts only what is missing in a running sandbox', () => {
        const two = echo();
        two.spec?.containers.push({ name: 'helper', image: 'kubekata/busybox:1' });
        const { sandbox, start, createSandbox } = plan(two, [{}], [{ hash: hashOf(two) }]);
        expect({ sandbox: sandbox?.id, start, createSandbox }).toEqual({ sandbox: 'sandbox-0', start: ['helper 0'] });
      });

      it('makes a new sandbox for one that died, and starts everything anew in it', () => {
        const { createSandbox, start, stop, removeSandboxes } = plan(echo(), [{ state: 'dead' }], [{ hash: hashOf(echo()) }]);
        expect(createSandbox).toEqual({ attempt: 1 });
        expect(start).toEqual(['echo 1']);
        expect(stop).toEqual(['echo-0']);
        expect(removeSandboxes.map(({ id }) => id)).toEqual(['sandbox-0']);
      });

      it('replaces a container whose image changed', () => {
        const { start, stop } = plan(echo({ image: 'kubekata/echo:v2' }), [{}], [{ hash: hashOf(echo()) }]);
        expect({ start, stop }).toEqual({ start: ['echo 1'], stop: ['echo-0'] });
      });

      it('keeps the last dead attempt and removes the ones before', () => {
        const runs = [
          { ...ended(1), attempt: 2, hash: hashOf(echo()) },
          { ...ended(1), attempt: 1, hash: hashOf(echo()) },
        ];
        const { start, remove } = plan(echo(), [{}], runs);
        expect({ start, remove: remove.map(({ id }) => id) }).toEqual({ start: ['echo 3'], remove: ['echo-1'] });
      });

      it('lets a container wait until its time has come', () => {
        const run = { ...ended(1), hash: hashOf(echo()) };
        const { start, waiting } = plan(echo(), [{}], [run], () => noon + 10_000);
        expect({ start, waiting: waiting.map(({ until }) => until) }).toEqual({ start: [], waiting: [noon + 10_000] });
      });

      it.each([
        ['Always', 0, false],
        ['Always', 1, false],
        ['OnFailure', 0, true],
        ['OnFailure', 1, false],
        ['Never', 0, true],
        ['Never', 1, true],
      ])('with policy %s after exit code %i: finished is %s', (restartPolicy, exitCode, finished) => {
        const batch = echo({}, { restartPolicy });
        expect(podFinished(batch, runtimePod(batch, [{}], [ended(exitCode)]))).toBe(finished);
      });

      it('for a pod that has finished is to remove its sandbox', () => {
        const batch = echo({}, { restartPolicy: 'Never' });
        const { start, removeSandboxes, createSandbox } = plan(batch, [{}], [{ ...ended(0), hash: hashOf(batch) }]);
        expect({ start, createSandbox, removed: removeSandboxes.length }).toEqual({ start: [], removed: 1 });
      });
    });

    describe('carrying the plan out', () => {
      const runtimeFor = () => new FakeRuntime({ podCidr, clock: systemClock });
      const run = async (pod: Pod, runtime: FakeRuntime, signal = never, around = surroundings(runtime)) => {
        const plan = planPod(pod, runtime.pod(uid), noon, always);
        return withDeadline('the plan is carried out', applyPlan(pod, plan, around, signal), { within: 3_000 });
      };

      it('creates containers while the sandbox starts, and starts them when it is connected', async () => {
        const runtime = runtimeFor();
        const connecting = runtime.hold('startSandbox');
        const done = run(echo(), runtime);
        done.catch(() => {});
        await eventually('the container is created while the sandbox still starts', () => runtime.diary.includes('createContainer echo'), {
          within: 1_000,
        });
        expect(runtime.diary).not.toContain('startContainer echo');
        connecting.release();
        await done;
        expect(runtime.diary.slice(-2)).toEqual(['sandbox connected', 'startContainer echo']);
        expect(runtime.pod(uid).containers).toEqual([expect.objectContaining({ name: 'echo', state: 'running' })]);
      });

      it('expands command and args with the environment, and knows the address before anything runs', async () => {
        const runtime = runtimeFor();
        const env = [
          { name: 'PORT', value: '8080' },
          { name: 'OWN', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        ];
        await run(echo({ command: ['httpd', '-p', '$(PORT)'], args: ['$(OWN)', '$(NONE)'], env }), runtime);
        expect(runtime.requests[0]).toMatchObject({ command: ['httpd', '-p', '8080'], args: ['10.244.1.2', '$(NONE)'] });
      });

      it('pulls a missing image first, and reports each step', async () => {
        const runtime = runtimeFor();
        runtime.missingImages.add('kubekata/echo:v1');
        const around = surroundings(runtime);
        await run(echo({ imagePullPolicy: 'IfNotPresent' }), runtime, never, around);
        expect(runtime.diary.indexOf('pullImage kubekata/echo:v1')).toBeLessThan(runtime.diary.indexOf('createContainer echo'));
        expect(around.happenings.map(({ kind }) => kind)).toEqual(['pulling', 'pulled', 'created', 'started']);
      });

      it('does not pull what is there', async () => {
        const runtime = runtimeFor();
        const around = surroundings(runtime);
        await run(echo({ imagePullPolicy: 'IfNotPresent' }), runtime, never, around);
        expect(runtime.diary).not.toContain('pullImage kubekata/echo:v1');
        expect(around.happenings.map(({ kind }) => kind)).toEqual(['image present', 'created', 'started']);
      });

      it("names each container's problem, and starts the others", async () => {
        const runtime = runtimeFor();
        runtime.missingImages.add('nosuch:v1');
        runtime.fail('pullImage', 'no such registry');
        const three = echo();
        three.spec?.containers.push(
          { name: 'absent', image: 'nosuch:v1' },
          { name: 'kept-local', image: 'nosuch:v1', imagePullPolicy: 'Never' },
          { name: 'misspelt', image: 'Not An Image' },
          { name: 'unconfigured', image: 'kubekata/echo:v1', envFrom: [{ configMapRef: { name: 'none' } }] },
        );
        const problems = await run(three, runtime);
        expect(Object.fromEntries([...problems].map(([name, { reason }]) => [name, reason]))).toEqual({
          absent: 'ErrImagePull',
          'kept-local': 'ErrImageNeverPull',
          misspelt: 'InvalidImageName',
          unconfigured: 'CreateContainerConfigError',
        });
        expect(problems.get('absent')?.message).toContain('no such registry');
        expect(
          runtime
            .pod(uid)
            .containers.filter(({ state }) => state === 'running')
            .map(({ name }) => name),
        ).toEqual(['echo']);
      });

      it.each([
        ['createContainer', 'CreateContainerError'],
        ['startContainer', 'RunContainerError'],
      ] as const)('calls a %s that fails a %s', async (step, reason) => {
        const runtime = runtimeFor();
        runtime.fail(step, 'the engine says no');
        const problem = (await run(echo(), runtime)).get('echo');
        expect([problem?.reason, problem?.message]).toEqual([reason, 'the engine says no']);
      });

      it('rejects when there is no sandbox to start anything in', async () => {
        const runtime = runtimeFor();
        runtime.fail('startSandbox', 'no address left');
        await expect(run(echo(), runtime)).rejects.toThrow('no address left');
        expect(runtime.diary).not.toContain('startContainer echo');
      });

      it('starts nothing more when the pod is deleted meanwhile', async () => {
        const runtime = runtimeFor();
        const connecting = runtime.hold('startSandbox');
        const deletion = new AbortController();
        const done = run(echo(), runtime, deletion.signal).catch(() => 'given up');
        await withDeadline('the sandbox is asked for', connecting.reached, { within: 1_000 });
        deletion.abort();
        connecting.release();
        expect(await done).toBe('given up');
        expect(runtime.diary).not.toContain('startContainer echo');
      });

      it("stops what must go with the pod's grace, before it starts anything", async () => {
        const runtime = runtimeFor();
        await run(echo(), runtime);
        runtime.diary.length = 0;
        await run(echo({ image: 'kubekata/echo:v2' }, { terminationGracePeriodSeconds: 7 }), runtime);
        expect(runtime.graces).toEqual([7]);
        expect(runtime.diary).toEqual(['stopContainer echo', 'createContainer echo', 'startContainer echo']);
      });
    });

    describe('on Docker', () => {
      const node = DockerNode.forTheseTests();

      it('runs two containers as one machine: one address, one host name, one loopback', async () => {
        const runtime = node.runtime();
        await runtime.start();
        const script = 'echo "$GREETING from $OWN_IP on $(hostname)"; cat /etc/resolv.conf; echo "own: $(ip -4 -o addr show eth0)"';
        const env = [
          { name: 'GREETING', value: 'hello' },
          { name: 'OWN_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        ];
        const two = echo({
          image: 'kubekata/busybox:1',
          command: ['sh', '-c'],
          args: [`${script}; nc -l -p 7777 -e echo over loopback`],
          env,
        });
        const asking = 'until nc 127.0.0.1 7777 </dev/null; do sleep 0.1; done';
        two.spec?.containers.push({ name: 'neighbour', image: 'kubekata/busybox:1', command: ['sh', '-c', asking] });
        const problems = await applyPlan(two, planPod(two, runtime.pod(uid), noon, always), surroundings(runtime), never);
        expect(problems).toEqual(new Map());

        const outputOf = async (name: string) => {
          const run = await eventually(
            `${name} has ended`,
            () => runtime.pod(uid).containers.find((other) => other.name === name && other.state === 'exited'),
            { within: 30_000 },
          );
          return text(await runtime.logs(run.id, { follow: false, timestamps: false }));
        };
        const [own, neighbour] = [await outputOf('echo'), await outputOf('neighbour')];
        const [sandbox] = runtime.pod(uid).sandboxes;
        expect(own).toContain(`hello from ${sandbox?.ip} on echo`);
        expect(own).toContain('nameserver 10.96.0.10');
        expect(own).toContain('ndots:5');
        expect(own).toMatch(new RegExp(`own: .*${sandbox?.ip}/32`));
        expect(neighbour).toContain('over loopback');

        const names = (await node.containers()).map(({ Names }) => Names[0]);
        expect(names.sort()).toEqual([
          `/k8s_POD_echo_default_${uid}_0`,
          `/k8s_echo_echo_default_${uid}_0`,
          `/k8s_neighbour_echo_default_${uid}_0`,
        ]);
      });

      it('finds its pods again after a restart, and plans nothing for them', async () => {
        const first = node.runtime();
        await first.start();
        const sleeper = echo({ image: 'kubekata/busybox:1', command: ['sleep', '3600'] });
        await applyPlan(sleeper, planPod(sleeper, first.pod(uid), noon, always), surroundings(first), never);
        const before = first.pod(uid);
        await first.stop();

        const second = node.runtime();
        await second.start();
        const after = second.pod(uid);
        expect(after).toEqual(before);
        const { start, stop, createSandbox, removeSandboxes } = planPod(sleeper, after, noon, always);
        expect({ start, stop, createSandbox, removeSandboxes }).toEqual({ start: [], stop: [], removeSandboxes: [] });
      });
    });
  });
});
