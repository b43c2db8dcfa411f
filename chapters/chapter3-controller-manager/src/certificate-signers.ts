// The signers of a cluster: for each, which certificates it gives. Who has approved a request doesn't matter here: a kubelet's certificate is
// for a kubelet, or nobody gets it.
// Kubernetes: pkg/controller/certificates/signer/signer.go; pkg/apis/certificates/helpers.go

import type { AskedCertificate } from '#kit/certificate-requests';

/** Why this signer does not give such a certificate; undefined when it does. */
export type SignerRule = (asked: AskedCertificate, usages: string[]) => string | undefined;

export const kubeletClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';

/** By name. Requests for other signers are left to others. */
export const signers: Record<string, SignerRule> = {
  'kubernetes.io/kube-apiserver-client': apiServerClientProblem,
  [kubeletClientSigner]: kubeletClientProblem,
  'kubernetes.io/kubelet-serving': kubeletServingProblem,
  // From before signers had names. The API server takes no new requests for it.
  'kubernetes.io/legacy-unknown': () => undefined,
};

function apiServerClientProblem(_: AskedCertificate, usages: string[]): string | undefined {
  const strange = usages.find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage));
  if (strange) return `invalid usage for client certificate: ${strange}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}

/** A node's, to talk to the API server with. */
export function kubeletClientProblem(asked: AskedCertificate, usages: string[]): string | undefined {
  if (!isForNodes(asked)) return 'subject organization is not system:nodes';
  if (asked.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (asked.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (asked.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (asked.uris.length > 0) return 'URI subjectAltNames are not allowed';
  return nameProblem(asked) ?? usageProblem('client auth', usages);
}

/** A node's, to be talked to with: the API server asks it for logs. */
function kubeletServingProblem(asked: AskedCertificate, usages: string[]): string | undefined {
  if (!isForNodes(asked)) return 'subject organization is not system:nodes';
  if (asked.dnsNames.length + asked.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (asked.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (asked.uris.length > 0) return 'URI subjectAltNames are not allowed';
  return usageProblem('server auth', usages) ?? nameProblem(asked);
}

function isForNodes({ organizations }: AskedCertificate): boolean {
  return organizations.length === 1 && organizations[0] === 'system:nodes';
}

function nameProblem({ commonName }: AskedCertificate): string | undefined {
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:';
}

/** Only RSA keys encipher keys. */
function usageProblem(purpose: string, usages: string[]): string | undefined {
  const wanted = [purpose, 'digital signature', 'key encipherment'].sort();
  const without = wanted.filter((usage) => usage !== 'key encipherment');
  const isExactly = (set: string[]) => set.length === new Set(usages).size && set.every((usage) => usages.includes(usage));
  return isExactly(wanted) || isExactly(without) ? undefined : `usages did not match [${wanted.join(' ')}]`;
}
