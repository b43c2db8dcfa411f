// Certificates that somebody asks for: what a request (PKCS #10, in PEM) says, and the certificate that a CA makes of it. Whether it should
// is for others to decide: here everything is signed but a request whose author doesn't have its key.
// Kubernetes: pkg/apis/certificates/helpers.go, pkg/controller/certificates/authority

import { createPrivateKey, webcrypto } from 'node:crypto';
import { extendedKeyUsages, keyUsageBits } from '#kit/certificate-usages';
import type { KeyPair } from '#kit/pki';
import { x509 } from '#kit/x509';

/** Who somebody wants to be, and by which names they want to be found. */
export interface AskedCertificate {
  commonName: string;
  organizations: string[];
  dnsNames: string[];
  ipAddresses: string[];
  emailAddresses: string[];
  uris: string[];
}

/** @throws Error with the reason: it is no certificate request, or it isn't signed with the key that it is for */
export async function readCertificateRequest(pem: string): Promise<AskedCertificate> {
  const request = requestIn(pem);
  if (!(await request.verify().catch(() => false))) throw new Error('the request is not signed with the key that it names');
  const alternatives = namesIn(request);
  const named = (wanted: x509.JsonGeneralName['type']) => alternatives.filter(({ type }) => type === wanted).map(({ value }) => value);
  return {
    commonName: request.subjectName.getField('CN').at(-1) ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: named('dns'),
    ipAddresses: named('ip'),
    emailAddresses: named('email'),
    uris: named('url'),
  };
}

export interface Signing {
  authority: KeyPair;
  /** In Kubernetes' words: `client auth`. */
  usages: string[];
  notBefore: Date;
  notAfter: Date;
}

/** The certificate (PEM): for the key, the subject and the names of the request; of its other extensions nothing. */
export async function signCertificateRequest(pem: string, { authority, usages, notBefore, notAfter }: Signing): Promise<string> {
  const request = requestIn(pem);
  const issuer = new x509.X509Certificate(authority.cert);
  const bits = usages.reduce((all, usage) => (usage in keyUsageBits ? all | (1 << (keyUsageBits[usage] ?? 0)) : all), 0);
  const extended = [...new Set(usages.flatMap((usage) => extendedKeyUsages[usage] ?? []))];
  const names = namesIn(request);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subjectName,
    issuer: issuer.subjectName,
    publicKey: request.publicKey,
    signingKey: await signingKey(issuer, authority.key),
    notBefore,
    notAfter,
    extensions: [
      ...(bits === 0 ? [] : [new x509.KeyUsagesExtension(bits, true)]),
      ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await issuedBy(issuer),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

function requestIn(pem: string): x509.Pkcs10CertificateRequest {
  const [block] = x509.PemConverter.decodeWithHeaders(pem);
  if (block?.type !== 'CERTIFICATE REQUEST') throw new Error('PEM block type must be CERTIFICATE REQUEST');
  return new x509.Pkcs10CertificateRequest(block.rawData);
}

/** The names of the kinds that certificates of a cluster have. */
function namesIn(request: x509.Pkcs10CertificateRequest): x509.JsonGeneralName[] {
  const extension = request.extensions.find((one) => one instanceof x509.SubjectAlternativeNameExtension);
  return (extension?.names.toJSON() ?? []).filter(({ type }) => ['dns', 'ip', 'email', 'url'].includes(type));
}

/** A CA may be of any kind: its certificate says which. */
function signingKey({ publicKey }: x509.X509Certificate, pem: string): Promise<webcrypto.CryptoKey> {
  const key = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', key, { hash: 'SHA-256', ...publicKey.algorithm }, false, ['sign']);
}

/** By the number that the issuer's certificate gives its key, however it was made. */
function issuedBy(issuer: x509.X509Certificate): Promise<x509.AuthorityKeyIdentifierExtension> | x509.AuthorityKeyIdentifierExtension {
  const known = issuer.getExtension(x509.SubjectKeyIdentifierExtension);
  return known ? new x509.AuthorityKeyIdentifierExtension(known.keyId) : x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey);
}
