// Certificates that a cluster gives: who approves by themselves, what each signer gives, how long it is good for, and when a request may go. And
// what somebody does who wants one: a key, a request, an approval, and kubectl with the certificate.

import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startControllerManager } from '#controller-manager';
import { recognitions } from '#controller-manager/certificate-approving-controller';
import { notNeededFrom } from '#controller-manager/certificate-cleaner';
import { signers } from '#controller-manager/certificate-signers';
import { validityOf } from '#controller-manager/certificate-signing-controller';
import { type CertificateSigningRequest, CertificateSigningRequests, ClusterRoleBindings, Secrets } from '#kit/api';
import { type AskedCertificate, readCertificateRequest, signCertificateRequest } from '#kit/certificate-requests';
import { Client } from '#kit/client';
import type { RunningComponent } from '#kit/component';
import { writeKubeconfig } from '#kit/kubeconfig';
import { createCertificateAuthority, requestCertificate } from '#kit/pki';
import { TestCluster } from '#kit/testing/cluster';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';

type Spec = CertificateSigningRequest['spec'];

const apiServerClient = 'kubernetes.io/kube-apiserver-client';
const kubeletClient = 'kubernetes.io/kube-apiserver-client-kubelet';
const kubeletServing = 'kubernetes.io/kubelet-serving';
const client = ['client auth', 'digital signature'];
const server = ['server auth', 'digital signature'];
const minute = 60_000;
const hour = 60 * minute;

const nobody: AskedCertificate = { commonName: '', organizations: [], dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] };
const node = { ...nobody, commonName: 'system:node:n1', organizations: ['system:nodes'] };
const served = { ...node, dnsNames: ['n1'], ipAddresses: ['10.0.0.1'] };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const textOf = (encoded = '') => Buffer.from(encoded, 'base64').toString();

describe('a signer', () => {
  it.each<[string, string, AskedCertificate, string[]]>([
    [apiServerClient, 'a person', { ...nobody, commonName: 'jane', organizations: ['dev'] }, ['client auth']],
    [apiServerClient, 'whatever names there are in it', { ...nobody, dnsNames: ['example.com'] }, [...client, 'key encipherment']],
    [kubeletClient, 'a node', node, client],
    [kubeletClient, 'a node with an RSA key', node, [...client, 'key encipherment']],
    [kubeletServing, 'a node that is found by name', { ...served, ipAddresses: [] }, server],
    [kubeletServing, 'a node that is found by address', { ...served, dnsNames: [] }, [...server, 'key encipherment']],
    ['kubernetes.io/legacy-unknown', 'anybody', nobody, ['any']],
  ])('%s gives a certificate to %s', (signer, _, asked, usages) => {
    expect(signers[signer]?.(asked, usages)).toBeUndefined();
  });

  it.each<[string, string, AskedCertificate, string[]]>([
    [apiServerClient, 'missing required usage for client certificate: client auth', nobody, ['digital signature']],
    [apiServerClient, 'invalid usage for client certificate: server auth', nobody, [...client, 'server auth']],
    [kubeletClient, 'subject organization is not system:nodes', { ...node, organizations: [] }, client],
    [kubeletClient, 'subject organization is not system:nodes', { ...node, organizations: ['system:nodes', 'dev'] }, client],
    [kubeletClient, 'subject common name does not begin with system:node:', { ...node, commonName: 'jane' }, client],
    [kubeletClient, 'DNS subjectAltNames are not allowed', served, client],
    [kubeletClient, 'IP subjectAltNames are not allowed', { ...node, ipAddresses: ['::1'] }, client],
    [kubeletClient, 'Email subjectAltNames are not allowed', { ...node, emailAddresses: ['a@b.c'] }, client],
    [kubeletClient, 'URI subjectAltNames are not allowed', { ...node, uris: ['spiffe://n1'] }, client],
    [kubeletClient, 'usages did not match [client auth digital signature key encipherment]', node, ['client auth']],
    [kubeletClient, 'usages did not match [client auth digital signature key encipherment]', node, [...client, 'server auth']],
    [kubeletServing, 'subject organization is not system:nodes', { ...served, organizations: ['dev'] }, server],
    [kubeletServing, 'DNS or IP subjectAltName is required', node, server],
    [kubeletServing, 'Email subjectAltNames are not allowed', { ...served, emailAddresses: ['a@b.c'] }, server],
    [kubeletServing, 'URI subjectAltNames are not allowed', { ...served, uris: ['spiffe://n1'] }, server],
    [kubeletServing, 'usages did not match [digital signature key encipherment server auth]', served, client],
    [kubeletServing, 'subject common name does not begin with system:node:', { ...served, commonName: 'n1' }, server],
  ])('%s refuses: %s', (signer, why, asked, usages) => {
    expect(signers[signer]?.(asked, usages)).toBe(why);
  });

  const now = Date.parse('2026-01-01T00:00:00Z');
  const day = 24 * hour;
  it.each<[string, number | undefined, number, number]>([
    ['as long as the signer gives, less what they are backdated', undefined, 400 * day, 365 * day - 5 * minute],
    ['as long as it was asked for', 10 * 3600, 400 * day, 10 * hour - 5 * minute],
    ['to the minute as long, where that is short', 3600, 400 * day, hour],
    ['no longer than the signer gives', 4e7, 400 * day, 365 * day - 5 * minute],
    ['ten minutes at least', 1, 400 * day, 10 * minute],
    ['no longer than the CA itself', undefined, 3 * day, 3 * day],
  ])('gives certificates that are good for %s', (_, expirationSeconds, authorityMs, wanted) => {
    const { notBefore, notAfter } = validityOf({ expirationSeconds, durationMs: 365 * day, authorityEnds: now + authorityMs, now });
    expect(notBefore.getTime()).toBe(now - 5 * minute);
    expect(notAfter.getTime()).toBe(now + wanted);
  });

  it('gives nothing when its CA is over', () => {
    const over = { expirationSeconds: undefined, durationMs: day, authorityEnds: now, now };
    expect(() => validityOf(over)).toThrow(
      'the CA for signing expired at 2026-01-01T00:00:00.000Z: give the controller manager another one',
    );
  });
});

