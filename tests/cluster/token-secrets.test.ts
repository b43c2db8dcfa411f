// Tokens that lie in Secrets of type kubernetes.io/service-account-token: who fills them, whom they let in, and when they are worth nothing.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startControllerManager } from '#controller-manager';
import { ConfigMaps, type Secret, Secrets, ServiceAccounts } from '#kit/api';
import { Client } from '#kit/client';
import type { RunningComponent } from '#kit/component';
import { isNotFound } from '#kit/status';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';
import { readText } from '#kit/transport';

const namespace = 'default';
const type = 'kubernetes.io/service-account-token';
const accountName = 'kubernetes.io/service-account.name';
const lastUsed = 'kubernetes.io/legacy-token-last-used';

describe('a token in a Secret', () => {
  let plane: TestControlPlane;
  let manager: RunningComponent;
  let kubectl: Kubectl;
  const clients: Client[] = [];

  beforeAll(async () => {
    plane = await startTestControlPlane();
    const { client, ca: rootCa, signingKey: tokenKey, context } = plane;
    const controllers = ['serviceaccount-token-controller'];
    manager = await startControllerManager({ client, listen: { host: '127.0.0.1', port: 0 }, controllers, rootCa, tokenKey, ...context });
    kubectl = await kubectlFor(plane);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await kubectl?.dispose();
    await manager?.stop();
    await plane?.stop();
  });

  const createAccount = (name: string) => plane.client.create(ServiceAccounts, { metadata: { name, namespace } });
  const createSecret = (name: string, account: string) =>
    plane.client.create(Secrets, { metadata: { name, namespace, annotations: { [accountName]: account } }, type });
  const get = (name: string) => plane.client.get(Secrets, { name, namespace });
  const tokenOf = ({ data }: Secret) => Buffer.from(data?.token ?? '', 'base64').toString();
  const filled = (name: string, isMore: (secret: Secret) => unknown = () => true) =>
    plane.eventually(`a token in ${name}`, async () => {
      const secret = await get(name);
      return secret.data?.token && isMore(secret) ? secret : undefined;
    });
  const isGone = async (name: string) => {
    try {
      await get(name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return true;
    }
    return false;
  };
  /** An account with a Secret, whose token nobody has used yet. */
  const made = async (name: string) => {
    await createAccount(name);
    await createSecret(name, name);
    return filled(name);
  };
  const clientWith = (token: string) => {
    const client = new Client({ server: plane.serverUrl, tls: { ca: plane.ca }, token, userAgent: 'robot' });
    clients.push(client);
    return client;
  };
  const whoIs = async (token: string, audiences: string[] = []) => {
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } });
    const { body: answer } = await plane.client.send({ method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews', body });
    return JSON.parse(await readText(answer)).status;
  };
  const countsNoMore = (token: string) =>
    plane.eventually('nobody takes the token', async () => (await whoIs(token)).authenticated !== true);

  it('is asked for by naming an account', async () => {
    await expect(plane.client.create(Secrets, { metadata: { name: 'nobodys', namespace }, type })).rejects.toThrow(
      'Secret "nobodys" is invalid: metadata.annotations[kubernetes.io/service-account.name]: Required value',
    );
  });

  it('comes with the CA and the namespace, and says whose it is', async () => {
    const { uid } = (await createAccount('robot')).metadata ?? {};
    await createSecret('robot-token', 'robot');
    const secret = await filled('robot-token');
    expect(secret.metadata?.annotations).toEqual({ [accountName]: 'robot', 'kubernetes.io/service-account.uid': uid });
    const text = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
    expect([text('ca.crt'), text('namespace')]).toEqual([plane.ca, namespace]);
    expect(JSON.parse(Buffer.from(tokenOf(secret).split('.')[1] ?? '', 'base64url').toString())).toEqual({
      iss: 'kubernetes/serviceaccount',
      sub: 'system:serviceaccount:default:robot',
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': 'robot-token',
      'kubernetes.io/serviceaccount/service-account.name': 'robot',
      'kubernetes.io/serviceaccount/service-account.uid': uid,
    });
    expect(await kubectl(['describe', 'secret', 'robot-token'])).toMatch(/Type: +kubernetes.io\/service-account-token[\s\S]*token: +ey/);
    expect(await kubectl(['describe', 'serviceaccount', 'robot'])).toMatch(/Tokens: +robot-token\n/);
  });

  it('lets its account in, and the day is noted on the Secret', async () => {
    const token = tokenOf(await made('visitor'));
    const user = 'system:serviceaccount:default:visitor';
    const connection = ['--kubeconfig', '/dev/null', '--server', plane.serverUrl, '--insecure-skip-tls-verify'];
    const review = JSON.parse(await kubectl([...connection, '--token', token, 'auth', 'whoami', '-o', 'json']));
    expect(review.status.userInfo).toMatchObject({
      username: user,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    });
    await expect(clientWith(token).list(Secrets, { namespace })).rejects.toThrow(`User "${user}" cannot list resource "secrets"`);
    const { labels } = (await filled('visitor', ({ metadata }) => metadata?.labels)).metadata ?? {};
    expect(Math.abs(Date.parse(labels?.[lastUsed] ?? '') - plane.context.clock.now())).toBeLessThan(2 * 86_400_000);
    expect(labels?.[lastUsed]).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  it('is meant for the API server and nobody else', async () => {
    const token = tokenOf(await made('messenger'));
    expect(await whoIs(token)).toMatchObject({ authenticated: true, audiences: ['https://kubernetes.default.svc.cluster.local'] });
    expect((await whoIs(token, ['vault'])).authenticated).not.toBe(true);
  });

  it('is worth nothing without its Secret', async () => {
    const token = tokenOf(await made('brief'));
    await plane.client.delete(Secrets, { name: 'brief', namespace });
    await countsNoMore(token);
    await expect(clientWith(token).list(Secrets)).rejects.toMatchObject({ code: 401 });
  });

  it('is worth nothing once another lies in its Secret; who takes it out gets a new one', async () => {
    const token = tokenOf(await made('renewed'));
    await plane.client.patch(Secrets, { name: 'renewed', namespace }, 'merge', { data: { token: null, 'ca.crt': null, namespace: null } });
    const secret = await filled('renewed', (secret) => tokenOf(secret) !== token);
    expect(Object.keys(secret.data ?? {}).sort()).toEqual(['ca.crt', 'namespace', 'token']);
    await countsNoMore(token);
    expect(await whoIs(tokenOf(secret))).toMatchObject({ authenticated: true });
  });

  it('is worth nothing while it is marked as invalid', async () => {
    const token = tokenOf(await made('suspect'));
    const labels = { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' };
    await plane.client.patch(Secrets, { name: 'suspect', namespace }, 'merge', { metadata: { labels } });
    await countsNoMore(token);
  });

  it('goes with its account', async () => {
    const token = tokenOf(await made('leaving'));
    await createSecret('leaving-too', 'leaving');
    await filled('leaving-too');
    await plane.client.delete(ServiceAccounts, { name: 'leaving', namespace });
    for (const name of ['leaving', 'leaving-too']) await plane.eventually(`${name} is gone`, () => isGone(name));
    await countsNoMore(token);
    await createSecret('never', 'nobody-at-all');
    await plane.eventually('a Secret for nobody is gone', () => isGone('never'));
  });

  it('is forgotten by its account when its Secret goes', async () => {
    await createAccount('listing');
    await createSecret('listed', 'listing');
    await filled('listed');
    await plane.client.patch(ServiceAccounts, { name: 'listing', namespace }, 'merge', {
      secrets: [{ name: 'listed' }, { name: 'other' }],
    });
    await plane.client.delete(Secrets, { name: 'listed', namespace });
    await plane.eventually('the other is left', async () => {
      const { secrets } = await plane.client.get(ServiceAccounts, { name: 'listing', namespace });
      return secrets?.length === 1 && secrets[0]?.name === 'other';
    });
  });

  it('of whoever uses one is counted since a day that is written down', async () => {
    const name = 'kube-apiserver-legacy-service-account-token-tracking';
    const { data } = await plane.eventually('the day', () => plane.client.get(ConfigMaps, { name, namespace: 'kube-system' }));
    expect(data).toEqual({ since: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) });
  });
});
