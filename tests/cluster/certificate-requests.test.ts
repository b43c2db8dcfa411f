// Certificate requests: who asks is written down, who approves is asked for permission, and what is decided stays decided.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CertificateSigningRequest, ClusterRoleBindings, ClusterRoles, CertificateSigningRequests as Requests } from '#kit/api';
import { createCertificateAuthority, requestCertificate } from '#kit/pki';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';
import { eventually } from '#kit/testing/wait';

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('API server: certificate requests', () => {
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

  /** From anybody, for anybody: what it says is not believed until somebody approves it. */
  async function request(name: string, spec: Partial<CertificateSigningRequest['spec']> = {}): Promise<CertificateSigningRequest> {
    const { request } = await requestCertificate({ commonName: name, organizations: ['dev'] });
    return {
      metadata: { name },
      spec: { request: base64(request), signerName: 'example.com/web', usages: ['client auth'], ...spec },
    };
  }

  it('says who asks, whatever they say themselves', async () => {
    const { spec } = await plane.client.create(Requests, await request('honest', { username: 'root', groups: ['system:masters', 'x'] }));
    expect(spec).toMatchObject({ username: 'admin', groups: ['system:masters', 'system:authenticated'] });
  });

  it('waits until somebody approves it, who may do that for this signer', async () => {
    await plane.client.create(Requests, await request('jane'));
    expect(await kubectl(['get', 'csr', 'jane'])).toMatch(/jane +\d+s +example.com\/web +admin +<none> +Pending/);
    const approver = await plane.clientFor('approver');
    const mayWrite = { verbs: ['get', 'update'], apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'] };
    await plane.client.create(ClusterRoles, { metadata: { name: 'approver' }, rules: [mayWrite] });
    await plane.client.create(ClusterRoleBindings, {
      metadata: { name: 'approver' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'approver' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'approver' }],
    });
    const approved = { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test' }] } };
    const wanted = { ...(await plane.client.get(Requests, { name: 'jane' })), ...approved };
    const approve = () => approver.send({ method: 'PUT', path: approvalPath, body: JSON.stringify(wanted) });
    const approvalPath = '/apis/certificates.k8s.io/v1/certificatesigningrequests/jane/approval';
    await eventually('the role counts', () =>
      expect(approve())
        .rejects.toMatchObject({ message: expect.stringContaining('user not permitted to approve requests with signerName') })
        .then(() => true),
    );
    await kubectl(['certificate', 'approve', 'jane']);
    expect(await kubectl(['get', 'csr', 'jane'])).toContain('Approved');
  });

  it('cannot be approved, or have its approval taken back, through another door', async () => {
    await plane.client.create(Requests, await request('patient'));
    const patch = (subresource: string, conditions: object[], certificate?: string) => {
      const status = { conditions, ...(certificate ? { certificate } : {}) };
      return plane.client.patch(Requests, { name: 'patient' }, 'merge', { status } as CertificateSigningRequest, { subresource });
    };
    const condition = (type: string) => ({ type, status: 'True', reason: 'Test' });
    const [certificate, other] = await Promise.all(
      ['one', 'other'].map(async (signer) => base64((await createCertificateAuthority(signer)).cert)),
    );
    const whatIsWrong = (message: string) => ({ status: { code: 422, message: expect.stringContaining(message) } });
    await expect(patch('status', [condition('Approved')])).rejects.toMatchObject(
      whatIsWrong('updates may not add a condition of type "Approved"'),
    );
    const signed = await patch('status', [condition('Failed')], certificate);
    expect(signed.status).toMatchObject({ certificate, conditions: [{ type: 'Failed' }] });

    const approved = await patch('approval', [condition('Failed'), condition('Approved')], other);
    expect(approved.status).toMatchObject({ certificate, conditions: [{ type: 'Failed' }, { type: 'Approved' }] });
    for (const door of ['status', 'approval']) {
      const lost = patch(door, [condition('Failed')]);
      await expect(lost).rejects.toMatchObject(whatIsWrong('updates may not remove a condition of type "Approved"'));
    }
    const both = patch('approval', [condition('Failed'), condition('Approved'), condition('Denied')]);
    await expect(both).rejects.toMatchObject(whatIsWrong('Approved and Denied conditions are mutually exclusive'));
    const refuted = patch('approval', [condition('Approved')]);
    await expect(refuted).rejects.toMatchObject(whatIsWrong('updates may not remove a condition of type "Failed"'));
  });

  it('says since when it is so, and who signs doesn’t say anything else about the approval', async () => {
    await plane.client.create(Requests, await request('dated'));
    const patch = (subresource: string, conditions: object[]) =>
      plane.client.patch(Requests, { name: 'dated' }, 'merge', { status: { conditions } }, { subresource });
    const approved = { type: 'Approved', status: 'True', reason: 'Test' };
    const { status } = await patch('approval', [approved]);
    const dated = { ...approved, lastUpdateTime: expect.any(String), lastTransitionTime: expect.any(String) };
    expect(status?.conditions).toEqual([dated]);
    const waiting = { type: 'Waiting', status: 'False', reason: 'Test', lastUpdateTime: '2020-01-01T00:00:00Z' };
    const later = await patch('status', [{ ...approved, reason: 'Other' }, waiting]);
    expect(later.status?.conditions).toEqual([status?.conditions?.[0], { ...waiting, lastTransitionTime: expect.any(String) }]);
  });

  it('says nothing that makes no sense', async () => {
    await plane.client.create(Requests, await request('sensible'));
    const patch = (status: object) => plane.client.patch(Requests, { name: 'sensible' }, 'merge', { status }, { subresource: 'status' });
    const condition = (type: string, status = 'True') => ({ type, status, reason: 'Test' });
    const { cert, key } = await createCertificateAuthority('test');
    const why = (field: string, message: string) => ({ status: { code: 422, details: { causes: [{ field, message }] } } });
    const field = 'status.conditions';
    const cases: [object, ReturnType<typeof why>][] = [
      [{ conditions: [condition('')] }, why(`${field}[0].type`, 'Required value')],
      [{ conditions: [condition('Waiting', '')] }, why(`${field}[0].status`, 'Required value')],
      [{ conditions: [condition('Failed', 'False')] }, why(`${field}[0].status`, 'Unsupported value: "False": supported values: "True"')],
      [
        { conditions: [condition('Waiting', 'Maybe')] },
        why(`${field}[0].status`, 'Unsupported value: "Maybe": supported values: "False", "True", "Unknown"'),
      ],
      [{ conditions: [condition('Waiting'), condition('Waiting')] }, why(`${field}[1].type`, 'Duplicate value: "Waiting"')],
      [
        { certificate: base64('nothing') },
        why('status.certificate', 'Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block'),
      ],
      [
        { certificate: base64(`${cert}\n${key}`) },
        why('status.certificate', 'Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"'),
      ],
    ];
    for (const [status, problem] of cases) await expect(patch(status)).rejects.toMatchObject(problem);
    expect((await patch({ certificate: base64(`its subject: test\n${cert}`) })).status?.certificate).toBeDefined();
    const another = patch({ certificate: base64((await createCertificateAuthority('test')).cert) });
    await expect(another).rejects.toMatchObject(
      why('status.certificate', 'Forbidden: updates may not modify existing certificate content'),
    );
  });

  it('asks for the same for ever', async () => {
    const asked = await plane.client.create(Requests, await request('steady', { expirationSeconds: 3600 }));
    const changed = { ...asked, metadata: { ...asked.metadata, labels: { a: 'b' } }, spec: { ...asked.spec, expirationSeconds: 7200 } };
    const { metadata, spec } = await plane.client.update(Requests, changed);
    expect(metadata?.labels).toEqual({ a: 'b' });
    expect(spec).toEqual(asked.spec);
    expect(metadata?.generation).toBeUndefined();
  });

  it('asks in words that there are', async () => {
    const wrong = { usages: ['client auth', 'client auth', 'flying'], expirationSeconds: 599 };
    const causes = [
      { field: 'spec.usages[1]', message: 'Duplicate value: "client auth"' },
      {
        field: 'spec.usages[2]',
        message: expect.stringMatching(/^Unsupported value: "flying": supported values: "any", "cert sign", .*"timestamping"$/),
      },
      { field: 'spec.expirationSeconds', message: 'Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)' },
    ];
    const refused = plane.client.create(Requests, await request('wrong', wrong));
    await expect(refused).rejects.toMatchObject({
      status: { code: 422, details: { causes: expect.arrayContaining(causes.map((cause) => expect.objectContaining(cause))) } },
    });
    for (const [signerName, why] of [
      ['kubernetes.io/legacy-unknown', 'the legacy signerName is not allowed via this API version'],
      ['example.com/a/b', "must be a fully qualified domain and path of the form 'example.com/signer-name'"],
    ]) {
      const message = `Invalid value: ${JSON.stringify(signerName)}: ${why}`;
      await expect(plane.client.create(Requests, await request('wrong', { signerName: signerName ?? '' }))).rejects.toMatchObject({
        status: { details: { causes: [{ field: 'spec.signerName', message }] } },
      });
    }
  });

  it('is refused when something is missing, when it is none, and when it asks for everything', async () => {
    const missing = plane.client.create(Requests, await request('broken', { signerName: 'web', usages: [] }));
    await expect(missing).rejects.toMatchObject({
      status: { code: 422, details: { causes: [{ field: 'spec.usages' }, { field: 'spec.signerName' }] } },
    });
    for (const [name, spec] of Object.entries({ none: { request: 'bm9uZQ==' }, empty: { request: '' } })) {
      await expect(plane.client.create(Requests, await request(name, spec))).rejects.toMatchObject({
        status: { code: 422, details: { causes: expect.arrayContaining([expect.objectContaining({ field: 'spec.request' })]) } },
      });
    }
    const nothing = { metadata: { name: 'nothing' } } as CertificateSigningRequest;
    await expect(plane.client.create(Requests, nothing)).rejects.toMatchObject({ status: { code: 422 } });
    const { request: masters } = await requestCertificate({ commonName: 'eve', organizations: ['system:masters'] });
    const everything = { request: base64(masters), signerName: 'kubernetes.io/kube-apiserver-client' };
    await expect(plane.client.create(Requests, await request('everything', everything))).rejects.toMatchObject({
      status: { code: 403, message: expect.stringContaining('signer with system:masters group is not allowed') },
    });
  });
});
