// Questions about the asker: who am I (`kubectl auth whoami`), and may I (`kubectl auth can-i`). Everybody whom the server
// knows may do everything, for now; the answers say so.
// Kubernetes: pkg/registry/authentication/selfsubjectreview, pkg/registry/authorization/selfsubjectaccessreview

import type { User } from './authentication.ts';
import { asRecord, readJson } from './body.ts';
import { methodNotAllowed } from './errors.ts';
import type { Answer, ApiRequest } from './server.ts';

interface Review {
  kind: string;
  apiVersion: string;
  status(user: User): object;
}

const reviews: Record<string, Review> = {
  '/apis/authentication.k8s.io/v1/selfsubjectreviews': {
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
    status: ({ name, groups }) => ({ userInfo: { username: name, groups } }),
  },
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews': {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    status: () => ({ allowed: true, reason: 'every authenticated user may do everything' }),
  },
  '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews': {
    kind: 'SelfSubjectRulesReview',
    apiVersion: 'authorization.k8s.io/v1',
    status: () => ({
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    }),
  },
};

/** undefined for a path that is no review. */
export async function answerReview(request: ApiRequest): Promise<Answer | undefined> {
  const review = reviews[request.path];
  if (!review) return undefined;
  if (request.method !== 'POST') throw methodNotAllowed();
  const { kind, apiVersion } = review;
  const question = asRecord(await readJson(request.message, kind), kind);
  return { code: 201, body: { kind, apiVersion, metadata: {}, ...question, status: review.status(request.user) } };
}
