import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createCertificateAuthority } from '#kit/pki';
import { readText, Transport } from '#kit/transport';

describe('PKI', () => {
  let server: https.Server | undefined;
  const transports: Transport[] = [];
  afterEach(() => {
    for (const transport of transports.splice(0)) transport.close();
    server?.close();
  });

  /** A server that answers with the user and groups of the client's certificate. */
  async function serve(): Promise<{ url: string; authority: Awaited<ReturnType<typeof createCertificateAuthority>> }> {
    const authority = await createCertificateAuthority('test');
    const serving = await authority.issue({ commonName: 'server', hosts: ['127.0.0.1'], usages: ['server'] });
    server = https.createServer({ ...serving, ca: authority.cert, requestCert: true }, (request, response) => {
      response.end(JSON.stringify((request.socket as TLSSocket).getPeerCertificate().subject));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, authority };
  }

  async function ask(url: string, tls: { ca: string; cert?: string; key?: string }): Promise<string> {
    const transport = new Transport(url, tls);
    transports.push(transport);
    const { body } = await transport.send({ method: 'GET', path: '/' });
    return readText(body);
  }

  it('makes certificates that both sides of a TLS connection accept, and that carry user and groups', async () => {
    const { url, authority } = await serve();
    const identity = await authority.issue({ commonName: 'jane', organizations: ['dev', 'ops'], usages: ['client'] });
    expect(JSON.parse(await ask(url, { ca: authority.cert, ...identity }))).toEqual({ CN: 'jane', O: ['dev', 'ops'] });
  });

  it('is not believed by a client that trusts another CA', async () => {
    const { url } = await serve();
    const other = await createCertificateAuthority('other');
    await expect(ask(url, { ca: other.cert })).rejects.toThrow(/the request to https.* failed/);
  });

  it('does not let a certificate serve for a host it does not name', async () => {
    const { url, authority } = await serve();
    await expect(ask(url.replace('127.0.0.1', 'localhost'), { ca: authority.cert })).rejects.toThrow(/altnames|ECONNREFUSED|listens/);
  });
});

describe('Transport', () => {
  it('says that nothing listens yet, instead of ECONNREFUSED', async () => {
    const transport = new Transport('http://127.0.0.1:1');
    await expect(transport.send({ method: 'GET', path: '/' })).rejects.toThrow('nothing listens at http://127.0.0.1:1 yet');
    transport.close();
  });
});
