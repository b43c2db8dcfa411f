// What has become of a certificate request, as its conditions tell it.
// Kubernetes: pkg/controller/certificates/certificate_controller_utils.go

import type { CertificateSigningRequest } from '#kit/api';

export function hasCondition({ status }: CertificateSigningRequest, wanted: string): boolean {
  return (status?.conditions ?? []).some(({ type }) => type === wanted);
}

export function isIssued({ status }: CertificateSigningRequest): boolean {
  return Boolean(status?.certificate);
}

/** Nobody has said yes or no yet. */
export function isUndecided(request: CertificateSigningRequest): boolean {
  return !isIssued(request) && !hasCondition(request, 'Approved') && !hasCondition(request, 'Denied');
}

/** Somebody said yes, nobody no, and the signer has not failed. */
export function waitsForSignature(request: CertificateSigningRequest): boolean {
  const isRefused = ['Denied', 'Failed'].some((type) => hasCondition(request, type));
  return !isIssued(request) && hasCondition(request, 'Approved') && !isRefused;
}

/** The request itself, in PEM. */
export function requestText({ spec }: CertificateSigningRequest): string {
  return Buffer.from(spec.request, 'base64').toString();
}
