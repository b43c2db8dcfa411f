import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { humanDuration } from '#api-server/duration';
import { podStatus } from '#api-server/pod-status';
import { findResource, type ResourceDefinition } from '#api-server/resources';
import { type IncludeObject, toTable } from '#api-server/tables';
import { type ContainerStatus, type Deployment, Deployments, type Pod, Pods } from '#kit/api';
import { FakeClock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { pod } from '#kit/testing/builders';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';
import { readText } from '#kit/transport';

const aggregated = (version: string) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

interface Discovery {
  kind: string;
  apiVersion: string;
  items: {
    metadata: { name?: string };
    versions: { version: string; resources: DiscoveredResource[] }[];
  }[];
}

interface DiscoveredResource {
  resource: string;
  responseKind: object;
  scope: string;
  singularResource: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  subresources?: { subresource: string; responseKind: object; verbs: string[] }[];
}

function resource(group: string, plural: string): ResourceDefinition {
  const found = findResource(group, 'v1', plural);
  if (!found) throw new Error(`the table of resources has no ${plural}`);
  return found;
}

/** Objects as the rows of a table, by the names of its columns. */
function tableOf(group: string, plural: string, objects: object[], clock = new FakeClock(), include: IncludeObject = 'Metadata') {
  const table = toTable(resource(group, plural), objects, { resourceVersion: '7' }, clock, include);
  const names = table.columnDefinitions.map(({ name }) => name);
  const rows = table.rows.map(({ cells }) => Object.fromEntries(names.map((name, index) => [name, cells[index]])));
  return { table, rows, names };
}

const waiting = (reason: string) => ({ waiting: { reason } });
const ended = (exitCode: number, reason?: string) => ({ terminated: { exitCode, ...(reason ? { reason } : {}) } });
const running = { running: {} };

function status(name: string, state: ContainerStatus['state'], rest: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name, image: 'i', imageID: 'i', ready: state?.running !== undefined, restartCount: 0, ...(state ? { state } : {}), ...rest };
}

/** A pod whose containers (and init containers) are as these statuses say. */
function podWith(phase: string, containers: ContainerStatus[], initContainers: ContainerStatus[] = [], conditions: string[] = []): Pod {
  const container = ({ name }: ContainerStatus) => ({ name, image: 'i' });
  return {
    metadata: { name: 'web' },
    spec: {
      containers: containers.map(container),
      initContainers: initContainers.map((one) => ({ ...container(one), ...(one.name === 'sidecar' ? { restartPolicy: 'Always' } : {}) })),
    },
    status: {
      phase,
      containerStatuses: containers,
      initContainerStatuses: initContainers,
      conditions: conditions.map((type) => ({ type, status: 'True' })),
    },
  };
}

