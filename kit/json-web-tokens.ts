// JSON Web Tokens: three parts of base64url with dots between them, header, claims and signature. Whoever has the public key can tell
// that the claims are the issuer's, without asking it. Everybody can read them.
// RFC 7515 and 7519; ES256 and RS256 of RFC 7518.

import { createHash, type KeyObject, sign, verify } from 'node:crypto';

export interface Claims {
  iss: string;
  sub: string;
  aud: string[];
  /** Seconds since 1970, as the next two: not after, issued at, not before. */
  exp: number;
  iat: number;
  nbf: number;
  jti?: string;
  [claim: string]: unknown;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** How node signs for an algorithm: ECDSA in JOSE is two plain numbers, not DER. */
function signing(key: KeyObject) {
  return key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' as const } : { key };
}

export function algorithmOf(key: KeyObject): 'ES256' | 'RS256' {
  return key.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256';
}

/** A name for a public key: the hash of its bytes. Several keys may be good at a time; the token says which one it means. */
export function keyId(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

export function signToken(claims: object, privateKey: KeyObject, kid: string): string {
  const signed = `${encode({ alg: algorithmOf(privateKey), kid })}.${encode(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), signing(privateKey)).toString('base64url')}`;
}

/** The claims of a token that this key signed with its own algorithm; undefined for every other text. */
export function verifyToken(token: string, publicKey: KeyObject): Claims | undefined {
  const [header = '', payload = '', signature = '', ...rest] = token.split('.');
  const { alg } = (decode(header) ?? {}) as { alg?: string };
  // The key says which algorithm counts. A token that could choose would choose "none".
  if (rest.length > 0 || alg !== algorithmOf(publicKey)) return undefined;
  const isSigned = verify('sha256', Buffer.from(`${header}.${payload}`), signing(publicKey), Buffer.from(signature, 'base64url'));
  return isSigned ? (decode(payload) as Claims | undefined) : undefined;
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
