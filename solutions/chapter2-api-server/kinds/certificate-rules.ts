// What may stand in the spec of a certificate request.
// Kubernetes: pkg/apis/certificates/validation/validation.go; ValidateSignerName in pkg/apis/core/validation/validation.go

import { certificateUsages } from '#kit/certificate-usages';
import { duplicateValue } from './field-errors.ts';
import { between, each, holds, oneOf, required, type TypeRules } from './field-rules.ts';

/** It signed before signers had names, and gives what nobody checks. */
const legacySigner = 'kubernetes.io/legacy-unknown';
const isQualified = (name: string) => /^[^/]*\.[^/]*\/[^/]+$/.test(name);

export const certificateRules: Record<string, TypeRules> = {
  'certificates.v1.CertificateSigningRequestSpec': {
    request: required(),
    usages: [
      required(),
      each(oneOf(...certificateUsages)),
      (field, list) =>
        ((list as string[] | undefined) ?? []).flatMap((usage, index, all) =>
          all.indexOf(usage) < index ? [duplicateValue(`${field}[${index}]`, usage)] : [],
        ),
    ],
    signerName: [
      required(),
      holds(
        "must be a fully qualified domain and path of the form 'example.com/signer-name'",
        (name: string) => name === '' || isQualified(name),
      ),
      holds('the legacy signerName is not allowed via this API version', (name: string) => name !== legacySigner),
    ],
    expirationSeconds: between(600, Number.POSITIVE_INFINITY, 'may not specify a duration less than 600 seconds (10 minutes)'),
  },
};