describe('API server', () => {
  describe('2.8 kubectl speaks', () => {
    beforeEach(() => NotImplemented.forget());

    describe('ages', () => {
      const second = 1000;
      const minute = 60 * second;
      const hour = 60 * minute;
      const day = 24 * hour;
      const year = 365 * day;
      it.each([
        [0, '0s'],
        [999, '0s'],
        [119 * second, '119s'],
        [2 * minute, '2m'],
        [4 * minute + 12 * second, '4m12s'],
        [10 * minute + 59 * second, '10m'],
        [179 * minute, '179m'],
        [3 * hour + 7 * minute, '3h7m'],
        [8 * hour + 59 * minute, '8h'],
        [47 * hour, '47h'],
        [2 * day + 5 * hour, '2d5h'],
        [3 * day + 59 * minute, '3d'],
        [8 * day + 5 * hour, '8d'],
        [729 * day, '729d'],
        [2 * year + 3 * day, '2y3d'],
        [9 * year + 300 * day, '9y'],
        [-2 * second + 1, '0s'],
        [-2 * second, '<invalid>'],
      ])('write %i milliseconds as %s', (milliseconds, text) => {
        expect(humanDuration(milliseconds)).toBe(text);
      });
    });

    describe("a pod's status, in one word", () => {
      const main = status('main', running);
      it.each<[string, Pod, string]>([
        ['is the phase when all is well', podWith('Running', [main]), 'Running'],
        ['is the phase when nothing has started', podWith('Pending', []), 'Pending'],
        ['is what a container waits for', podWith('Pending', [status('main', waiting('ErrImagePull'))]), 'ErrImagePull'],
        ['is the crash loop, not the phase', podWith('Running', [status('main', waiting('CrashLoopBackOff'))]), 'CrashLoopBackOff'],
        ['is how a container ended', podWith('Succeeded', [status('main', ended(0, 'Completed'))]), 'Completed'],
        ['is an exit code when there is no reason', podWith('Failed', [status('main', ended(3))]), 'ExitCode:3'],
        [
          'is the first container that has something to say',
          podWith('Running', [main, status('b', waiting('CrashLoopBackOff')), status('c', ended(1, 'Error'))]),
          'CrashLoopBackOff',
        ],
        [
          'does not say Completed while another container runs',
          podWith('Running', [status('one', ended(0, 'Completed')), main], [], ['Ready']),
          'Running',
        ],
        [
          'says NotReady when one has completed and the pod is not ready',
          podWith('Running', [status('one', ended(0, 'Completed')), main]),
          'NotReady',
        ],
        [
          'counts the init containers that are done',
          podWith('Pending', [status('main', waiting('PodInitializing'))], [status('a', ended(0)), status('b', running)]),
          'Init:1/2',
        ],
        [
          'names the reason for which an init container waits',
          podWith('Pending', [status('main', waiting('PodInitializing'))], [status('a', waiting('ImagePullBackOff'))]),
          'Init:ImagePullBackOff',
        ],
        [
          'does not take PodInitializing for a reason',
          podWith('Pending', [status('main', waiting('PodInitializing'))], [status('a', waiting('PodInitializing'))]),
          'Init:0/1',
        ],
        [
          'says how an init container failed',
          podWith('Pending', [status('main', waiting('PodInitializing'))], [status('a', ended(2))]),
          'Init:ExitCode:2',
        ],
        [
          'takes a sidecar that has started for done',
          podWith('Running', [main], [status('sidecar', running, { started: true })], ['Initialized']),
          'Running',
        ],
        [
          'waits for a sidecar that has not started',
          podWith('Pending', [status('main', waiting('PodInitializing'))], [status('sidecar', running, { started: false })]),
          'Init:0/1',
        ],
        [
          'does not take another init container for done because it has started',
          podWith('Pending', [status('main', waiting('PodInitializing'))], [status('a', running, { started: true })]),
          'Init:0/1',
        ],
      ])('%s', (_, given, word) => {
        expect(podStatus(given)).toBe(word);
      });

      it('is Terminating from the moment the pod is deleted until its end', () => {
        const deleted = podWith('Running', [main]);
        deleted.metadata = { name: 'web', deletionTimestamp: '2026-01-01T00:00:00Z' };
        expect(podStatus(deleted)).toBe('Terminating');
      });

      it('comes with the number of containers that are ready, sidecars among them', () => {
        const given = podWith('Running', [main, status('b', running, { ready: false })], [status('sidecar', running, { started: true })]);
        expect(tableOf('', 'pods', [given]).rows[0]).toMatchObject({ Ready: '2/3' });
      });

      it('does not count init containers that do their work once, nor a sidecar that has not started as ready', () => {
        const once = status('once', ended(0), { started: true, ready: true });
        const sidecar = status('sidecar', running, { started: false, ready: true });
        expect(tableOf('', 'pods', [podWith('Running', [main], [once, sidecar])]).rows[0]).toMatchObject({ Ready: '1/2' });
      });
    });

    describe('a table', () => {
      it('has a row for each object, in their order', () => {
        const { rows } = tableOf('', 'pods', [pod('b'), pod('a')]);
        expect(rows.map(({ Name }) => Name)).toEqual(['b', 'a']);
      });

      it('has a name and an age for a kind that it knows nothing else of', () => {
        const clock = new FakeClock(Date.UTC(2026, 0, 1, 12, 5));
        const { rows, names } = tableOf(
          'storage.k8s.io',
          'csinodes',
          [{ metadata: { name: 'n', creationTimestamp: '2026-01-01T12:00:00Z' } }],
          clock,
        );
        expect(names).toEqual(['Name', 'Age']);
        expect(rows).toEqual([{ Name: 'n', Age: '5m' }]);
      });

      it('marks the column of the name, and those that only -o wide shows', () => {
        const { table } = tableOf('', 'pods', []);
        const column = (name: string) => table.columnDefinitions.find((definition) => definition.name === name);
        expect(column('Name')).toMatchObject({ type: 'string', format: 'name', priority: 0 });
        expect(column('Status')).toMatchObject({ format: '', priority: 0 });
        expect(column('Node')).toMatchObject({ priority: 1 });
      });

      it('says <none> where a pod has no node and no IP yet', () => {
        expect(tableOf('', 'pods', [pod('web')]).rows[0]).toMatchObject({ Node: '<none>', IP: '<none>' });
      });

      it('says of a policy what it checks and which parameters it has, and of a binding whose they are', () => {
        const group = 'admissionregistration.k8s.io';
        const spec = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, validations: [{ expression: 'true' }] };
        const policies = tableOf(group, 'validatingadmissionpolicies', [{ metadata: { name: 'a' }, spec }]);
        expect(policies.rows[0]).toMatchObject({ Name: 'a', Validations: 1, ParamKind: 'v1/ConfigMap' });
        const bound = (more: object) => ({ metadata: { name: 'b' }, spec: { policyName: 'a', ...more } });
        const bindings = tableOf(group, 'validatingadmissionpolicybindings', [bound({ paramRef: { name: 'limits' } }), bound({})]);
        expect(bindings.rows[0]).toMatchObject({ Name: 'b', PolicyName: 'a', ParamRef: '*/limits' });
        expect(bindings.rows[1]).toMatchObject({ ParamRef: '<unset>' });
      });

      it("carries the list's metadata, from which a watch can go on", () => {
        expect(tableOf('', 'pods', []).table).toMatchObject({
          kind: 'Table',
          apiVersion: 'meta.k8s.io/v1',
          metadata: { resourceVersion: '7' },
        });
      });

      it("carries each object's metadata and nothing else of it, unless asked", () => {
        const [row] = tableOf('', 'pods', [pod('web').labelled({ app: 'echo' })]).table.rows;
        expect(row?.object).toEqual({
          kind: 'PartialObjectMetadata',
          apiVersion: 'meta.k8s.io/v1',
          metadata: expect.objectContaining({ name: 'web', labels: { app: 'echo' } }),
        });
      });

      it('carries whole objects, or none, when asked', () => {
        const [whole] = tableOf('', 'pods', [pod('web')], new FakeClock(), 'Object').table.rows;
        expect(whole?.object).toMatchObject({ kind: 'Pod', spec: { containers: [{}] } });
        const [none] = tableOf('', 'pods', [pod('web')], new FakeClock(), 'None').table.rows;
        expect(none?.object ?? null).toBeNull();
      });
    });

    describe('over HTTP', () => {
      let plane: TestControlPlane | undefined;
      let kubectl: Kubectl | undefined;

      beforeAll(async () => {
        plane = await startTestControlPlane();
        kubectl = await kubectlFor(plane);
      });

      afterAll(async () => {
        await kubectl?.dispose();
        await plane?.stop();
      });

      async function get(path: string, accept: string): Promise<{ contentType: string; body: unknown }> {
        if (!plane) throw new Error('the control plane did not start');
        const response = await plane.client.send({ method: 'GET', path, headers: { accept } });
        return { contentType: response.headers['content-type'] ?? '', body: JSON.parse(await readText(response.body)) };
      }

      const run = (args: string, stdin?: object) => {
        if (!kubectl) throw new Error('the control plane did not start');
        return kubectl(args.split(' '), stdin ? { stdin } : {});
      };

      async function discovered(path: string, group: string, plural: string): Promise<DiscoveredResource | undefined> {
        const { body } = await get(path, aggregated('v2'));
        const found = (body as Discovery).items.find(({ metadata }) => (metadata.name ?? '') === group);
        return found?.versions[0]?.resources.find((candidate) => candidate.resource === plural);
      }

      describe('discovery', () => {
        it.each(['v2', 'v2beta1'])('answers %s of the aggregated form, and says so in its content type', async (version) => {
          const { contentType, body } = await get('/apis', aggregated(version));
          expect(contentType.replaceAll(' ', '')).toBe(aggregated(version));
          expect(body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}` });
        });

        it("answers in the first form of the client's list that it has", async () => {
          const first = await get('/apis', `${aggregated('v9')},${aggregated('v2beta1')},${aggregated('v2')},application/json`);
          expect(first.body).toMatchObject({ apiVersion: 'apidiscovery.k8s.io/v2beta1' });
        });

        it.each([
          ['with blanks between its parameters', aggregated('v2').replaceAll(';', '; '), 'apidiscovery.k8s.io/v2'],
          [
            'behind a form of something else',
            `application/json;g=meta.k8s.io;v=v2;as=Table,${aggregated('v2beta1')}`,
            'apidiscovery.k8s.io/v2beta1',
          ],
          [
            'of another group',
            `application/json;g=meta.k8s.io;v=v2;as=APIGroupDiscoveryList,${aggregated('v2beta1')}`,
            'apidiscovery.k8s.io/v2beta1',
          ],
          ['not in another language than JSON', `${aggregated('v2').replace('application/json', 'text/csv')},application/json`, 'v1'],
          ['behind the plain form, which is less exact', `application/json,${aggregated('v2')}`, 'apidiscovery.k8s.io/v2'],
        ])('knows the form that a client asks for %s', async (_, accept, apiVersion) => {
          expect((await get('/apis', accept)).body).toMatchObject({ apiVersion });
        });

        it('answers the plain form to a client that knows no other', async () => {
          const core = await get('/api', 'application/json');
          expect(core).toMatchObject({ contentType: 'application/json', body: { kind: 'APIVersions', versions: ['v1'] } });
          const groups = await get('/apis', 'application/json');
          expect(groups.body).toMatchObject({ kind: 'APIGroupList' });
          expect((groups.body as { groups: object[] }).groups).toContainEqual(
            expect.objectContaining({ name: 'apps', preferredVersion: { groupVersion: 'apps/v1', version: 'v1' } }),
          );
        });

        it('tells core resources at /api and all other groups at /apis', async () => {
          const names = async (path: string) =>
            ((await get(path, aggregated('v2'))).body as Discovery).items.map(({ metadata }) => metadata.name ?? '');
          expect(await names('/api')).toEqual(['']);
          const others = await names('/apis');
          expect(others).toContain('apps');
          expect(others).not.toContain('');
        });

        it("tells a resource's kind, scope, verbs, short names and categories", async () => {
          expect(await discovered('/api', '', 'pods')).toMatchObject({
            responseKind: { kind: 'Pod' },
            scope: 'Namespaced',
            singularResource: 'pod',
            shortNames: ['po'],
            categories: ['all'],
            verbs: expect.arrayContaining(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']),
          });
          expect(await discovered('/api', '', 'nodes')).toMatchObject({ scope: 'Cluster' });
        });

        it('leaves out what a resource has none of', async () => {
          const secrets = await discovered('/api', '', 'secrets');
          expect(Object.keys(secrets ?? {})).not.toEqual(
            expect.arrayContaining([expect.stringMatching(/shortNames|categories|subresources/)]),
          );
          const { body } = await get('/api/v1', 'application/json');
          const plain = (body as { resources: { name: string }[] }).resources.find(({ name }) => name === 'secrets');
          expect(Object.keys(plain ?? {})).not.toEqual(expect.arrayContaining([expect.stringMatching(/shortNames|categories/)]));
        });

        it('tells of each group and version only its own resources', async () => {
          const { items } = (await get('/apis', aggregated('v2'))).body as Discovery;
          const resourcesOf = (group: string, version: string) =>
            items
              .find(({ metadata }) => metadata.name === group)
              ?.versions.find((candidate) => candidate.version === version)
              ?.resources.map((candidate) => candidate.resource);
          expect(resourcesOf('batch', 'v1')?.sort()).toEqual(['cronjobs', 'jobs']);
          expect(resourcesOf('autoscaling', 'v1')).toEqual(['horizontalpodautoscalers']);
        });

        it('puts subresources under their resource, each with the kind that it answers with', async () => {
          const deployments = await discovered('/apis', 'apps', 'deployments');
          const scale = deployments?.subresources?.find(({ subresource }) => subresource === 'scale');
          expect(scale?.responseKind).toEqual({ group: 'autoscaling', version: 'v1', kind: 'Scale' });
          expect([...(scale?.verbs ?? [])].sort()).toEqual(['get', 'patch', 'update']);
        });

        it('lists subresources flat in the plain form, with group and version where their kind is of another', async () => {
          const { body } = await get('/api/v1', 'application/json');
          const { resources, groupVersion } = body as { groupVersion: string; resources: { name: string }[] };
          const entry = (name: string) => resources.find((candidate) => candidate.name === name);
          expect((await get('/apis/apps/v1', 'application/json')).body).toMatchObject({ kind: 'APIResourceList', apiVersion: 'v1' });
          expect(groupVersion).toBe('v1');
          expect(entry('pods')).toMatchObject({
            kind: 'Pod',
            namespaced: true,
            singularName: 'pod',
            shortNames: ['po'],
            categories: ['all'],
          });
          expect(entry('pods/status')).toMatchObject({ kind: 'Pod', namespaced: true, singularName: '' });
          expect(entry('pods/status')).not.toHaveProperty('group');
          expect(entry('pods/eviction')).toMatchObject({ group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] });
        });

        it.each(['/apis/sandwiches.example.com', '/apis/apps/v9'])('answers 404 for %s, which it does not serve', async (path) => {
          await expect(get(path, 'application/json')).rejects.toMatchObject({ code: 404 });
        });
      });

      describe('OpenAPI', () => {
        interface Document {
          paths: Record<string, Record<string, { parameters?: { name: string }[]; requestBody?: { content: object } }>>;
          components: { schemas: Record<string, { properties?: Record<string, object> }> };
        }

        async function document(prefix: string): Promise<{ address: string; body: Document }> {
          const { body } = await get('/openapi/v3', 'application/json');
          const address = (body as { paths: Record<string, { serverRelativeURL: string }> }).paths[prefix]?.serverRelativeURL ?? '';
          return { address, body: (await get(address, 'application/json')).body as Document };
        }

        it('has an index with the address of a document for every group and version', async () => {
          const { body } = await get('/openapi/v3', 'application/json');
          const { paths } = body as { paths: Record<string, object> };
          expect(Object.keys(paths)).toEqual(expect.arrayContaining(['api/v1', 'apis/apps/v1', 'apis/discovery.k8s.io/v1']));
        });

        it('gives each document an address that changes with its content, and only then', async () => {
          const [apps, again, core] = [await document('apis/apps/v1'), await document('apis/apps/v1'), await document('api/v1')];
          const hash = (address: string) => /\?hash=(.+)$/.exec(address)?.[1];
          expect(hash(apps.address)).toBeDefined();
          expect(again.address).toBe(apps.address);
          expect(hash(core.address)).not.toBe(hash(apps.address));
        });

        it('tells kubectl apply that PATCH takes a strategic merge and checks fields itself', async () => {
          const { body } = await document('apis/apps/v1');
          const patch = body.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.patch;
          expect(patch).toMatchObject({
            'x-kubernetes-action': 'patch',
            'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
            requestBody: { required: true },
            responses: { 200: { description: 'OK', content: { 'application/json': { schema: {} } } } },
          });
          expect(patch?.parameters?.map(({ name }) => name)).toContain('fieldValidation');
          expect(patch?.requestBody?.content).toMatchObject({
            'application/json-patch+json': { schema: {} },
            'application/merge-patch+json': { schema: {} },
            'application/strategic-merge-patch+json': { schema: {} },
            'application/apply-patch+yaml': { schema: {} },
          });
        });

        it('holds every schema that its own schemas refer to', async () => {
          const { body } = await document('apis/apps/v1');
          const references = JSON.stringify(body).matchAll(/"#\/components\/schemas\/([^"]+)"/g);
          const missing = [...references].map(([, name]) => name ?? '').filter((name) => !(name in body.components.schemas));
          expect(missing).toEqual([]);
        });
      });

      describe('kubectl', () => {
        const echo = (image: string, env: { name: string; value: string }[] = []): Deployment => ({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'echo', namespace: 'default' },
          spec: {
            replicas: 2,
            selector: { matchLabels: { app: 'echo' } },
            template: { metadata: { labels: { app: 'echo' } }, spec: { containers: [{ name: 'echo', image, env }] } },
          },
        });

        const stored = async () => {
          if (!plane) throw new Error('the control plane did not start');
          return plane.client.get(Deployments, { namespace: 'default', name: 'echo' });
        };

        it("says the server's version", async () => {
          // Before 1.28, kubectl shows the whole structure.
          expect(await run('version')).toMatch(/Server Version: (version\.Info\{.*GitVersion:")?v1\.\d+\.\d+/);
        });

        it('api-resources knows names, short names and scopes', async () => {
          const lines = (await run('api-resources')).split('\n').map((line) => line.split(/\s+/).join(' '));
          expect(lines).toContain('pods po v1 true Pod');
          expect(lines).toContain('deployments deploy apps/v1 true Deployment');
          expect(lines).toContain('nodes no v1 false Node');
        });

        it('get -o wide shows what the server put into the table', async () => {
          await plane?.client.create(Pods, pod('web'));
          const [header, row] = (await run('get pod web -o wide')).split('\n');
          expect(header).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE/);
          expect(row).toMatch(/^web +0\/1 +Pending +0 +\d+s +<none> +<none>/);
        });

        it('get finds resources by short name and by category', async () => {
          expect(await run('get po web -o name')).toBe('pod/web\n');
          expect(await run('get all -o name')).toContain('pod/web\n');
        });

        it('apply changes what its author changed, and keeps what somebody else set', async () => {
          await run('apply -f -', echo('kubekata/echo:v1', [{ name: 'COLOR', value: 'blue' }]));
          await run('set env deployment/echo GREETING=hello');
          await run('apply -f -', echo('kubekata/echo:v2', [{ name: 'COLOR', value: 'green' }]));
          const [container] = (await stored()).spec?.template.spec?.containers ?? [];
          expect(container).toMatchObject({ name: 'echo', image: 'kubekata/echo:v2' });
          expect(container?.env).toContainEqual({ name: 'COLOR', value: 'green' });
          expect(container?.env).toContainEqual({ name: 'GREETING', value: 'hello' });
        });

        it('label, set image and scale change one thing each', async () => {
          await run('apply -f -', echo('kubekata/echo:v1'));
          await run('label deployment echo tier=front');
          await run('set image deployment/echo echo=kubekata/echo:v2');
          await run('scale deployment echo --replicas=3');
          const { metadata, spec } = await stored();
          expect(metadata?.labels).toEqual({ tier: 'front' });
          expect(spec?.replicas).toBe(3);
          expect(spec?.template.spec?.containers.map(({ image }) => image)).toEqual(['kubekata/echo:v2']);
        });

        it('create says which field is misspelt, because the server checks', async () => {
          const misspelt = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'typo' }, dta: { a: 'b' } };
          await expect(run('create -f -', misspelt)).rejects.toThrow('unknown field "dta"');
        });

        it('explain finds a field, its type and what it means', async () => {
          const explained = await run('explain deployment.spec.template.spec.containers.ports');
          expect(explained).toMatch(/containerPort\s+<integer> -required-\n\s+\w+/);
          expect(explained).toMatch(/DESCRIPTION:\n\s+(?!<empty>)\w+/);
        });
      });
    });
  });
});
