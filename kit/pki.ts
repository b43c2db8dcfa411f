// The cluster's certificates: one CA, and what it signs. A client certificate *is* an identity in Kubernetes:
// its common name is the user, its organizations are the groups.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/authentication/request/x509/x509.go

import { webcrypto } from 'node:crypto';
import { type Clock, systemClock } from '#kit/clock';
import { x509 } from '#kit/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const yearInMs = 365 * 24 * 3600 * 1000;
/** Certificates begin a little in the past, for machines whose clocks disagree. */
const clockSkewInMs = 5 * 60 * 1000;

/** PEM texts. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface CertificateRequest {
  /** The user (client), or the server's name. */
  commonName: string;
  /** The user's groups. */
  organizations?: string[];
  /** Names and IP addresses that clients reach the server by. */
  hosts?: string[];
  usages: ('client' | 'server')[];
}

export interface CertificateAuthority extends KeyPair {
  issue(request: CertificateRequest): Promise<KeyPair>;
}

/** Makes a CA and keeps its key in memory; `key` is there for whoever must store it. */
export async function createCertificateAuthority(commonName: string, clock: Clock = systemClock): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    ...validity(clock, 10),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  async function issue({ commonName, organizations = [], hosts = [], usages }: CertificateRequest): Promise<KeyPair> {
    const own = await generateKeys();
    const issued = await x509.X509CertificateGenerator.create({
      subject: [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }],
      issuer: certificate.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      ...validity(clock, 1),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(
          usages.map((usage) => (usage === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth)),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ...(hosts.length ? [new x509.SubjectAlternativeNameExtension(hosts.map(toGeneralName))] : []),
      ],
    });
    return { cert: issued.toString('pem'), key: await privateKeyPem(own) };
  }

  return { cert: certificate.toString('pem'), key: await privateKeyPem(keys), issue };
}

/** A new key, and the request (PEM) that somebody signs a certificate for it. */
export async function requestCertificate({
  commonName,
  organizations = [],
  hosts = [],
}: Omit<CertificateRequest, 'usages'>): Promise<{ request: string; key: string }> {
  const keys = await generateKeys();
  const name = [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }];
  const extensions = hosts.length ? [new x509.SubjectAlternativeNameExtension(hosts.map(toGeneralName))] : [];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, extensions, signingAlgorithm: algorithm });
  return { request: request.toString('pem'), key: await privateKeyPem(keys) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

async function privateKeyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
}

function validity(clock: Clock, years: number) {
  return { notBefore: new Date(clock.now() - clockSkewInMs), notAfter: new Date(clock.now() + years * yearInMs) };
}

function toGeneralName(host: string): x509.JsonGeneralName {
  return /^[\d.]+$|:/.test(host) ? { type: 'ip', value: host } : { type: 'dns', value: host };
}