describe('an approval without a person', () => {
  const request = (spec: Partial<Spec>): CertificateSigningRequest => ({
    spec: { request: '', signerName: kubeletClient, usages: client, username: 'system:node:n1', ...spec },
  });
  it.each<[string, string[], Partial<Spec>, AskedCertificate]>([
    ['its own next certificate', ['selfnodeclient', 'nodeclient'], {}, node],
    ['somebody’s first one', ['nodeclient'], { username: 'system:bootstrap:abcdef' }, node],
    ['another signer', [], { signerName: kubeletServing }, node],
    ['what the signer would not give', [], { usages: server }, node],
    ['a person', [], { username: 'jane' }, { ...nobody, commonName: 'jane', organizations: ['system:nodes'] }],
  ])('is a question of permission for %s: %j', (_, wanted, spec, asked) => {
    expect(recognitions(request(spec), asked).map(({ subresource }) => subresource)).toEqual(wanted);
  });
});

describe('a request that nobody needs any more', () => {
  const since = '2026-01-01T00:00:00Z';
  const born = Date.parse(since);
  const request = (types: string[], certificate?: string): CertificateSigningRequest => ({
    metadata: { name: 'one', creationTimestamp: since },
    spec: { request: '', signerName: apiServerClient, usages: client },
    status: {
      conditions: types.map((type) => ({ type, status: 'True', lastUpdateTime: new Date(born + hour).toISOString() })),
      ...(certificate ? { certificate } : {}),
    },
  });
  let long: string;
  let short: string;
  beforeAll(async () => {
    const authority = await createCertificateAuthority('test');
    const { request } = await requestCertificate({ commonName: 'jane' });
    const sign = async (ms: number) =>
      base64(
        await signCertificateRequest(request, { authority, usages: client, notBefore: new Date(born), notAfter: new Date(born + ms) }),
      );
    [long, short] = await Promise.all([sign(24 * hour), sign(10 * minute)]);
  });

  it.each<[string, string[], (() => string) | undefined, number | undefined]>([
    ['a day after it was made, if nobody decided', [], undefined, 24 * hour],
    ['an hour after it was denied', ['Denied'], undefined, 2 * hour],
    ['an hour after it failed', ['Approved', 'Failed'], undefined, 2 * hour],
    ['an hour after it was approved, if it is signed', ['Approved'], () => long, 2 * hour],
    ['when its certificate is over', ['Approved'], () => short, 10 * minute],
    ['never, while it waits for its signer', ['Approved'], undefined, undefined],
    ['never, if nobody approved what is signed', ['Strange'], () => short, undefined],
  ])('goes %s', (_, types, certificate, after) => {
    expect(notNeededFrom(request(types, certificate?.()))).toBe(after && born + after);
  });
});

