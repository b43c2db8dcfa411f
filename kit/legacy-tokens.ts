// Tokens of service accounts that lie in Secrets: the controller manager writes them, the API server takes them. What such a token says: whose
// it is and in which Secret, and nothing of an end.
// Kubernetes: pkg/serviceaccount/legacy.go

export const tokenSecretType = 'kubernetes.io/service-account-token';
export const accountNameAnnotation = 'kubernetes.io/service-account.name';
export const accountUidAnnotation = 'kubernetes.io/service-account.uid';

const claim = 'kubernetes.io/serviceaccount/';

export const legacyClaim = {
  namespace: `${claim}namespace`,
  secretName: `${claim}secret.name`,
  accountName: `${claim}service-account.name`,
  accountUid: `${claim}service-account.uid`,
};

export const legacyIssuer = 'kubernetes/serviceaccount';
