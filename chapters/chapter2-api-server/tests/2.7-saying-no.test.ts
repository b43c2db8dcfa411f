import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type AdmissionPlugin, admissionSteps, type Write } from '#api-server/admission/admission';
import { boundProblems, withDefaults } from '#api-server/admission/limit-ranger';
import { terminating } from '#api-server/admission/namespace-lifecycle';
import { charge, quotaProblem } from '#api-server/admission/resource-quota';
import { wants } from '#api-server/admission/webhook-rules';
import { unknownFields } from '#api-server/field-validation';
import { requestsAboveLimits, validateMounts } from '#api-server/kinds/container-validation';
import { withDefaultRequests } from '#api-server/kinds/pod-defaults';
import type { Webhook } from '#api-server/kinds/webhooks';
import type { ApiObject } from '#api-server/object';
import { findResource, type ResourceDefinition } from '#api-server/resources';
import {
  ConfigMaps,
  type Container,
  type LimitRange,
  LimitRanges,
  Namespaces,
  type Pod,
  Pods,
  PriorityClasses,
  type ResourceQuota,
  ResourceQuotas,
  ServiceAccounts,
} from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { createCertificateAuthority } from '#kit/pki';
import { ApiError } from '#kit/status';
import { type ApiServerUnderTest, type RawAnswer, refusal, startApiServerUnderTest } from '#kit/testing/api-server';
import { eventually } from '#kit/testing/wait';
import { readText } from '#kit/transport';

const pods = findResource('', 'v1', 'pods') as ResourceDefinition;
/** Is true of 60 numbers, each with each, five times over. */
const numbers = `[${[...Array(60).keys()].join()}]`;
const endless = ['a', 'b', 'c', 'd', 'e'].reduceRight((inner, name) => `${numbers}.all(${name}, ${inner})`, 'a + b + c + d + e >= 0');
type Resources = NonNullable<Container['resources']>;
type LimitItem = NonNullable<LimitRange['spec']>['limits'][number];

