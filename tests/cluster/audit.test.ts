// The audit log: what a policy says of a request, and what is written down of it.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AuditLevel, decide, readPolicy } from '#api-server/audit/policy';
import { ConfigMaps, Secrets, ServiceAccounts } from '#kit/api';
import { Client } from '#kit/client';
import { keyId, signToken } from '#kit/json-web-tokens';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

const policy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - { level: None, nonResourceURLs: ['/healthz*', /version] }
  - { level: None, users: ['system:kube-proxy'], verbs: [watch] }
  - { level: None, userGroups: ['system:nodes'], resources: [{ group: '', resources: [nodes/status] }] }
  - { level: Metadata, resources: [{ group: '', resources: [secrets, '*/token'] }] }
  - { level: RequestResponse, namespaces: [shop], resources: [{ group: '', resources: [configmaps] }] }
  - { level: Request, resources: [{ group: apps }], omitStages: [ResponseStarted] }
  - { level: Request, resources: [{ group: '', resources: [configmaps], resourceNames: [one] }] }
  - { level: None, namespaces: [''] }
  - { level: Metadata }
`;

describe('an audit policy', () => {
  const resource = (verb: string, path: string) => {
    const [group = '', namespace = '', name = '', plural = '', subresource = ''] = path.split('|');
    return { verb, group, version: 'v1', namespace, resource: plural, name, subresource, fieldSelector: '' };
  };
  const jane = { name: 'jane', groups: ['system:authenticated'] };
  const node = { name: 'system:node:a', groups: ['system:nodes'] };
  const proxy = { name: 'system:kube-proxy', groups: [] };

  it.each<[AuditLevel, string, Parameters<typeof decide>[1], Parameters<typeof decide>[2]]>([
    ['None', 'a path with anything behind it', jane, { verb: 'get', path: '/healthz/etcd' }],
    ['Metadata', 'a path that no rule names', jane, { verb: 'get', path: '/metrics' }],
    ['None', 'a user’s verb', proxy, resource('watch', '|shop||services')],
    ['Metadata', 'the same user’s other verb', proxy, resource('list', '|shop||services')],
    ['None', 'a group’s subresource', node, resource('patch', '|||nodes|status')],
    ['Metadata', 'a resource', jane, resource('get', '|shop|door|secrets')],
    ['Metadata', 'a subresource of whatever resource', jane, resource('create', '|shop|robot|serviceaccounts|token')],
    ['RequestResponse', 'a resource in a namespace', jane, resource('update', '|shop|x|configmaps')],
    ['Request', 'a group of resources', jane, resource('list', 'apps|bank||deployments')],
    ['Request', 'one object', jane, resource('get', '|bank|one|configmaps')],
    ['Metadata', 'another object', jane, resource('get', '|bank|two|configmaps')],
    ['None', 'what is in no namespace', jane, resource('list', '|||persistentvolumes')],
    ['None', 'a path, whoever asks', undefined, { verb: 'get', path: '/version' }],
    ['Metadata', 'a verb of users, when nobody knows who asks', undefined, resource('watch', '|shop||services')],
  ])('says %s of %s', (level, _, user, action) => {
    expect(decide(readPolicy(policy), user, action).level).toBe(level);
  });

  it('adds the stages that a rule leaves out to those that all leave out', () => {
    expect(decide(readPolicy(policy), jane, resource('list', 'apps|||deployments')).omitStages).toEqual([
      'RequestReceived',
      'ResponseStarted',
    ]);
  });

  it.each([
    ['is a Policy of audit.k8s.io/v1', 'kind: Pod'],
    ['has no rules', 'apiVersion: audit.k8s.io/v1\nkind: Policy'],
    ['the level "Everything"', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Everything }]'],
    ['the stage "Later"', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: None, omitStages: [Later] }]'],
  ])('that is wrong is refused: %s', (message, text) => {
    expect(() => readPolicy(text)).toThrow(message);
  });
});

describe('the audit log', () => {
  const lines: string[] = [];
  let plane: TestControlPlane;
  beforeAll(async () => {
    plane = await startTestControlPlane({ apiServer: { audit: { policy: readPolicy(policy), write: (line) => lines.push(line) } } });
  });
  afterAll(() => plane?.stop());

  /** The events about an object of this name. */
  const about = (name: string, stage = 'ResponseComplete') =>
    plane.eventually(`an event about ${name}`, () => {
      const events = lines.map((line) => JSON.parse(line)).filter((event) => event.objectRef?.name === name && event.stage === stage);
      return events.length > 0 && events;
    });

  it('says who did what when, and what became of it', async () => {
    await plane.client.create(Secrets, { metadata: { name: 'door', namespace: 'default' }, stringData: { key: 'abc' } });
    const [event] = await about('door');
    expect(event).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      verb: 'create',
      requestURI: '/api/v1/namespaces/default/secrets',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      sourceIPs: ['127.0.0.1'],
      userAgent: 'admin',
      objectRef: { resource: 'secrets', namespace: 'default', name: 'door', apiVersion: 'v1' },
      responseStatus: { code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    });
    expect(Date.parse(event.stageTimestamp)).toBeGreaterThanOrEqual(Date.parse(event.requestReceivedTimestamp));
    // A secret is none any more once it is in a log.
    expect(JSON.stringify(lines)).not.toContain('abc');
    expect(lines.some((line) => line.includes('RequestReceived'))).toBe(false);
  });

  it('keeps what was sent and what was answered, where it is told to', async () => {
    await plane.client.send({ method: 'POST', path: '/api/v1/namespaces', body: JSON.stringify({ metadata: { name: 'shop' } }) });
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', namespace: 'shop' }, data: { a: '1' } } as const;
    await plane.client.create(ConfigMaps, configMap);
    await plane.client.patch(ConfigMaps, { namespace: 'shop', name: 'kept' }, 'merge', { data: { a: '2' } });
    const [created, patched] = await plane.eventually('both', async () => {
      const events = await about('kept');
      return events.length === 2 && events;
    });
    expect(created).toMatchObject({ requestObject: configMap, responseObject: { ...configMap, metadata: { uid: expect.any(String) } } });
    expect(patched).toMatchObject({ verb: 'patch', requestObject: { data: { a: '2' } }, responseObject: { data: { a: '2' } } });
  });

  it('keeps what a policy has to say', async () => {
    const name = 'tall';
    const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'], resourceNames: [name] };
    const post = (plural: string, object: object) =>
      plane.client.send({ method: 'POST', path: `/apis/admissionregistration.k8s.io/v1/${plural}`, body: JSON.stringify(object) });
    const spec = {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: 'false', message: 'too tall' }],
      auditAnnotations: [{ key: 'height', valueExpression: 'string(size(object.metadata.name)) + " letters"' }],
    };
    await post('validatingadmissionpolicies', { metadata: { name: 'heights' }, spec });
    const bound = { policyName: 'heights', validationActions: ['Audit'] };
    await post('validatingadmissionpolicybindings', { metadata: { name: 'everywhere' }, spec: bound });
    await plane.eventually('an annotation', async () => {
      await plane.client.create(Secrets, { metadata: { name, namespace: 'default' } });
      await plane.client.delete(Secrets, { namespace: 'default', name });
      return lines.some((line) => line.includes('heights/height'));
    });
    const [{ annotations }] = (await about(name)).filter((event) => event.annotations['heights/height']);
    expect(annotations['heights/height']).toBe('4 letters');
    expect(JSON.parse(annotations['validation.policy.admission.k8s.io/validation_failure'])).toEqual([
      { message: 'too tall', policy: 'heights', binding: 'everywhere', expressionIndex: 0, validationActions: ['Audit'] },
    ]);
  });

  it('says who comes with a token that lies in a Secret', async () => {
    const account = { namespace: 'default', name: 'robot' };
    const { uid } = (await plane.client.create(ServiceAccounts, { metadata: account })).metadata ?? {};
    const key = createPrivateKey(plane.signingKey);
    const user = 'system:serviceaccount:default:robot';
    const own = { namespace: 'default', 'secret.name': 'token', 'service-account.name': 'robot', 'service-account.uid': uid };
    const claims = Object.entries(own).map(([name, value]) => [`kubernetes.io/serviceaccount/${name}`, value]);
    const said = { iss: 'kubernetes/serviceaccount', sub: user, ...Object.fromEntries(claims) };
    const token = signToken(said, key, keyId(createPublicKey(key)));
    const metadata = { namespace: 'default', name: 'token', annotations: { 'kubernetes.io/service-account.name': 'robot' } };
    await plane.client.create(Secrets, { metadata, type: 'kubernetes.io/service-account-token', stringData: { token } });
    const robot = new Client({ server: plane.serverUrl, tls: { ca: plane.ca }, token, userAgent: 'robot' });
    await expect(robot.get(Secrets, { namespace: 'default', name: 'opened' })).rejects.toThrow('cannot get resource');
    robot.close();
    expect((await about('opened'))[0]?.annotations).toMatchObject({
      'authentication.k8s.io/legacy-token': user,
      'authentication.k8s.io/legacy-token-manual-secret': 'token',
    });
  });

  it('says of a body that cannot be read only that it came', async () => {
    const path = '/api/v1/namespaces/shop/configmaps/broken';
    for (const body of ['{"no', '\u0000k8s']) {
      for (const type of ['application/json', 'application/vnd.kubernetes.protobuf', 'application/x-klingon']) {
        await expect(plane.client.send({ method: 'PUT', path, body, headers: { 'content-type': type } })).rejects.toThrow();
      }
    }
    const events = await plane.eventually('all of them', async () => {
      const all = await about('broken');
      return all.length === 6 && all;
    });
    for (const event of events) expect(event).not.toHaveProperty('requestObject');
  });

  it('writes down what was refused, and as whom somebody asked', async () => {
    const jane = await plane.clientFor('jane');
    await expect(jane.get(Secrets, { namespace: 'default', name: 'locked' })).rejects.toThrow('cannot get resource');
    expect((await about('locked'))[0]).toMatchObject({
      user: { username: 'jane' },
      responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    });
    const headers = { 'impersonate-user': 'joe' };
    const path = '/api/v1/namespaces/default/secrets/hidden';
    await expect(plane.client.send({ method: 'GET', path, headers })).rejects.toThrow('User "joe" cannot get');
    expect((await about('hidden'))[0]).toMatchObject({ user: { username: 'admin' }, impersonatedUser: { username: 'joe' } });
  });

  it('says that somebody was turned away who could not prove who they are, and nothing else of them', async () => {
    const stranger = new Client({ server: plane.serverUrl, tls: { ca: plane.ca }, token: 'abc', userAgent: 'stranger' });
    const path = '/api/v1/namespaces/shop/configmaps/strange';
    const refusal = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    };
    await expect(stranger.send({ method: 'PUT', path, body: '{"data":{}}' })).rejects.toMatchObject({ status: refusal });
    await expect(stranger.send({ method: 'GET', path: '/version' })).rejects.toMatchObject({ status: refusal });
    stranger.close();
    const [event] = await about('strange', 'ResponseStarted');
    const { kind: _, apiVersion: __, ...responseStatus } = refusal;
    expect(event).toEqual({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      auditID: expect.any(String),
      stage: 'ResponseStarted',
      requestURI: path,
      verb: 'update',
      user: {},
      sourceIPs: ['127.0.0.1'],
      userAgent: 'stranger',
      objectRef: { resource: 'configmaps', namespace: 'shop', name: 'strange', apiVersion: 'v1' },
      responseStatus,
      responseObject: refusal,
      requestReceivedTimestamp: expect.any(String),
      stageTimestamp: expect.any(String),
    });
    // One line is all there is, and none where the policy wants none.
    const theirs = lines.filter((line) => line.includes('"userAgent":"stranger"'));
    expect(theirs).toHaveLength(1);
  });

  it('says when a watch begins, and when it ends', async () => {
    const over = new AbortController();
    const watch = { namespace: 'shop', fieldSelector: 'metadata.name=watched', signal: over.signal };
    const first = plane.client.watch(ConfigMaps, watch).next();
    expect((await about('watched', 'ResponseStarted'))[0]).toMatchObject({ verb: 'watch', responseStatus: { code: 200 } });
    over.abort();
    await first;
    expect(await about('watched')).toHaveLength(1);
  });
});