describe('a certificate request (PKCS #10)', () => {
  it('is read, and what is signed has its key, its subject and its names', async () => {
    const authority = await createCertificateAuthority('test');
    const hosts = ['n1', '10.0.0.1', '2001:db8::1'];
    const { request } = await requestCertificate({ commonName: 'system:node:n1', organizations: ['system:nodes'], hosts });
    expect(await readCertificateRequest(request)).toEqual({ ...node, dnsNames: ['n1'], ipAddresses: ['10.0.0.1', '2001:db8::1'] });
    const [notBefore, notAfter] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-02T00:00:00Z')];
    const signed = new X509Certificate(await signCertificateRequest(request, { authority, usages: server, notBefore, notAfter }));
    expect(signed.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
    expect(signed).toMatchObject({
      subject: 'O=system:nodes\nCN=system:node:n1',
      subjectAltName: 'DNS:n1, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1',
      keyUsage: ['1.3.6.1.5.5.7.3.1'],
      ca: false,
      validFrom: 'Jan  1 00:00:00 2026 GMT',
      validTo: 'Jan  2 00:00:00 2026 GMT',
    });
  });

  it('is none when somebody else’s key is in it, and when it is something else', async () => {
    const { cert } = await createCertificateAuthority('test');
    await expect(readCertificateRequest(cert)).rejects.toThrow('PEM block type must be CERTIFICATE REQUEST');
    await expect(readCertificateRequest('nothing')).rejects.toThrow('PEM block type must be CERTIFICATE REQUEST');
    const { request } = await requestCertificate({ commonName: 'jane' });
    const der = Buffer.from(request.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    der[der.indexOf('jane')] = 'J'.charCodeAt(0);
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    await expect(readCertificateRequest(forged)).rejects.toThrow('the request is not signed with the key that it names');
  });
});

describe('the controllers of certificate requests', () => {
  let plane: TestControlPlane;
  let manager: RunningComponent | undefined;
  let kubectl: Kubectl;

  beforeAll(async () => {
    plane = await startTestControlPlane();
    kubectl = await kubectlFor(plane);
    const apiGroup = 'rbac.authorization.k8s.io';
    const bind = (role: string, group: string) =>
      plane.client.create(ClusterRoleBindings, {
        metadata: { name: role },
        roleRef: { apiGroup, kind: 'ClusterRole', name: role },
        subjects: [{ apiGroup, kind: 'Group', name: group }],
      });
    await bind('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', 'system:nodes');
    await bind('system:node-bootstrapper', 'system:bootstrappers');
    const words = ['signing', 'approving', 'cleaner'];
    manager = await startControllerManager({
      // What they may do must be enough.
      client: await plane.clientFor('system:serviceaccount:kube-system:certificate-controller'),
      listen: { host: '127.0.0.1', port: 0 },
      controllers: words.map((word) => `certificatesigningrequest-${word}-controller`),
      signing: { authority: { cert: plane.ca, key: plane.caKey }, durationMs: 24 * hour },
      ...plane.context,
    });
  });
  afterAll(async () => {
    await manager?.stop();
    await kubectl?.dispose();
    await plane?.stop();
  });

  interface Asked extends Partial<Spec> {
    commonName?: string;
    organizations?: string[];
    hosts?: string[];
  }
  const ask = async (name: string, { commonName = name, organizations = [], hosts = [], ...spec }: Asked = {}, by = plane.client) => {
    const { request, key } = await requestCertificate({ commonName, organizations, hosts });
    const whole = { request: base64(request), signerName: apiServerClient, usages: ['client auth'], ...spec };
    await by.create(CertificateSigningRequests, { metadata: { name }, spec: whole });
    return key;
  };
  const statusOf = async (name: string) => (await plane.client.get(CertificateSigningRequests, { name })).status ?? {};
  const issued = async (name: string) =>
    new X509Certificate(textOf(await plane.eventually(`the certificate ${name}`, async () => (await statusOf(name)).certificate)));
  const failed = (name: string) =>
    plane.eventually(`${name} has failed`, async () => (await statusOf(name)).conditions?.find(({ type }) => type === 'Failed'));

  it('sign what was approved, for as long as was asked for', async () => {
    await ask('jane', { organizations: ['dev'], expirationSeconds: 3600 });
    await kubectl(['certificate', 'approve', 'jane']);
    const certificate = await issued('jane');
    expect(certificate.verify(new X509Certificate(plane.ca).publicKey)).toBe(true);
    expect(certificate).toMatchObject({ subject: 'O=dev\nCN=jane', keyUsage: ['1.3.6.1.5.5.7.3.2'], ca: false });
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe(hour + 5 * minute);
    expect(await kubectl(['get', 'csr', 'jane'])).toMatch(/jane +\d+s +kubernetes.io\/kube-apiserver-client +admin +60m +Approved,Issued/);
  });

  it('sign nothing that was denied', async () => {
    await ask('eve');
    await ask('after-eve');
    await kubectl(['certificate', 'deny', 'eve']);
    await kubectl(['certificate', 'approve', 'after-eve']);
    await issued('after-eve');
    expect(await kubectl(['get', 'csr', 'eve'])).toMatch(/eve .* Denied\n/);
    expect((await statusOf('eve')).certificate).toBeUndefined();
  });

  it('leave to others what is for other signers', async () => {
    await ask('web', { signerName: 'example.com/web' });
    await ask('after-web');
    await kubectl(['certificate', 'approve', 'web', 'after-web']);
    await issued('after-web');
    expect(await kubectl(['get', 'csr', 'web'])).toMatch(/web .* Approved\n/);
  });

  it('say why they don’t sign what the signer does not give', async () => {
    await ask('server', { usages: ['server auth', 'client auth'] });
    await ask('no-node', { commonName: 'n1', organizations: ['system:nodes'], hosts: ['n1'], usages: server, signerName: kubeletServing });
    await kubectl(['certificate', 'approve', 'server', 'no-node']);
    const reason = { status: 'True', reason: 'SignerValidationFailure', lastUpdateTime: expect.any(String) };
    expect(await failed('server')).toMatchObject({ ...reason, message: 'invalid usage for client certificate: server auth' });
    expect(await failed('no-node')).toMatchObject({ ...reason, message: 'subject common name does not begin with system:node:' });
    expect(await kubectl(['get', 'csr', 'server'])).toMatch(/server .* Approved,Failed\n/);
  });

  it('give a kubelet what it serves with, once somebody approved', async () => {
    const hosts = ['n1', '10.0.0.1'];
    await ask('serving', {
      commonName: 'system:node:n1',
      organizations: ['system:nodes'],
      hosts,
      usages: server,
      signerName: kubeletServing,
    });
    await kubectl(['certificate', 'approve', 'serving']);
    expect((await issued('serving')).subjectAltName).toBe('DNS:n1, IP Address:10.0.0.1');
  });

  it('approve a node’s next certificate by themselves, and nobody else’s', async () => {
    const n1 = await plane.clientFor('system:node:n1', ['system:nodes']);
    const wanted = { commonName: 'system:node:n1', organizations: ['system:nodes'], usages: client, signerName: kubeletClient };
    const another = ask('another', { ...wanted, commonName: 'system:node:n2' }, n1);
    await expect(another).rejects.toThrow('can only create a node CSR with CN=system:node:n1');
    // Nobody has said that these may have it without a person.
    await ask('first', wanted, await plane.clientFor('joiner', ['system:bootstrappers']));
    await ask('next', wanted, n1);
    expect((await issued('next')).subject).toBe('O=system:nodes\nCN=system:node:n1');
    const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', lastUpdateTime: expect.any(String) };
    expect((await statusOf('next')).conditions).toMatchObject([
      { ...approved, message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' },
    ]);
    expect(await kubectl(['get', 'csr', 'first'])).toContain('Pending');
  });

  it('don’t start with the key of another CA', async () => {
    const { key } = await createCertificateAuthority('other');
    const starting = startControllerManager({
      client: plane.client,
      listen: { host: '127.0.0.1', port: 0 },
      signing: { authority: { cert: plane.ca, key }, durationMs: hour },
      ...plane.context,
    });
    await expect(starting).rejects.toThrow('the key for signing does not belong to the CA for signing');
  });

  it('remove what was denied long ago', async () => {
    await ask('old');
    const { status: _, ...old } = await plane.client.get(CertificateSigningRequests, { name: 'old' });
    const denied = { type: 'Denied', status: 'True', reason: 'Test', lastUpdateTime: '2020-01-01T00:00:00Z' };
    await plane.client.updateSubresource(CertificateSigningRequests, { ...old, status: { conditions: [denied] } }, 'approval');
    await plane.eventually('it is gone', async () => !(await kubectl(['get', 'csr', '-o', 'name'])).includes('/old'));
  });
});

describe('who wants to use the cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['--runtime', 'hollow', '--nodes', '1']);
  });
  afterAll(() => cluster?.stop());

  /** What kubectl has to be told of the cluster, when nobody's kubeconfig does. */
  const connection = async () => {
    const encoded = await cluster.kubectl('config view --raw -o jsonpath={.clusters[0].cluster.certificate-authority-data}');
    return { server: cluster.client.server, ca: textOf(encoded) };
  };
  const certificateOf = async (name: string) =>
    textOf(await cluster.eventually(`the certificate ${name}`, () => cluster.kubectl(`get csr ${name} -o jsonpath={.status.certificate}`)));

  it('asks for a certificate, is approved, and may do what the names in it may', async () => {
    const { request, key } = await requestCertificate({ commonName: 'jane', organizations: ['dev'] });
    const spec = { request: base64(request), signerName: apiServerClient, expirationSeconds: 86_400, usages: ['client auth'] };
    const csr = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name: 'jane' }, spec };
    await cluster.kubectl('apply -f -', JSON.stringify(csr));
    await cluster.kubectl('certificate approve jane');
    const kubeconfig = writeKubeconfig({ name: 'jane', ...(await connection()), cert: await certificateOf('jane'), key });
    const KUBECONFIG = join(cluster.folder, 'jane.kubeconfig');
    await writeFile(KUBECONFIG, kubeconfig, { mode: 0o600 });
    const asJane = (command: string) => cluster.kubectlOutcome(command.split(' '), '', { KUBECONFIG });
    expect(JSON.parse((await asJane('auth whoami -o json')).stdout).status.userInfo).toMatchObject({
      username: 'jane',
      groups: ['dev', 'system:authenticated'],
    });
    expect((await asJane('get pods')).stderr).toContain('pods is forbidden: User "jane" cannot list resource "pods"');
    await cluster.kubectl('create clusterrolebinding dev --clusterrole=view --group=dev');
    await cluster.eventually('the group’s role counts', async () => (await asJane('get pods')).code === 0);
    expect((await asJane('get secrets')).stderr).toContain('User "jane" cannot list resource "secrets"');
  });

  it('joins with the token of a node to be, and then asks for its next certificate as that node', async () => {
    const [id, secret] = ['abcdef', '0123456789abcdef'];
    const stringData = {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
    };
    const metadata = { name: `bootstrap-token-${id}`, namespace: 'kube-system' };
    await cluster.client.create(Secrets, { metadata, type: 'bootstrap.kubernetes.io/token', stringData });
    const { server, ca } = await connection();
    const ask = async (name: string, by: Client) => {
      const { request, key } = await requestCertificate({ commonName: 'system:node:node-9', organizations: ['system:nodes'] });
      const spec = { request: base64(request), signerName: kubeletClient, usages: client };
      await by.create(CertificateSigningRequests, { metadata: { name }, spec });
      return { key, cert: await certificateOf(name) };
    };
    const joining = new Client({ server, tls: { ca }, token: `${id}.${secret}`, userAgent: 'test' });
    const node9 = new Client({ server, tls: { ca, ...(await ask('first', joining)) }, userAgent: 'test' });
    expect(new X509Certificate((await ask('next', node9)).cert).subject).toBe('O=system:nodes\nCN=system:node:node-9');
    joining.close();
    node9.close();
  });
});