describe('API server', () =>
  describe('2.7 saying no', () => {
    let server: ApiServerUnderTest;
    let namespaces = 0;

    beforeAll(async () => {
      server = await startApiServerUnderTest();
    });
    afterAll(() => server?.stop());
    beforeEach(() => NotImplemented.forget());

    /** A new one, with the service account that pods run as. */
    async function newNamespace(): Promise<string> {
      const namespace = `shop-${++namespaces}`;
      await server.client.create(Namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await server.client.create(ServiceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
      return namespace;
    }

    const pod = (name: string, namespace: string, resources: Resources = {}, spec: object = {}): Pod => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { containers: [{ name: 'web', image: 'kubekata/echo:v1', resources }], ...spec },
    });
    const create = (object: Pod) => server.client.create(Pods, object);
    const post = (path: string, body: object): Promise<RawAnswer> => server.send({ method: 'POST', path, body });
    /** What the server would make of it. */
    const rehearse = async (object: Pod) => (await post(`/api/v1/namespaces/${object.metadata?.namespace}/pods?dryRun=All`, object)).body;

    describe('a field that the kind has not', () => {
      const schema = {
        properties: {
          name: { type: 'string' },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
          ports: { type: 'array', items: { properties: { port: { type: 'integer' } } } },
          limits: { additionalProperties: { properties: { max: {} } } },
          anything: { type: 'object' },
        },
      };

      it.each<[string, object, string[]]>([
        ['is found at the top', { name: 'a', nam: 'a' }, ['nam']],
        ['is found in the items of a list', { ports: [{ port: 1 }, { prt: 1, port: 2 }] }, ['ports[1].prt']],
        ['is found in the values of a map', { limits: { any: { max: 1, mix: 2 } } }, ['limits.any.mix']],
        ['is told once, whatever is in it', { spek: { ports: [{ prt: 1 }] } }, ['spek']],
        ['is not a key of a map', { labels: { any: 'a', key: 'b' } }, []],
        ['is not what stands where anything may stand', { anything: { goes: { here: [{ too: 1 }] } } }, []],
        ['is also what every JavaScript object has', { constructor: 'a', labels: { toString: 'b' } }, ['constructor']],
      ])('%s', (_, value, expected) => {
        expect(unknownFields(value, schema, '').map(({ path }) => path)).toEqual(expected);
      });

      it('is told with the object that it is in', () => {
        const item = { prt: 1 };
        expect(unknownFields({ ports: [item] }, schema, 'spec')).toEqual([{ path: 'spec.ports[0].prt', owner: item, field: 'prt' }]);
      });

      const misspelt = (name: string) => ({
        ...pod(name, 'default'),
        spec: { replica: 3, containers: [{ name: 'web', image: 'a', imagePulPolicy: 'Never', env: [{ name: 'A', valu: '1' }] }] },
      });
      const path = '/api/v1/namespaces/default/pods?dryRun=All';
      const warningsOf = async (mode: string): Promise<{ warnings: string; body: Pod }> => {
        const response = await server.client.send({ method: 'POST', path: `${path}${mode}`, body: JSON.stringify(misspelt('a')) });
        return { warnings: String(response.headers.warning ?? ''), body: JSON.parse(await readText(response.body)) };
      };

      it('is refused with fieldValidation=Strict, and all such fields are told at once', async () => {
        const { code, body } = await post(`${path}&fieldValidation=Strict`, misspelt('a'));
        expect({ code, reason: body.reason, message: body.message }).toEqual({
          code: 400,
          reason: 'BadRequest',
          message:
            'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.replica", ' +
            'unknown field "spec.containers[0].imagePulPolicy", unknown field "spec.containers[0].env[0].valu"',
        });
      });

      it('is dropped with a warning when nothing is asked for', async () => {
        unknownFields({}, {}, '');
        const { warnings, body } = await warningsOf('');
        expect(warnings).toContain('299 - "unknown field \\"spec.replica\\""');
        expect(warnings).toContain('299 - "unknown field \\"spec.containers[0].env[0].valu\\""');
        expect(body.spec).not.toHaveProperty('replica');
        expect(body.spec?.containers[0]?.env).toEqual([{ name: 'A' }]);
      });

      it('is dropped without a word with fieldValidation=Ignore', async () => {
        unknownFields({}, {}, '');
        const { warnings, body } = await warningsOf('&fieldValidation=Ignore');
        expect(warnings).toBe('');
        expect(body.spec).not.toHaveProperty('replica');
      });
    });

    describe('a field that is sent twice', () => {
      const path = '/api/v1/namespaces/default/pods';
      const twice =
        '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"twice","annotations":{"a":"1","a":"{\\"2"}},"spec":{"restartPolicy":"Never",' +
        '"containers":[{"name":"web","image":"a"},{"image":"b","name":"side","image":"c"}],"restartPolicy":"Always"}}';
      const create = (mode: string, body: string) =>
        server.client.send({ method: 'POST', path: `${path}?dryRun=All&fieldValidation=${mode}`, body });

      it('is refused with fieldValidation=Strict, wherever it stands', async () => {
        await expect(create('Strict', twice)).rejects.toThrow(
          'Pod in version "v1" cannot be handled as a Pod: strict decoding error: duplicate field "metadata.annotations.a", ' +
            'duplicate field "spec.containers[1].image", duplicate field "spec.restartPolicy"',
        );
      });

      it('is told of in a warning when nothing is asked for, and counts as it was sent last', async () => {
        const { headers, body } = await create('', twice);
        expect(String(headers.warning)).toContain('299 - "duplicate field \\"spec.containers[1].image\\""');
        expect(JSON.parse(await readText(body)).spec).toMatchObject({
          restartPolicy: 'Always',
          containers: [{ image: 'a' }, { image: 'c' }],
        });
        const ignored = await create('Ignore', twice);
        expect([ignored.code, ignored.headers.warning]).toEqual([201, undefined]);
      });

      it('is none when it stands in another object, or in a text', async () => {
        const text = JSON.stringify({ a: '{"a":1,"a":2}', b: { a: [{ a: 1 }, { a: 2 }] } });
        const body = JSON.stringify({ ...pod('once', 'default'), metadata: { name: 'once', annotations: { text, a: '1', b: '1' } } });
        expect((await create('Strict', body)).code).toBe(201);
      });
    });

    describe('what the author leaves out', () => {
      it('of the requests is what the limits say', () => {
        expect(withDefaultRequests({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } })).toEqual({
          limits: { cpu: '1', memory: '1Gi' },
          requests: { cpu: '500m', memory: '1Gi' },
        });
      });

      it('of the limits stays left out', () => {
        expect(withDefaultRequests({ limits: {}, requests: { cpu: '500m' } })).toEqual({ limits: {}, requests: { cpu: '500m' } });
      });

      it('is in the object that is stored', async () => {
        await create(pod('with-limits', 'default', { limits: { cpu: '1' } }));
        const { spec } = await server.client.get(Pods, { name: 'with-limits', namespace: 'default' });
        expect(spec?.containers[0]?.resources).toEqual({ limits: { cpu: '1' }, requests: { cpu: '1' } });
        expect(spec).toMatchObject({ restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30 });
      });
    });

    describe('what may not stand in a field', () => {
      beforeAll(() => {
        admissionSteps([], () => {});
      });

      const inPod = (spec: object) => [
        '/api/v1/namespaces/default/pods',
        { kind: 'Pod', spec: { containers: [{ name: 'a', image: 'a' }], ...spec } },
      ];
      const inContainer = (fields: object) => inPod({ containers: [{ name: 'a', image: 'a', ...fields }] });
      const inVolume = (source: object) => inPod({ volumes: [{ name: 'v', ...source }] });
      const inService = (spec: object) => [
        '/api/v1/namespaces/default/services',
        { kind: 'Service', spec: { ports: [{ port: 80 }], ...spec } },
      ];
      const kind = (group: string, plural: string) => `/apis/${group}/v1/namespaces/default/${plural}`;
      const networking = (plural: string, spec: object) => [kind('networking.k8s.io', plural), { spec }];
      const address = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
      const range = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
      const backend = { service: { name: 'web', port: { number: 80 } } };
      const selector = {
        matchExpressions: [
          { key: 'app', operator: 'Is', values: ['a'] },
          { key: 'app', operator: 'In' },
          { key: 'app', operator: 'Exists', values: ['a'] },
        ],
      };

      it.each([
        [
          'a toleration of what there is not',
          inPod({ tolerations: [{ key: 'a', operator: 'Is', effect: 'Never' }] }),
          [
            'spec.tolerations[0].operator: Unsupported value: "Is": supported values: "Equal", "Exists"',
            'spec.tolerations[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
          ],
        ],
        [
          'a toleration of nothing',
          inPod({ tolerations: [{ effect: 'NoSchedule' }] }),
          [
            'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
          ],
        ],
        [
          'a time with an effect that has none',
          inPod({ tolerations: [{ operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 }] }),
          ['spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set'],
        ],
        [
          'a spread without bounds',
          inPod({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'Ignore' }] }),
          [
            'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
            'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Ignore": supported values: "DoNotSchedule", "ScheduleAnyway"',
          ],
        ],
        [
          'a weight out of range',
          inPod({
            affinity: {
              nodeAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                  { weight: 101, preference: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
                ],
              },
            },
          }),
          [
            'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
          ],
        ],
        [
          'no address',
          inPod({ hostAliases: [{ ip: '10.0.0.300', hostnames: ['a'] }] }),
          [`spec.hostAliases[0].ip: Invalid value: "10.0.0.300": ${address}`],
        ],
        [
          'no user',
          inPod({ securityContext: { runAsUser: -1 } }),
          ['spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive'],
        ],
        [
          'a second container of the same name',
          inPod({
            containers: [
              { name: 'a', image: 'a' },
              { name: 'a', image: 'a' },
            ],
          }),
          ['spec.containers[1].name: Duplicate value: "a"'],
        ],
        [
          'a variable from nowhere',
          inContainer({ env: [{ name: 'A', valueFrom: {} }] }),
          [
            'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
          ],
        ],
        [
          'a field that pods do not tell',
          inContainer({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.containers' } } }] }),
          [
            'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.containers": error converting fieldPath: field label not supported: spec.containers',
          ],
        ],
        [
          'a probe that counts as nobody can',
          inContainer({ livenessProbe: { exec: { command: ['a'] }, successThreshold: 2, periodSeconds: -1 } }),
          [
            'spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
            'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
          ],
        ],
        [
          'a hook that does nothing',
          inContainer({ lifecycle: { preStop: {} } }),
          ['spec.containers[0].lifecycle.preStop: Required value: must specify a handler type'],
        ],
        [
          'a request to no port',
          inContainer({ readinessProbe: { httpGet: { port: 0 } } }),
          ['spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive'],
        ],
        ['a volume of nothing', inVolume({ configMap: {} }), ['spec.volumes[0].configMap.name: Required value']],
        [
          'a mode that files have not',
          inVolume({ secret: { secretName: 'a', defaultMode: 512 } }),
          ['spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive'],
        ],
        [
          'a family of addresses that is none',
          inService({ ipFamilyPolicy: 'Both' }),
          ['spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"'],
        ],
        [
          'endpoints without any',
          ['/api/v1/namespaces/default/endpoints', { subsets: [{ ports: [{ port: 80 }] }] }],
          ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
        ],
        [
          'a selector that cannot select',
          networking('networkpolicies', { podSelector: selector }),
          [
            'spec.podSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
            "spec.podSelector.matchExpressions[1].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            "spec.podSelector.matchExpressions[2].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ],
        ],
        [
          'a peer that is nobody',
          networking('networkpolicies', { podSelector: {}, ingress: [{ from: [{}, { ipBlock: { cidr: '10.0.0.0' } }] }] }),
          [
            'spec.ingress[0].from[0]: Required value: must specify a peer',
            `spec.ingress[0].from[1].ipBlock.cidr: Invalid value: "10.0.0.0": ${range}`,
          ],
        ],
        [
          'a path that leads nowhere',
          networking('ingresses', {
            rules: [
              {
                http: {
                  paths: [
                    { path: 'a', pathType: 'Prefix', backend },
                    { path: '/', pathType: 'Exact', backend: {} },
                  ],
                },
              },
            ],
          }),
          [
            'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path',
            'spec.rules[0].http.paths[1].backend: Invalid value: "": resource or service backend is required',
          ],
        ],
        [
          'a rule that allows nothing',
          [kind('rbac.authorization.k8s.io', 'roles'), { rules: [{ resources: ['pods'] }] }],
          [
            'rules[0].verbs: Required value: verbs must contain at least one value',
            'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
          ],
        ],
        [
          'a lease for no time',
          [kind('coordination.k8s.io', 'leases'), { spec: { leaseDurationSeconds: 0 } }],
          ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
        ],
      ] as [string, [string, object], string[]][])('is %s', async (_, [path, object], expected) => {
        const { code, body } = await post(`${path}?dryRun=All`, { metadata: { name: 'wrong' }, ...object });
        const causes = (body.details?.causes ?? []) as { field: string; message: string }[];
        // What stands in a field that is an object, the real API server writes as Go does.
        const told = causes.map(
          ({ field, message }) => `${field}: ${message.replace(/^Invalid value: (networking|\{).*?: (?=resource)/, 'Invalid value: "": ')}`,
        );
        expect(code).toBe(422);
        expect(told.sort()).toEqual(expected.sort());
      });

      it.each([
        [
          'an amount that is none',
          inContainer({ resources: { limits: { cpu: 'much' } } }),
          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ],
        ['a time that is none', [kind('coordination.k8s.io', 'leases'), { spec: { renewTime: 'now' } }], ''],
      ] as [string, [string, object], string][])('is %s, and nobody could read it', async (_, [path, object], why) => {
        const { code, body } = await post(`${path}?dryRun=All`, { metadata: { name: 'wrong' }, ...object });
        expect({ code, reason: body.reason }).toEqual({ code: 400, reason: 'BadRequest' });
        expect(body.message).toContain(why);
      });

      it('is null where a label is: it counts as empty, as Go’s clients mean it', async () => {
        const path = '/api/v1/namespaces/default/configmaps?dryRun=All';
        const { body } = await post(path, { metadata: { name: 'a', namespace: null, labels: { a: null }, annotations: { b: null } } });
        expect(body.metadata).toMatchObject({ name: 'a', namespace: 'default', labels: { a: '' }, annotations: { b: '' } });
      });
    });

    describe('what cannot work', () => {
      const field = 'spec.containers[0].volumeMounts';
      const told = (causes: { field?: string; message?: string }[]) => causes.map((cause) => `${cause.field}: ${cause.message}`);

      it.each<[string, object[], string[]]>([
        ['a mount without a name', [{ mountPath: '/a' }], [`${field}[0].name: Required value`, `${field}[0].name: Not found: ""`]],
        ['a mount of a volume that the pod has not', [{ name: 'x', mountPath: '/a' }], [`${field}[0].name: Not found: "x"`]],
        ['a mount without a path', [{ name: 'data' }], [`${field}[0].mountPath: Required value`]],
        [
          'a second mount at the same path',
          [
            { name: 'data', mountPath: '/a' },
            { name: 'data', mountPath: '/b' },
            { name: 'data', mountPath: '/a' },
          ],
          [`${field}[2].mountPath: Invalid value: "/a": must be unique`],
        ],
        ['nothing, when all is well', [{ name: 'data', mountPath: '/a' }], []],
      ])('is %s', (_, mounts, expected) => {
        expect(told(validateMounts(mounts as Parameters<typeof validateMounts>[0], field, new Set(['data'])))).toEqual(expected);
      });

      it.each<[string, Resources, string[]]>([
        [
          'a request that is more than its limit',
          { requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '1500m', memory: '2Gi' } },
          ['r.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m'],
        ],
        ['not a request as large as its limit, however it is written', { requests: { cpu: '1000m' }, limits: { cpu: '1' } }, []],
        ['not a request without a limit', { requests: { memory: '1Gi' }, limits: { cpu: '1' } }, []],
      ])('is %s', (_, resources, expected) => {
        expect(told(requestsAboveLimits(resources, 'r'))).toEqual(expected);
      });

      it('is told in one answer, all of it, and nothing is stored', async () => {
        const wrong = pod('wrong', 'default', { requests: { cpu: '2' }, limits: { cpu: '1' } });
        Object.assign(wrong.spec?.containers[0] ?? {}, { volumeMounts: [{ name: 'x', mountPath: '/a' }], image: '' });
        const status = await refusal(create(wrong));
        expect(status).toMatchObject({ code: 422, reason: 'Invalid' });
        expect(told(status.details?.causes ?? []).sort()).toEqual([
          'spec.containers[0].image: Required value',
          'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
          'spec.containers[0].volumeMounts[0].name: Not found: "x"',
        ]);
        expect(await refusal(server.client.get(Pods, { name: 'wrong', namespace: 'default' }))).toMatchObject({ code: 404 });
      });
    });

    describe('the plugins', () => {
      const said: string[] = [];
      const says =
        (text: string) =>
        ({ object }: Write) => {
          const labels = { ...object?.metadata.labels, [text]: 'was here' };
          said.push(`${text} after ${Object.keys(object?.metadata.labels ?? {}).join(' ') || 'nobody'}`);
          if (object) object.metadata.labels = labels;
        };
      const plugins: AdmissionPlugin[] = [
        { name: 'A', validate: says('a-validate') },
        { name: 'B', admit: says('b-admit'), validate: says('b-validate') },
        { name: 'C', admit: says('c-admit') },
      ];
      const write = () => ({ object: { apiVersion: 'v1', kind: 'Pod', metadata: {} } }) as unknown as Write;
      const run = async (steps: ReturnType<typeof admissionSteps>) => {
        const one = write();
        for (const step of steps) await step(one);
      };
      beforeEach(() => void said.splice(0));

      it('that change the object come first, then its validation, then those that only look', async () => {
        await run(admissionSteps(plugins, () => said.push('check')));
        expect(said.map((text) => text.split(' ')[0])).toEqual(['b-admit', 'c-admit', 'check', 'a-validate', 'b-validate']);
      });

      it('each see what those before them have made of the object', async () => {
        await run(admissionSteps(plugins, () => {}));
        expect(said[1]).toBe('c-admit after b-admit');
        expect(said[2]).toBe('a-validate after b-admit c-admit');
      });

      it('are none where there are none: the object must still be valid', async () => {
        await run(admissionSteps([], () => said.push('check')));
        expect(said).toEqual(['check']);
      });
    });

    describe('a namespace', () => {
      beforeAll(() => void admissionSteps([], () => {}));

      it('that does not exist takes nothing', async () => {
        const status = await refusal(create(pod('a', 'nowhere')));
        expect(status).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
      });

      /** As a DELETE leaves it (2.9): there, until somebody has emptied it. */
      async function end(name: string): Promise<void> {
        const namespace = await server.client.get(Namespaces, { name });
        const { resourceVersion: _, ...metadata } = namespace.metadata ?? {};
        const ending = {
          ...namespace,
          metadata: { ...metadata, deletionTimestamp: '2026-03-01T12:00:00Z' },
          status: { phase: 'Terminating' },
        };
        await server.etcd.client.put({ key: `/registry/namespaces/${name}`, value: JSON.stringify(ending) });
      }

      it('that is ending takes nothing new, and says so in a way that programs understand', async () => {
        const namespace = await newNamespace();
        await create(pod('old', namespace));
        await end(namespace);
        const status = await refusal(create(pod('new', namespace)));
        expect(status).toEqual({ ...terminating({ resource: pods, namespace, name: 'new' }).status });
        const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
        expect(status).toMatchObject({ code: 403, reason: 'Forbidden', message: `pods "new" is forbidden: ${why}` });
        expect(status.details).toMatchObject({ name: 'new', kind: 'pods' });
        expect(status.details?.causes).toEqual([
          { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
        ]);
      });

      it('that is ending still lets go of what it has', async () => {
        const namespace = await newNamespace();
        await create(pod('old', namespace));
        await end(namespace);
        await refusal(create(pod('new', namespace)));
        await server.client.patch(Pods, { name: 'old', namespace }, 'merge', { metadata: { labels: { a: 'b' } } });
        await server.client.delete(Pods, { name: 'old', namespace });
        expect((await server.client.list(Pods, { namespace })).items).toEqual([]);
      });

      it('that the cluster needs cannot be deleted', async () => {
        const status = await refusal(server.client.delete(Namespaces, { name: 'kube-system' }));
        expect(status).toMatchObject({ code: 403, message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted' });
      });
    });

    describe('a LimitRange', () => {
      const item: LimitItem = { type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '250m', memory: '64Mi' } };

      it.each<[string, Resources, Resources]>([
        ['fills in what is left out', {}, { limits: { cpu: '500m' }, requests: { cpu: '250m', memory: '64Mi' } }],
        [
          'leaves what the author has said',
          { limits: { cpu: '2' }, requests: { cpu: '1' } },
          { limits: { cpu: '2' }, requests: { cpu: '1', memory: '64Mi' } },
        ],
        [
          'leaves resources of which it says nothing',
          { limits: { 'example.com/gpu': '1' } },
          { limits: { cpu: '500m', 'example.com/gpu': '1' }, requests: { cpu: '250m', memory: '64Mi' } },
        ],
      ])('%s', (_, resources, expected) => {
        expect(withDefaults(resources, item)).toEqual(expected);
      });

      it('without defaults adds nothing, not even an empty field', () => {
        expect(withDefaults({ claims: [{ name: 'a' }] }, { type: 'Container', max: { cpu: '1' } })).toEqual({ claims: [{ name: 'a' }] });
      });

      const bounds: LimitItem = { type: 'Container', min: { cpu: '100m' }, max: { cpu: '1', memory: '1Gi' } };
      const fine = { memory: '1Gi' };
      it.each<[string, Resources, string[]]>([
        ['lets pass what is within its bounds, both ends included', { requests: { cpu: '0.1' }, limits: { cpu: '1000m', ...fine } }, []],
        [
          'wants to see a request where there is a minimum',
          { limits: { cpu: '1', ...fine } },
          ['minimum cpu usage per Container is 100m.  No request is specified'],
        ],
        [
          'refuses a request below the minimum',
          { requests: { cpu: '50m' }, limits: { cpu: '1', ...fine } },
          ['minimum cpu usage per Container is 100m, but request is 50m'],
        ],
        [
          'refuses a limit below the minimum',
          { requests: { cpu: '100m' }, limits: { cpu: '99m', ...fine } },
          ['minimum cpu usage per Container is 100m, but limit is 99m'],
        ],
        [
          'wants to see a limit where there is a maximum',
          { requests: { cpu: '100m' }, limits: { cpu: '1' } },
          ['maximum memory usage per Container is 1Gi.  No limit is specified'],
        ],
        [
          'refuses a limit above the maximum, and writes amounts in their shortest form',
          { requests: { cpu: '100m' }, limits: { cpu: '2000m', ...fine } },
          ['maximum cpu usage per Container is 1, but limit is 2'],
        ],
        [
          'refuses a request above the maximum',
          { requests: { cpu: '100m', memory: '2Gi' }, limits: { cpu: '1', ...fine } },
          ['maximum memory usage per Container is 1Gi, but request is 2Gi'],
        ],
        [
          'says each thing once, the minimum first',
          {},
          [
            'minimum cpu usage per Container is 100m.  No request is specified',
            'maximum cpu usage per Container is 1.  No limit is specified',
            'maximum memory usage per Container is 1Gi.  No limit is specified',
          ],
        ],
      ])('%s', (_, resources, expected) => {
        expect(boundProblems(resources, bounds)).toEqual(expected);
      });

      describe('in a namespace', () => {
        let namespace: string;

        beforeAll(async () => {
          admissionSteps([], () => {});
          namespace = await newNamespace();
          await create(pod('there', namespace, { limits: { cpu: '9' } }));
          await server.client.create(LimitRanges, {
            apiVersion: 'v1',
            kind: 'LimitRange',
            metadata: { name: 'limits', namespace },
            spec: {
              limits: [
                { type: 'Container', default: { cpu: '500m', memory: '64Mi' }, defaultRequest: { cpu: '250m' }, max: { cpu: '1' } },
                { type: 'Pod', max: { cpu: '1500m' } },
              ],
            },
          });
          await eventually('the LimitRange counts', async () => {
            const { metadata } = await rehearse(pod('probe', namespace));
            return metadata?.annotations?.['kubernetes.io/limit-ranger'];
          });
        });

        it('gives every container its defaults, and says so in an annotation', async () => {
          const { metadata, spec } = await rehearse(pod('a', namespace));
          expect(spec?.containers[0]?.resources).toEqual({
            limits: { cpu: '500m', memory: '64Mi' },
            requests: { cpu: '250m', memory: '64Mi' },
          });
          expect(metadata?.annotations?.['kubernetes.io/limit-ranger']).toBe(
            'LimitRanger plugin set: cpu, memory request for container web; cpu, memory limit for container web',
          );
        });

        it('gives its defaults before the object is validated', async () => {
          const status = await rehearse(pod('a', namespace, { requests: { cpu: '600m' } }));
          expect(status.message).toBe(
            'Pod "a" is invalid: spec.containers[0].resources.requests: Invalid value: "600m": must be less than or equal to cpu limit of 500m',
          );
        });

        it('refuses a container that wants too much', async () => {
          const status = await refusal(create(pod('big', namespace, { limits: { cpu: '2' } })));
          expect(status).toMatchObject({
            code: 403,
            reason: 'Forbidden',
            message:
              'pods "big" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum cpu usage per Pod is 1500m, but limit is 2]',
          });
        });

        it('adds a pod’s containers up', async () => {
          const container = (name: string) => ({ name, image: 'a', resources: { limits: { cpu: '800m' } } });
          const status = await rehearse(pod('two', namespace, {}, { containers: [container('a'), container('b')] }));
          expect(status.message).toBe('pods "two" is forbidden: maximum cpu usage per Pod is 1500m, but limit is 1600m');
        });

        it('is not asked about pods that are there already', async () => {
          await server.client.patch(Pods, { name: 'there', namespace }, 'merge', { metadata: { labels: { a: 'b' } } });
          expect((await server.client.get(Pods, { name: 'there', namespace })).metadata?.labels).toEqual({ a: 'b' });
        });
      });
    });

    describe('a ResourceQuota', () => {
      const quota = (hard: Record<string, string>, used: Record<string, string>, resourceVersion = '1'): ResourceQuota & ApiObject => ({
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'small', namespace: 'shop', resourceVersion },
        status: { hard, used },
      });

      it.each<[string, Record<string, string>, string | undefined]>([
        ['has room for exactly what is left', { pods: '1', 'requests.cpu': '500m' }, undefined],
        [
          'names what would be exceeded, and nothing else',
          { pods: '2', 'requests.cpu': '500m' },
          'exceeded quota: small, requested: pods=2, used: pods=2, limited: pods=3',
        ],
        [
          'names all of it, by name, with commas between',
          { 'requests.cpu': '0.6', pods: '2' },
          'exceeded quota: small, requested: pods=2,requests.cpu=600m, used: pods=2,requests.cpu=1500m, limited: pods=3,requests.cpu=2',
        ],
        ['is not concerned with what is not requested', {}, undefined],
      ])('%s', (_, requested, expected) => {
        const small = quota({ pods: '3', 'requests.cpu': '2', secrets: '0' }, { pods: '2', 'requests.cpu': '1.5', secrets: '5' });
        expect(quotaProblem(small, requested)).toBe(expected);
      });

      describe('is charged', () => {
        /** A quota in etcd that others write, too: each of these just before our next write. */
        function contested(...theirs: ((ResourceQuota & ApiObject) | undefined)[]) {
          const written: { key: string; resourceVersion: string; object: ApiObject }[] = [];
          const update = async (key: string, resourceVersion: string, object: ApiObject) => {
            if (theirs.length > 0) return { written: false as const, found: theirs.shift() };
            written.push({ key, resourceVersion, object });
            return { written: true as const, object };
          };
          return { storage: { update }, written };
        }

        it('in one write, for the version that was looked at', async () => {
          const { storage, written } = contested();
          expect(
            await charge(storage, quota({ pods: '3', secrets: '9' }, { pods: '2', secrets: '1' }, '7'), { pods: '1' }),
          ).toBeUndefined();
          expect(written).toHaveLength(1);
          expect(written[0]).toMatchObject({ key: '/registry/resourcequotas/shop/small', resourceVersion: '7' });
          expect(written[0]?.object.status).toEqual({ hard: { pods: '3', secrets: '9' }, used: { pods: '3', secrets: '1' } });
        });

        it('on top of what others have charged meanwhile', async () => {
          const { storage, written } = contested(quota({ pods: '5' }, { pods: '3' }, '8'), quota({ pods: '5' }, { pods: '4' }, '9'));
          expect(await charge(storage, quota({ pods: '5' }, { pods: '2' }, '7'), { pods: '1' })).toBeUndefined();
          expect(written).toHaveLength(1);
          expect(written[0]).toMatchObject({ resourceVersion: '9', object: { status: { used: { pods: '5' } } } });
        });

        it('only while there is room: others may have taken the last place', async () => {
          const { storage, written } = contested(quota({ pods: '3' }, { pods: '3' }, '8'));
          expect(await charge(storage, quota({ pods: '3' }, { pods: '2' }, '7'), { pods: '1' })).toBe(
            'exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3',
          );
          expect(written).toEqual([]);
        });

        it('only while it is there', async () => {
          const { storage, written } = contested(undefined);
          expect(await charge(storage, quota({ pods: '3' }, { pods: '2' }), { pods: '1' })).toBeUndefined();
          expect(written).toEqual([]);
        });
      });

      describe('in a namespace', () => {
        /** As its controller would: what the spec says is what there is. */
        async function newQuota(hard: Record<string, string>, used: Record<string, string> = {}): Promise<string> {
          admissionSteps([], () => {});
          const namespace = await newNamespace();
          const small = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small', namespace }, spec: { hard } } as const;
          const created = await server.client.create(ResourceQuotas, small);
          const nothing = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
          const full = {
            ...created,
            status: { hard: { ...hard, 'count/secrets': '0' }, used: { ...nothing, 'count/secrets': '0', ...used } },
          };
          const counting = await server.client.updateStatus(ResourceQuotas, full);
          await eventually('the quota counts', async () => {
            const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'probe', namespace } };
            const { body } = await post(`/api/v1/namespaces/${namespace}/secrets?dryRun=All`, secret);
            return body.message?.includes('exceeded quota: small');
          });
          await server.client.updateStatus(ResourceQuotas, { ...counting, status: { hard, used: { ...nothing, ...used } } });
          await eventually('the quota counts no secrets', async () => (await usedIn(namespace))['count/secrets'] === undefined);
          return namespace;
        }
        const usedIn = async (namespace: string): Promise<Record<string, string>> => {
          const { status } = await server.client.get(ResourceQuotas, { name: 'small', namespace });
          return status?.used ?? {};
        };

        it('counts what is made, until there is no room', async () => {
          const namespace = await newQuota({ pods: '2', 'requests.cpu': '1', 'limits.cpu': '2' });
          await create(pod('a', namespace, { requests: { cpu: '300m' }, limits: { cpu: '500m' } }));
          await create(pod('b', namespace, { requests: { cpu: '300m' }, limits: { cpu: '500m' } }));
          expect(await usedIn(namespace)).toEqual({ pods: '2', 'requests.cpu': '600m', 'limits.cpu': '1' });
          const status = await refusal(create(pod('c', namespace, { requests: { cpu: '500m' }, limits: { cpu: '500m' } })));
          expect(status).toMatchObject({
            code: 403,
            reason: 'Forbidden',
            message:
              'pods "c" is forbidden: exceeded quota: small, requested: pods=1,requests.cpu=500m, used: pods=2,requests.cpu=600m, limited: pods=2,requests.cpu=1',
          });
        });

        it('wants to know what a pod needs', async () => {
          const namespace = await newQuota({ 'limits.cpu': '2', 'requests.cpu': '1' });
          const status = await refusal(create(pod('a', namespace)));
          expect(status.message).toBe(
            'pods "a" is forbidden: failed quota: small: must specify limits.cpu for: web; requests.cpu for: web',
          );
        });

        it('is not charged for a rehearsal, which is refused as the real thing is', async () => {
          const namespace = await newQuota({ pods: '1' });
          await rehearse(pod('a', namespace));
          expect(await usedIn(namespace)).toEqual({ pods: '0' });
          await create(pod('a', namespace));
          expect((await rehearse(pod('b', namespace))).message).toContain('exceeded quota: small, requested: pods=1, used: pods=1');
        });

        it('is not charged for an object that is invalid', async () => {
          const namespace = await newQuota({ pods: '2' });
          await refusal(create(pod('a', namespace, {}, { containers: [] })));
          expect(await usedIn(namespace)).toEqual({ pods: '0' });
        });

        it('counts objects of any kind', async () => {
          const namespace = await newQuota({ 'count/configmaps': '1' });
          const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } }) as const;
          await server.client.create(ConfigMaps, configMap('a'));
          const status = await refusal(server.client.create(ConfigMaps, configMap('b')));
          expect(status.message).toBe(
            'configmaps "b" is forbidden: exceeded quota: small, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1',
          );
        });

        it('has as many places as it has, however many come at the same time', async () => {
          const namespace = await newQuota({ pods: '5' });
          const names = Array.from({ length: 12 }, (_, index) => `pod-${index}`);
          const outcomes = await Promise.allSettled(names.map((name) => create(pod(name, namespace))));
          expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
          expect(await usedIn(namespace)).toEqual({ pods: '5' });
          expect((await server.client.list(Pods, { namespace })).items).toHaveLength(5);
        });
      });
    });

    describe('a security level', () => {
      const open = { allowPrivilegeEscalation: false, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
      const closed = { ...open, capabilities: { drop: ['ALL'] } };
      const unsafe = {
        hostNetwork: true,
        hostPID: true,
        securityContext: { sysctls: [{ name: 'kernel.foo', value: '1' }], seLinuxOptions: { type: 'x', user: 'u' }, runAsUser: 0 },
        volumes: [
          { name: 'h', hostPath: { path: '/' } },
          { name: 'n', nfs: { server: 'a', path: '/' } },
        ],
        containers: [
          {
            name: 'a',
            image: 'b',
            ports: [{ containerPort: 80, hostPort: 80 }],
            securityContext: { privileged: true, capabilities: { add: ['NET_ADMIN', 'CHOWN'] }, seccompProfile: { type: 'Unconfined' } },
          },
          { name: 'c', image: 'b', securityContext: { privileged: true, runAsNonRoot: false, capabilities: { add: ['SYS_ADMIN'] } } },
        ],
      };
      let restricted: string;
      let baseline: string;

      async function withLevel(level: string): Promise<string> {
        const name = await newNamespace();
        await server.client.patch(Namespaces, { name }, 'merge', { metadata: { labels: { 'pod-security.kubernetes.io/enforce': level } } });
        await eventually(`${level} counts`, async () =>
          (await rehearse(pod('probe', name, {}, { hostNetwork: true }))).message?.includes('violates PodSecurity'),
        );
        return name;
      }
      beforeAll(async () => {
        admissionSteps([], () => {});
        restricted = await withLevel('restricted');
        baseline = await withLevel('baseline');
      });

      it('restricted wants every container to say what it can do without', async () => {
        expect((await rehearse(pod('a', restricted))).message).toBe(
          'pods "a" is forbidden: violates PodSecurity "restricted:latest": ' +
            'allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false), ' +
            'unrestricted capabilities (container "web" must set securityContext.capabilities.drop=["ALL"]), ' +
            'runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true), ' +
            'seccompProfile (pod or container "web" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
        );
        const good = pod('good', restricted, {}, { containers: [{ name: 'a', image: 'b', securityContext: closed }] });
        expect(await rehearse(good)).toMatchObject({ kind: 'Pod' });
      });

      it('baseline refuses what leads out of a container, and nothing else', async () => {
        expect(await rehearse(pod('a', baseline))).toMatchObject({ kind: 'Pod' });
        expect((await rehearse(pod('a', baseline, {}, unsafe))).message).toBe(
          'pods "a" is forbidden: violates PodSecurity "baseline:latest": ' +
            'non-default capabilities (containers "a", "c" must not include "NET_ADMIN", "SYS_ADMIN" in securityContext.capabilities.add), ' +
            'host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume "h"), hostPort (container "a" uses hostPort 80), ' +
            'privileged (containers "a", "c" must not set securityContext.privileged=true), ' +
            'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "x"; user may not be set), ' +
            'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined"), forbidden sysctls (kernel.foo)',
        );
      });

      it('restricted is stricter than baseline in everything', async () => {
        expect((await rehearse(pod('a', restricted, {}, unsafe))).message).toBe(
          'pods "a" is forbidden: violates PodSecurity "restricted:latest": ' +
            'host namespaces (hostNetwork=true, hostPID=true), hostPort (container "a" uses hostPort 80), ' +
            'privileged (containers "a", "c" must not set securityContext.privileged=true), ' +
            'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "x"; user may not be set), forbidden sysctls (kernel.foo), ' +
            'allowPrivilegeEscalation != false (containers "a", "c" must set securityContext.allowPrivilegeEscalation=false), ' +
            'unrestricted capabilities (containers "a", "c" must set securityContext.capabilities.drop=["ALL"]; ' +
            'containers "a", "c" must not include "CHOWN", "NET_ADMIN", "SYS_ADMIN" in securityContext.capabilities.add), ' +
            'restricted volume types (volumes "h", "n" use restricted volume types "hostPath", "nfs"), ' +
            'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod must not set runAsUser=0), ' +
            'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
        );
      });

      it('refuses no workload, but warns its author', async () => {
        const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'web', image: 'a' }] } };
        const deployment = { metadata: { name: 'a' }, spec: { selector: { matchLabels: { app: 'a' } }, template } };
        const path = `/apis/apps/v1/namespaces/${restricted}/deployments?dryRun=All`;
        const { code, headers, body } = await server.client.send({ method: 'POST', path, body: JSON.stringify(deployment) });
        await readText(body);
        expect(code).toBe(201);
        expect(headers.warning).toContain('299 - "would violate PodSecurity \\"restricted:latest\\": allowPrivilegeEscalation != false');
      });

      it('must be one of the three', async () => {
        const labels = { 'pod-security.kubernetes.io/enforce': 'strict', 'pod-security.kubernetes.io/enforce-version': '1.30' };
        const { body } = await post('/api/v1/namespaces', { metadata: { name: 'misspelt', labels } });
        expect(body).toMatchObject({ code: 422, reason: 'Invalid' });
        expect(body.message).toBe(
          'Namespace "misspelt" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": ' +
            'must be one of privileged, baseline, restricted, ' +
            'metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "1.30": must be "latest" or "v1.x"]',
        );
      });
    });

    describe('a webhook', () => {
      type Review = Record<string, unknown> & { uid: string; object: Pod };
      let hooks: ReturnType<typeof createServer>;
      let url: string;
      let caBundle: string;
      let seen: Review[] = [];
      const patchBy = (patch: object[]) => {
        return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
      };
      /** What the server outside answers at which path; nothing at all where there is no answer. */
      const answers: Record<string, (request: Review) => object | undefined> = {
        '/no': () => ({ allowed: false, status: { message: 'not on a Friday', code: 409 } }),
        '/look': () => ({ allowed: true }),
        '/yes': () => ({ allowed: true, warnings: ['be careful'] }),
        '/silence': () => undefined,
        '/patch': () => ({ allowed: true, patch: Buffer.from('[]').toString('base64'), patchType: 'JSONPatch' }),
        '/half': () => ({ allowed: true, patch: Buffer.from('[]').toString('base64') }),
        '/stranger': () => ({ allowed: true, uid: 'another' }),
        '/rename': () => patchBy([{ op: 'replace', path: '/metadata/name', value: 'somebody-else' }]),
        '/image': ({ object }) => {
          const patch = [{ op: 'replace', path: '/spec/containers/0/image', value: `mirror/${object.spec?.containers[0]?.name}` }];
          return patchBy(patch);
        },
      };

      beforeAll(async () => {
        admissionSteps([], () => {});
        const authority = await createCertificateAuthority('outside-ca');
        const serving = await authority.issue({ commonName: 'outside', hosts: ['127.0.0.1'], usages: ['server'] });
        hooks = createServer(serving, async (message, response) => {
          const { request } = JSON.parse(await readText(message)) as { request: Review };
          seen.push(request);
          const answer = answers[message.url?.split('?')[0] ?? '']?.(request);
          if (!answer) return;
          response.setHeader('content-type', 'application/json');
          const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: request.uid, ...answer } };
          response.end(JSON.stringify(review));
        });
        await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve));
        url = `https://127.0.0.1:${(hooks.address() as AddressInfo).port}`;
        caBundle = Buffer.from(authority.cert).toString('base64');
      });
      afterAll(() => {
        hooks?.closeAllConnections();
        hooks?.close();
      });

      const configuration = (kind: 'Mutating' | 'Validating', name: string, webhook: object) => ({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: `${kind}WebhookConfiguration`,
        metadata: { name },
        webhooks: [{ name: 'pods.example.com', sideEffects: 'None', admissionReviewVersions: ['v1'], ...webhook }],
      });
      const pathOf = (kind: string) => `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`;
      const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];

      /** A new namespace whose pods the webhook is asked about. */
      async function asking(kind: 'Mutating' | 'Validating', path: string, more: object = {}): Promise<string> {
        const name = await newNamespace();
        const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': name } };
        const webhook = { clientConfig: { url: url + path, caBundle }, rules, namespaceSelector, timeoutSeconds: 1, ...more };
        const { code, body } = await post(pathOf(kind), configuration(kind, name, webhook));
        expect({ code, message: body.message }).toEqual({ code: 201, message: undefined });
        seen = [];
        await eventually('the webhook is asked', async () => {
          const { message } = await rehearse(pod('probe', name));
          if (seen.length === 0 && message) throw new Error(message);
          return seen.length > 0;
        });
        seen = [];
        return name;
      }

      it('says no, in its own words and with its own code', async () => {
        const namespace = await asking('Validating', '/no');
        const status = await refusal(create(pod('a', namespace)));
        expect(status).toMatchObject({ code: 409, message: 'admission webhook "pods.example.com" denied the request: not on a Friday' });
      });

      it('that takes its time holds up nobody else', async () => {
        const namespace = await asking('Validating', '/silence', { failurePolicy: 'Ignore' });
        let isAnswered = false;
        const slow = create(pod('slow', namespace)).then(() => (isAnswered = true));
        await eventually('the webhook is asked', () => seen.length > 0);
        await create(pod('quick', await newNamespace()));
        expect(isAnswered).toBe(false);
        await slow;
      });

      it('is told who wants to do what, and whether it is a rehearsal', async () => {
        const namespace = await asking('Validating', '/yes');
        await rehearse(pod('a', namespace));
        await create(pod('a', namespace));
        expect(seen).toHaveLength(2);
        expect(seen.map(({ dryRun }) => dryRun)).toEqual([true, false]);
        expect(seen[1]).toMatchObject({
          kind: { group: '', version: 'v1', kind: 'Pod' },
          resource: { group: '', version: 'v1', resource: 'pods' },
          name: 'a',
          namespace,
          operation: 'CREATE',
          userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
          object: { kind: 'Pod', metadata: { name: 'a' }, spec: { restartPolicy: 'Always' } },
          oldObject: null,
        });
      });

      it('can warn', async () => {
        const namespace = await asking('Validating', '/yes');
        const body = JSON.stringify(pod('a', namespace));
        const answer = await server.client.send({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods`, body });
        await readText(answer.body);
        expect(answer.headers.warning).toBe('299 - "be careful"');
      });

      it('that mutates is asked before the object is validated', async () => {
        const namespace = await asking('Mutating', '/image');
        const created = await create(pod('a', namespace, {}, { containers: [{ name: 'web', image: '' }] }));
        expect(created.spec?.containers[0]?.image).toBe('mirror/web');
      });

      it.each([
        ['when another one has changed the object after it, if it wants to be', 'IfNeeded', '/image', 2],
        ['only once, if it does not', 'Never', '/image', 1],
        ['only once, if nobody has changed anything', 'IfNeeded', '/yes', 1],
      ])('that mutates is asked again %s', async (_, reinvocationPolicy, path, times) => {
        const namespace = await asking('Mutating', '/look', { reinvocationPolicy });
        const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
        const second = { clientConfig: { url: url + path, caBundle }, rules, namespaceSelector, name: 'second.example.com' };
        expect((await post(pathOf('Mutating'), configuration('Mutating', `${namespace}-second`, second))).code).toBe(201);
        const looksAt = async (name: string) => {
          seen = [];
          await rehearse(pod(name, namespace));
          return seen.map(({ object }) => object.spec?.containers[0]?.image);
        };
        await eventually('both are asked', async () => (await looksAt('probe')).length > 1);
        const [first, , last] = await looksAt('a');
        expect(seen).toHaveLength(times + 1);
        if (times === 2) expect([first, last]).toEqual(['kubekata/echo:v1', 'mirror/web']);
      });

      it('that renames an object never leads to one that is not where its name says', async () => {
        const namespace = await asking('Mutating', '/rename');
        await create(pod('a', namespace)).catch((error: Error) => expect(error).toBeInstanceOf(ApiError));
        const { items } = await server.client.list(Pods, { namespace });
        for (const { metadata } of items) {
          const found = await server.client.get(Pods, { namespace, name: metadata?.name ?? '' });
          expect(found.metadata?.uid).toBe(metadata?.uid);
        }
      });

      it.each([
        ['that does not answer in time', 'Validating', '/silence', 'failed to call webhook: Post '],
        ['that answers another question', 'Validating', '/stranger', 'received invalid webhook response: expected response.uid='],
        [
          'that must only look, and patches',
          'Validating',
          '/patch',
          'received invalid webhook response: validating webhook may not return',
        ],
        [
          'that does not say what its patch is',
          'Mutating',
          '/half',
          'received invalid webhook response: webhook returned response.patch but',
        ],
      ] as const)('%s refuses', async (_, kind, path, why) => {
        const namespace = await asking(kind, path);
        const status = await refusal(create(pod('a', namespace)));
        expect(status).toMatchObject({ code: 500, reason: 'InternalError' });
        expect(status.message).toContain(`Internal error occurred: failed calling webhook "pods.example.com": ${why}`);
      });

      it('that is broken does not count with failurePolicy Ignore', async () => {
        const namespace = await asking('Validating', '/stranger', { failurePolicy: 'Ignore' });
        expect(await create(pod('a', namespace))).toMatchObject({ kind: 'Pod' });
      });

      const write = (operation: string, subresource = '', labels: Record<string, string> = {}) => {
        const object = pod('a', 'shop') as ApiObject;
        object.metadata.labels = labels;
        const objects = { CREATE: { object }, UPDATE: { object, old: object }, DELETE: { old: object } }[operation];
        return { target: { resource: pods, namespace: 'shop', name: 'a' }, subresource, ...objects } as Write;
      };
      const wanting = (rule: object, more: object = {}) => ({ rules: [{ ...rules[0], ...rule }], ...more }) as Webhook;
      it.each<[string, Webhook, Write, boolean]>([
        ['the operation that it names', wanting({}), write('CREATE'), true],
        ['no other operation', wanting({}), write('DELETE'), false],
        ['any operation with *', wanting({ operations: ['*'] }), write('DELETE'), true],
        ['no other resource', wanting({ resources: ['services'] }), write('CREATE'), false],
        ['no other group', wanting({ apiGroups: ['apps'] }), write('CREATE'), false],
        ['nothing below a resource', wanting({ operations: ['*'] }), write('UPDATE', 'status'), false],
        ['what is below a resource, if it says so', wanting({ operations: ['*'], resources: ['pods/*'] }), write('UPDATE', 'status'), true],
        ['the scope that it names', wanting({ scope: 'Cluster' }), write('CREATE'), false],
        ['objects that its selector chooses', wanting({}, { objectSelector: { matchLabels: { a: 'b' } } }), write('CREATE'), false],
        ['these, too', wanting({}, { objectSelector: { matchLabels: { a: 'b' } } }), write('CREATE', '', { a: 'b' }), true],
        [
          'no namespace that its selector leaves out',
          wanting({}, { namespaceSelector: { matchExpressions: [{ key: 'in', operator: 'NotIn', values: ['shop'] }] } }),
          write('CREATE'),
          false,
        ],
      ])('is asked about %s', (_, webhook, one, expected) => {
        expect(wants(webhook, one, { in: 'shop' })).toBe(expected);
      });

      const condition = (expression: string) => ({ matchConditions: [{ name: 'condition', expression }] });
      const picky = `object.metadata.name != 'exempt'`;

      it('is not asked about what one of its conditions leaves out', async () => {
        const namespace = await asking('Validating', '/no', condition(picky));
        expect(await create(pod('exempt', namespace))).toMatchObject({ kind: 'Pod' });
        expect(await refusal(create(pod('a', namespace)))).toMatchObject({ code: 409 });
      });

      it('that mutates has conditions, too, about the object as those before it have made it', async () => {
        const namespace = await asking('Mutating', '/image', condition(picky));
        const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
        const isMirrored = condition(`object.spec.containers[0].image.startsWith('mirror/')`);
        const second = { clientConfig: { url: `${url}/no`, caBundle }, rules, namespaceSelector, ...isMirrored };
        expect((await post(pathOf('Mutating'), configuration('Mutating', `${namespace}-second`, second))).code).toBe(201);
        await eventually('the second webhook says no', async () => (await rehearse(pod('a', namespace))).message?.includes('on a Friday'));
        expect(await create(pod('exempt', namespace))).toMatchObject({ kind: 'Pod' });
      });

      it.each([
        ['the request', `request.operation == 'CREATE' && request.resource.resource == 'pods' && request.userInfo.username != ''`],
        ['whole numbers', 'size(object.spec.containers) == 1 && object.spec.terminationGracePeriodSeconds >= 30'],
        ['an absent old object', 'oldObject == null'],
        ['fields that may be absent', `!has(object.metadata.labels) || object.metadata.?labels.?a.orValue('b') == 'b'`],
      ])('has conditions about %s', async (_, expression) => {
        const namespace = await asking('Validating', '/no', condition(expression));
        expect(await refusal(create(pod('a', namespace)))).toMatchObject({ code: 409 });
      });

      const broken = `object.metadata.name in ['exempt', 'probe'] || object.metadata.nothing == 'a'`;

      it('with a condition that fails refuses', async () => {
        const namespace = await asking('Validating', '/yes', condition(broken));
        const status = await refusal(create(pod('a', namespace)));
        expect(status).toMatchObject({ code: 403, reason: 'Forbidden' });
        const why = `expression '${broken}' resulted in error: no such key: nothing`;
        expect(status.message).toBe(`pods "a" is forbidden: ${why}`);
      });

      it('with a condition that fails is not asked with failurePolicy Ignore', async () => {
        const namespace = await asking('Validating', '/no', { ...condition(broken), failurePolicy: 'Ignore' });
        expect(await create(pod('a', namespace))).toMatchObject({ kind: 'Pod' });
        expect(seen).toEqual([]);
      });

      it('with a condition that says no is not asked, whatever becomes of the others', async () => {
        const matchConditions = [...condition(broken).matchConditions, { name: 'other', expression: `object.metadata.name != 'a'` }];
        const namespace = await asking('Validating', '/no', { matchConditions });
        expect(await create(pod('a', namespace))).toMatchObject({ kind: 'Pod' });
      });

      it('refuses when a condition would take for ever', async () => {
        const namespace = await asking('Validating', '/yes', condition(`object.metadata.name == 'probe' || ${endless}`));
        expect(await refusal(create(pod('a', namespace)))).toMatchObject({ code: 403, reason: 'Forbidden' });
      });

      it.each([
        ['that nobody can read', 'object.', 'compilation failed: '],
        ['about what there is not', 'pod.metadata.name == "a"', 'compilation failed: '],
        ['that is no yes or no', '1 + 1', 'must evaluate to bool'],
        ['that may be no yes or no', 'object.spec.hostNetwork', 'must evaluate to bool'],
      ])('cannot have a condition %s', async (_, expression, why) => {
        const webhook = { clientConfig: { url: `${url}/yes`, caBundle }, rules, ...condition(expression) };
        const { code, body } = await post(pathOf('Validating'), configuration('Validating', 'wrong', webhook));
        expect({ code, reason: body.reason }).toEqual({ code: 422, reason: 'Invalid' });
        const [{ field, message }] = body.details.causes;
        expect(field).toBe('webhooks[0].matchConditions[0].expression');
        expect(message).toContain(`Invalid value: ${JSON.stringify(expression)}: ${why}`);
      });

      it('has conditions with names, each its own', async () => {
        const matchConditions = ['', 'a b', 'twice', 'twice'].map((name) => ({ name, expression: name ? 'true' : '' }));
        const webhook = { clientConfig: { url: `${url}/yes`, caBundle }, rules, matchConditions };
        const { body } = await post(pathOf('Validating'), configuration('Validating', 'wrong', webhook));
        const causes = body.details.causes as { field: string; reason: string }[];
        expect(causes.map(({ field, reason }) => `${field}: ${reason}`)).toEqual([
          'webhooks[0].matchConditions[0].expression: FieldValueRequired',
          'webhooks[0].matchConditions[0].name: FieldValueRequired',
          'webhooks[0].matchConditions[1].name: FieldValueInvalid',
          'webhooks[0].matchConditions[3].name: FieldValueDuplicate',
        ]);
      });

      it('is configured completely and correctly, or not at all', async () => {
        const wrong = { name: 'short', clientConfig: { url: 'http://127.0.0.1/a' }, sideEffects: 'Some', timeoutSeconds: 40, rules };
        const { body } = await post(pathOf('Validating'), configuration('Validating', 'wrong', wrong));
        expect(body.details.causes.map(({ field, message }: Record<string, string>) => `${field}: ${message}`)).toEqual([
          'webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
          'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
          'webhooks[0].timeoutSeconds: Invalid value: 40: the timeout value must be between 1 and 30 seconds',
          `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
        ]);
      });

      it('is not asked about what configures webhooks: else nobody could take a broken one away', async () => {
        const all = [{ operations: ['*'], apiGroups: ['admissionregistration.k8s.io'], apiVersions: ['*'], resources: ['*'] }];
        const broken = { clientConfig: { url: `${url}/no`, caBundle }, rules: all };
        await asking('Validating', '/yes');
        expect((await post(pathOf('Validating'), configuration('Validating', 'broken', broken))).code).toBe(201);
        expect((await post(pathOf('Validating'), configuration('Validating', 'later', broken))).code).toBe(201);
        seen = [];
        expect((await server.send({ method: 'DELETE', path: `${pathOf('Validating')}/broken` })).code).toBe(200);
        expect((await server.send({ method: 'DELETE', path: `${pathOf('Validating')}/later` })).code).toBe(200);
        expect(seen).toEqual([]);
      });
    });

    describe('a policy', () => {
      type Spec = Record<string, unknown>;
      const group = '/apis/admissionregistration.k8s.io/v1';
      const pathsOf = { policy: `${group}/validatingadmissionpolicies`, binding: `${group}/validatingadmissionpolicybindings` };
      const apiVersion = 'admissionregistration.k8s.io/v1';
      const pods = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE', 'DELETE'], resources: ['pods'] };
      const matchConstraints = { resourceRules: [pods] };
      const policy = (name: string, spec: Spec) => {
        return { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec: { matchConstraints, ...spec } };
      };
      const binding = (name: string, spec: Spec) => {
        const given = { policyName: name, validationActions: ['Deny'], ...spec };
        return { apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name }, spec: given };
      };
      const small = { expression: 'object.spec.terminationGracePeriodSeconds <= 30' };
      const big = { terminationGracePeriodSeconds: 60 };
      const roomy = { containers: [{ name: 'web', image: 'kubekata/echo:v1', resources: { limits: { memory: '1Gi' } } }] };

      /** All are there before the first test: a server needs a moment to see them. By name, each with its own namespace. */
      const given: Record<string, { spec: Spec; bound?: Spec }> = {
        plain: { spec: { validations: [{ expression: `oldObject != null || ${small.expression}` }] } },
        wordy: { spec: { validations: [{ ...small, message: 'be quick', reason: 'Forbidden' }] } },
        eloquent: {
          spec: {
            validations: [
              {
                ...small,
                message: 'be quick',
                messageExpression: `object.metadata.name + ' has ' + string(object.spec.terminationGracePeriodSeconds)`,
              },
            ],
          },
        },
        speechless: { spec: { validations: [{ ...small, message: 'be quick', messageExpression: 'string(object.nothing)' }] } },
        unbound: { spec: { validations: [{ expression: 'false' }] } },
        elsewhere: { spec: { validations: [{ expression: 'false' }] } },
        variable: {
          spec: {
            variables: [
              { name: 'broken', expression: 'object.nothing' },
              { name: 'grace', expression: 'object.spec.terminationGracePeriodSeconds' },
              { name: 'twice', expression: 'variables.grace * 2' },
            ],
            validations: [{ expression: 'variables.twice <= 60', messageExpression: `'twice is ' + string(variables.twice)` }],
          },
        },
        vain: {
          spec: { variables: [{ name: 'broken', expression: 'object.nothing' }], validations: [{ expression: 'variables.broken == 1' }] },
        },
        parameters: {
          spec: {
            paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
            validations: [{ expression: 'object.spec.terminationGracePeriodSeconds <= int(params.data.most)' }],
          },
          bound: { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } },
        },
        several: {
          spec: {
            paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
            validations: [{ expression: 'int(params.data.most) < 50' }],
          },
          bound: { paramRef: { selector: { matchLabels: { limits: 'yes' } }, parameterNotFoundAction: 'Deny' } },
        },
        lacking: {
          spec: { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, validations: [{ expression: 'params.data.most == ""' }] },
          bound: { paramRef: { name: 'nowhere', parameterNotFoundAction: 'Deny' } },
        },
        content: {
          spec: { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, validations: [{ expression: 'params.data.most == ""' }] },
          bound: { paramRef: { name: 'nowhere', parameterNotFoundAction: 'Allow' } },
        },
        // Refuses everything that it is about, whatever its binding says.
        unknown: {
          spec: {
            paramKind: { apiVersion: 'example.com/v1', kind: 'Nothing' },
            matchConstraints: { resourceRules: [pods], objectSelector: { matchLabels: { unknown: 'yes' } } },
            validations: [{ expression: 'true' }],
          },
          bound: { matchResources: { namespaceSelector: { matchLabels: { no: 'namespace' } } } },
        },
        warning: { spec: { validations: [{ ...small, message: 'be quick' }] }, bound: { validationActions: ['Warn', 'Audit'] } },
        namespace: { spec: { validations: [{ expression: `namespaceObject.metadata.labels['kubernetes.io/metadata.name'] == 'shop'` }] } },
        excluded: {
          spec: {
            matchConstraints: { resourceRules: [pods], excludeResourceRules: [{ ...pods, resourceNames: ['exempt'] }] },
            validations: [{ expression: 'false' }],
          },
        },
        failing: { spec: { validations: [{ expression: 'object.nothing == 1' }] } },
        ignoring: { spec: { failurePolicy: 'Ignore', validations: [{ expression: 'object.nothing == 1' }] } },
        conditional: {
          spec: {
            matchConditions: [{ name: 'not-exempt', expression: `object.metadata.name != 'exempt'` }],
            validations: [{ expression: 'false' }],
          },
        },
        knowing: {
          spec: {
            variables: [{ name: 'container', expression: 'object.spec.containers[0]' }],
            validations: [
              `variables.container.image.split(':')[1] == 'v1'`,
              `variables.container.image.replace('kubekata', 'mirror').startsWith('mirror/')`,
              `variables.container.image.find('[a-z]+') == 'kubekata' && 'a1b2'.findAll('[0-9]') == ['1', '2']`,
              `variables.container.name.upperAscii().charAt(1) == 'E'`,
              `quantity(variables.container.resources.limits.memory).isGreaterThan(quantity('500Mi'))`,
              `quantity('1').add(quantity('500m')).compareTo(quantity('1.5')) == 0 && quantity('2k').asInteger() == 2000`,
              `quantity('1Ki') == quantity('1024') && !isQuantity('many')`,
              `object.spec.containers.map(c, size(c.name)).sum() == 3 && [3, 1].max() == 3 && [1, 2].min() == 1`,
              `[1, 2].isSorted() && !['b', 'a'].isSorted() && ['b', 'a'].indexOf('a') == 1 && [1, 1].lastIndexOf(1) == 1`,
              `sets.contains(['CREATE', 'UPDATE'], [request.operation]) && sets.equivalent([1, 2], [2, 1]) && !sets.intersects([1], [2])`,
            ].map((expression) => ({ expression })),
          },
        },
        labelled: { spec: { validations: [{ expression: `object.metadata.labels.all(key, key in ['constructor', 'toString'])` }] } },
        keeping: { spec: { validations: [{ expression: `request.operation != 'DELETE' || oldObject.metadata.name != 'kept'` }] } },
        endless: { spec: { validations: [{ expression: `object.metadata.name == 'quick' || ${endless}` }] } },
        version: {
          spec: {
            matchConstraints: {
              resourceRules: [{ ...pods, apiGroups: ['autoscaling'], apiVersions: ['v2'], resources: ['horizontalpodautoscalers'] }],
            },
            validations: [
              {
                expression: `object.apiVersion == 'autoscaling/v2' && request.requestKind.version == 'v1' && size(object.spec.metrics) == 2`,
              },
            ],
          },
        },
      };
      const namespaceOf: Record<string, string> = {};
      const unknown = (namespace: string): Pod => {
        const { metadata, ...rest } = pod('a', namespace);
        return { ...rest, metadata: { ...metadata, labels: { unknown: 'yes' } } };
      };

      beforeAll(async () => {
        admissionSteps([], () => {});
        await Promise.all(Object.entries(given).map(([name, one]) => set(name, one)));
        const last = await newNamespace();
        const wanted = { policyName: 'plain', matchResources: { namespaceSelector: named(last) } };
        await write(pathsOf.binding, binding('zz-last', wanted));
        await eventually('the policies count', async () => {
          const hasDenied = ({ message = '' }: { message?: string }) => message.includes('denied request');
          const answers = [pod('a', last, {}, big), unknown(last)].map(rehearse);
          return (await Promise.all(answers)).every(hasDenied);
        });
      });

      const named = (namespace: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': namespace } });
      async function write(path: string, object: object): Promise<void> {
        const { code, body } = await post(path, object);
        expect({ code, message: body.message }).toEqual({ code: 201, message: undefined });
      }
      async function set(name: string, { spec, bound = {} }: (typeof given)[string]): Promise<void> {
        const namespace = await newNamespace();
        namespaceOf[name] = namespace;
        if (spec.paramKind) {
          const metadata = { name: 'limits', namespace, labels: { limits: 'yes' } };
          await server.client.create(ConfigMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { most: '45' } });
          const other = { ...metadata, name: 'more-limits' };
          await server.client.create(ConfigMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: other, data: { most: '100' } });
        }
        await write(pathsOf.policy, policy(name, spec));
        if (name === 'unbound') return;
        const namespaceSelector = named(name === 'elsewhere' ? 'nowhere' : namespace);
        await write(pathsOf.binding, binding(name, { matchResources: { namespaceSelector }, ...bound }));
      }
      const podIn = (policyName: string, spec: object = {}, name = 'a') => pod(name, namespaceOf[policyName] ?? '', {}, spec);
      const denied = (name: string, why: string) =>
        `pods "a" is forbidden: ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: ${why}`;

      const failed = (expression: string) => `failed expression: ${expression}`;

      it('that a pod does not keep to refuses it, in the name of policy and binding', async () => {
        const status = await refusal(create(podIn('plain', big)));
        const message = denied('plain', failed(`oldObject != null || ${small.expression}`));
        expect(status).toMatchObject({ code: 422, reason: 'Invalid', message, details: { name: 'a', kind: 'pods' } });
        expect(status.details?.causes).toEqual([{ message: message.replace('pods "a" is forbidden: ', '') }]);
      });

      it.each<[string, string, object | undefined, string | undefined]>([
        ['lets a pod pass that keeps to it', 'plain', {}, undefined],
        ['says no in its own words', 'wordy', big, 'be quick'],
        ['knows what Kubernetes adds to the language', 'knowing', roomy, undefined],
        ['computes its words', 'eloquent', big, 'a has 60'],
        ['has words for when it can’t', 'speechless', big, 'be quick'],
        ['counts for nothing without a binding', 'unbound', big, undefined],
        ['counts only where its binding says', 'elsewhere', big, undefined],
        ['gives names to what it computes, and computes only what is asked for', 'variable', big, 'twice is 120'],
        [
          'says which of its names stands for what cannot be computed',
          'vain',
          {},
          `expression 'variables.broken == 1' resulted in error: composited variable "broken" fails to evaluate: no such key: nothing`,
        ],
        ['compares with parameters', 'parameters', { terminationGracePeriodSeconds: 45 }, undefined],
        [
          'compares with parameters, where they lie',
          'parameters',
          big,
          failed('object.spec.terminationGracePeriodSeconds <= int(params.data.most)'),
        ],
        ['asks once for each of its parameters', 'several', {}, failed('int(params.data.most) < 50')],
        [
          'without parameters refuses, if its binding says so',
          'lacking',
          {},
          'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
        ],
        ['without parameters does not count, if its binding says so', 'content', {}, undefined],
        ['only warns, if its binding says so', 'warning', big, undefined],
        ['knows the namespace', 'namespace', {}, failed(`namespaceObject.metadata.labels['kubernetes.io/metadata.name'] == 'shop'`)],
        ['that cannot be evaluated refuses', 'failing', {}, `expression 'object.nothing == 1' resulted in error: no such key: nothing`],
        ['that cannot be evaluated does not count with failurePolicy Ignore', 'ignoring', {}, undefined],
      ])('%s', async (_, name, spec, why) => {
        expect((await rehearse(podIn(name, spec))).message).toBe(why && denied(name, why));
      });

      it('reads labels, whatever they are called', async () => {
        const { metadata, ...rest } = podIn('labelled');
        const labelled = { ...rest, metadata: { ...metadata, labels: { constructor: 'a', toString: 'b' } } };
        expect((await rehearse(labelled)).message).toBeUndefined();
        expect((await rehearse(podIn('labelled'))).message).toContain('no such key: labels');
      });

      it('says which kind of no it is', async () => {
        expect(await refusal(create(podIn('wordy', big)))).toMatchObject({ code: 403, reason: 'Forbidden' });
      });

      it('whose kind of parameters nobody knows refuses', async () => {
        const why = `failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Nothing'`;
        const { message } = await rehearse(unknown('default'));
        expect(message).toBe(`pods "a" is forbidden: ValidatingAdmissionPolicy 'unknown' denied request: ${why}`);
      });

      it('warns', async () => {
        const path = `/api/v1/namespaces/${namespaceOf.warning}/pods?dryRun=All`;
        const answer = await server.client.send({ method: 'POST', path, body: JSON.stringify(podIn('warning', big)) });
        await readText(answer.body);
        const warning = `Validation failed for ValidatingAdmissionPolicy 'warning' with binding 'warning': be quick`;
        expect(answer.headers.warning).toBe(`299 - "${warning}"`);
      });

      it.each(['excluded', 'conditional'])('is not asked about what it leaves out: %s', async (name) => {
        expect((await rehearse(podIn(name, {}, 'exempt'))).message).toBeUndefined();
        expect((await rehearse(podIn(name))).message).toBe(denied(name, failed('false')));
      });

      it('is asked when something is deleted, about what it was', async () => {
        for (const name of ['kept', 'other']) await create(podIn('keeping', {}, name));
        const namespace = namespaceOf.keeping ?? '';
        const { message } = await refusal(server.client.delete(Pods, { namespace, name: 'kept' }));
        expect(message).toContain(`'keeping' denied request: failed expression: request.operation`);
        await server.client.delete(Pods, { namespace, name: 'other' });
      });

      it('that would take for ever refuses', async () => {
        expect((await rehearse(podIn('endless', {}, 'quick'))).message).toBeUndefined();
        expect(await refusal(create(podIn('endless')))).toMatchObject({ code: 422, reason: 'Invalid' });
      });

      it('sees an object in the version that its rules name', async () => {
        const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
        const memory = { type: 'Resource', resource: { name: 'memory', targetAverageUtilization: 50 } };
        const metadata = { name: 'a', annotations: { 'autoscaling.alpha.kubernetes.io/metrics': JSON.stringify([memory]) } };
        const spec = { scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 50 };
        const autoscaler = { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata, spec };
        const path = `/apis/autoscaling/v1/namespaces/${namespaceOf.version}/horizontalpodautoscalers?dryRun=All`;
        expect((await post(path, autoscaler)).code).toBe(201);
        const { annotations: _, ...bare } = metadata;
        const { message } = (await post(path, { ...autoscaler, metadata: bare })).body;
        expect(message).toContain(`'version' denied request: failed expression: object.apiVersion`);
      });

      const causesOf = async (path: string, object: object) => {
        const { code, body } = await post(`${path}?dryRun=All`, object);
        expect({ code, reason: body.reason }).toEqual({ code: 422, reason: 'Invalid' });
        return (body.details.causes as { field: string; message: string }[]).map(({ field, message }) => `${field}: ${message}`);
      };

      it.each<[string, Spec, string]>([
        ['that nobody can read', { validations: [{ expression: 'object.' }] }, 'compilation failed: ERROR: <input>:1:8: Syntax error: '],
        ['that is no yes or no', { validations: [{ expression: '1 + 1' }] }, 'must evaluate to bool but got int'],
        [
          'about what the request does not have',
          { validations: [{ expression: 'request.object != null' }] },
          "compilation failed: ERROR: <input>:1:8: undefined field 'object'\n | request.object != null\n | .......^",
        ],
        [
          'about parameters without saying of which kind',
          { validations: [{ expression: 'params.data.a == 1' }] },
          "compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.data.a == 1\n | ^",
        ],
        [
          'about a variable that there is not',
          { variables: [{ name: 'a', expression: '1' }], validations: [{ expression: 'true\n&& variables.b == 1' }] },
          "compilation failed: ERROR: <input>:2:13: undefined field 'b'\n | && variables.b == 1\n | ............^",
        ],
        [
          'that is a text where a variable is a number',
          { variables: [{ name: 'a', expression: '1' }], validations: [{ expression: 'variables.a == "1"' }] },
          "found no matching overload for '_==_' applied to '(int, string)'",
        ],
      ])('has no expression %s', async (_, spec, why) => {
        const [cause = ''] = await causesOf(pathsOf.policy, policy('wrong', spec));
        const [{ expression }] = spec.validations as [{ expression: string }];
        expect(cause).toContain(`spec.validations[0].expression: Invalid value: ${JSON.stringify(expression)}: `);
        expect(cause).toContain(why);
      });

      it('is written completely and correctly, or not at all', async () => {
        const wrong = {
          failurePolicy: 'Maybe',
          paramKind: { apiVersion: 'v1' },
          matchConstraints: { matchPolicy: 'Roughly', resourceRules: [{ ...pods, operations: ['LOOK'], apiGroups: ['*', 'apps'] }] },
          variables: [
            { name: 'in', expression: '1' },
            { name: '', expression: '' },
          ],
          validations: [{ expression: '', message: ' ', messageExpression: '1', reason: 'Bad' }],
          auditAnnotations: [{ key: 'a b', valueExpression: '1' }],
        };
        const causes = await causesOf(pathsOf.policy, policy('wrong', wrong));
        expect(causes.map((cause) => cause.replace(/(a qualified name|name part) must consist.*/, '…'))).toEqual([
          'spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"',
          'spec.paramKind.kind: Required value',
          'spec.matchConstraints.matchPolicy: Unsupported value: "Roughly": supported values: "Equivalent", "Exact"',
          'spec.matchConstraints.resourceRules[0].operations[0]: Unsupported value: "LOOK": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
          expect.stringMatching(/resourceRules\[0\].apiGroups: Invalid value: .*: if '\*' is present, must not specify other API groups$/),
          'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier',
          'spec.variables[1].name: Required value: name is not specified',
          'spec.variables[1].expression: Required value: expression is not specified',
          'spec.validations[0].expression: Required value: expression is not specified',
          'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
          'spec.validations[0].message: Invalid value: " ": message must be non-empty if specified',
          'spec.validations[0].reason: Unsupported value: "Bad": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
          expect.stringContaining('spec.auditAnnotations[0].key: Invalid value: '),
          expect.stringContaining('spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of '),
        ]);
      });

      it('says what it is about, and something about it', async () => {
        expect(await causesOf(pathsOf.policy, policy('wrong', { matchConstraints: {} }))).toEqual([
          'spec.matchConstraints.resourceRules: Required value',
          'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
          'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
        ]);
      });

      it.each<[string, Spec, unknown[]]>([
        ['to what', { policyName: '' }, ['spec.policyName: Required value']],
        [
          'and what happens',
          { validationActions: [] },
          ['spec.validationActions: Required value: at least one validation action is required'],
        ],
        [
          'but not the same twice',
          { validationActions: ['Deny', 'Warn', 'Shout'] },
          [
            'spec.validationActions[2]: Unsupported value: "Shout": supported values: "Audit", "Deny", "Warn"',
            expect.stringMatching(/^spec.validationActions: Invalid value: .*: must not contain both Deny and Warn \(repeating the same /),
          ],
        ],
        [
          'with which parameters',
          { paramRef: { name: 'a', selector: {} } },
          [
            'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
            'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
            'spec.paramRef.parameterNotFoundAction: Required value',
          ],
        ],
      ])('is bound %s', async (_, spec, expected) => {
        expect(await causesOf(pathsOf.binding, binding('wrong', spec))).toEqual(expected);
      });

      it('says nothing about policies: else nobody could take a wrong one away', async () => {
        const all = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['validatingadmissionpolicies'] };
        const spec = { matchConstraints: { resourceRules: [all] }, validations: [{ expression: 'false' }] };
        await write(pathsOf.policy, policy('zz-never', spec));
        await write(pathsOf.binding, binding('zz-never', {}));
        expect((await server.send({ method: 'DELETE', path: `${pathsOf.policy}/zz-never` })).code).toBe(200);
      });
    });

    describe('a priority', () => {
      beforeAll(async () => {
        admissionSteps([], () => {});
        const urgent = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'urgent' }, value: 1000 } as const;
        await server.client.create(PriorityClasses, urgent);
      });

      it('is 0 for a pod that says nothing', async () => {
        const { spec } = await rehearse(pod('a', 'default'));
        expect(spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
      });

      it.each([
        ['urgent', 1000],
        ['system-node-critical', 2000001000],
        ['system-cluster-critical', 2000000000],
      ])('is that of the class %s: %d', async (priorityClassName, priority) => {
        expect((await rehearse(pod('a', 'default', {}, { priorityClassName }))).spec).toMatchObject({ priorityClassName, priority });
      });

      it.each<[string, object, string]>([
        ['of a class that does not exist', { priorityClassName: 'nope' }, 'no PriorityClass with name nope was found'],
        [
          'of the author’s own choice',
          { priorityClassName: 'urgent', priority: 7 },
          'the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name',
        ],
      ])('%s is none', async (_, spec, why) => {
        expect((await rehearse(pod('a', 'default', {}, spec))).message).toBe(`pods "a" is forbidden: ${why}`);
      });
    });

    describe('a pod', () => {
      beforeAll(() => void admissionSteps([], () => {}));
      const stays = (key: string, tolerationSeconds: number) => ({
        key: `node.kubernetes.io/${key}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds,
      });

      it('stays for five minutes on a node that does not answer', async () => {
        const { spec } = await rehearse(pod('a', 'default'));
        expect(spec?.tolerations).toEqual([stays('not-ready', 300), stays('unreachable', 300)]);
      });

      it('stays as long as it says itself', async () => {
        const { spec } = await rehearse(pod('a', 'default', {}, { tolerations: [stays('not-ready', 5)] }));
        expect(spec?.tolerations).toEqual([stays('not-ready', 5), stays('unreachable', 300)]);
      });
    });
  }));
