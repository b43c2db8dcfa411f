// Certificate requests: what is asked for never changes, a decision is made once and not both ways, and a certificate is given once.
// What may stand in the fields of the spec is in type-rules.ts; that the request is one, certificate-requests.ts finds out.
// Kubernetes: pkg/apis/certificates/validation/validation.go

import { X509Certificate } from 'node:crypto';
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from 'kubernetes-types/certificates/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { duplicateValue, forbiddenField, invalidValue, required, unsupportedValue } from './field-errors.ts';
import type { KindStrategy } from './strategy.ts';

/** What is written through /approval, and by nobody else. */
const decisions = ['Approved', 'Denied'];
const final = [...decisions, 'Failed'];
const conditionsField = 'status.conditions';

export const certificateSigningRequests: KindStrategy<CertificateSigningRequest> = {
  validateStatus({ status = {} }, { status: old = {} }) {
    const { conditions = [], certificate = '' } = status;
    const has = (type: string) => conditions.some((condition) => condition.type === type);
    const lost = (old.conditions ?? []).filter(({ type }) => final.includes(type) && !has(type));
    return [
      ...conditions.flatMap(conditionProblems),
      ...certificateProblems(certificate, old.certificate ?? ''),
      ...lost.map(({ type }) => forbiddenField(conditionsField, `updates may not remove a condition of type ${JSON.stringify(type)}`)),
    ];
  },
};

export function isDecision({ type }: Pick<CertificateSigningRequestCondition, 'type'>): boolean {
  return decisions.includes(type);
}

function conditionProblems(
  condition: CertificateSigningRequestCondition,
  index: number,
  all: CertificateSigningRequestCondition[],
): StatusCause[] {
  const { type = '', status = '' } = condition;
  const field = `${conditionsField}[${index}]`;
  const before = all.slice(0, index);
  const statuses = final.includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
  const isContradicted = isDecision(condition) && before.some((other) => isDecision(other) && other.type !== type);
  return [
    ...(type === '' ? [required(`${field}.type`)] : []),
    ...(status === '' ? [required(`${field}.status`)] : []),
    ...(status === '' || statuses.includes(status) ? [] : [unsupportedValue(`${field}.status`, status, statuses)]),
    ...(isContradicted ? [invalidValue(`${field}.type`, type, 'Approved and Denied conditions are mutually exclusive')] : []),
    ...(before.some((other) => other.type === type) ? [duplicateValue(`${field}.type`, type)] : []),
  ];
}

function certificateProblems(base64: string, old: string): StatusCause[] {
  if (base64 === old) return [];
  const field = 'status.certificate';
  if (old !== '') return [forbiddenField(field, 'updates may not modify existing certificate content')];
  const why = whyNoCertificates(Buffer.from(base64, 'base64').toString());
  return why ? [invalidValue(field, '<certificate data>', why)] : [];
}

/** A text that is nothing but certificates in PEM; what is between them doesn't count. */
function whyNoCertificates(pem: string): string | undefined {
  const blocks = [...pem.matchAll(/-----BEGIN ([^-\n]+)-----([^-]*)-----END \1-----/g)];
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block';
  for (const [block, type, content = ''] of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (content.includes(':')) return 'no PEM block headers are permitted';
    try {
      new X509Certificate(block);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}
