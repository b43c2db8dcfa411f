// Who signs the service accounts' tokens, for others who want to check them: the documents that OpenID Connect asks for. A cloud that is
// told of the issuer trusts a pod without a password.
// Kubernetes: pkg/serviceaccount/openidmetadata.go; OpenID Connect Discovery 1.0

import { unknownPath } from '../errors.ts';
import type { Answer } from '../server.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

const keysPath = '/openid/v1/jwks';

/** Throws 404 for any other path. */
export function answerIssuer(path: string, { issuer, publicKeys }: ServiceAccountTokens): Answer {
  if (path === keysPath) return { body: JSON.stringify({ keys: publicKeys }), contentType: 'application/jwk-set+json' };
  if (path !== '/.well-known/openid-configuration') throw unknownPath();
  const algorithms = publicKeys.flatMap((key) => ('alg' in key ? [key.alg] : []));
  return {
    body: {
      issuer,
      jwks_uri: `${issuer}${keysPath}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(algorithms)],
    },
  };
}
