// Questions about identity and permissions, asked by POST and answered in the same breath: who am I (`kubectl auth whoami`), may I
// (`kubectl auth can-i`), may somebody else, whose token is this. Nothing is stored.
// Kubernetes: pkg/registry/authentication and pkg/registry/authorization

import type {
  ResourceAttributes,
  SelfSubjectAccessReviewSpec,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
  SubjectRulesReviewStatus,
} from 'kubernetes-types/authorization/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { NotImplemented } from '#kit/not-implemented';
import { asRecord, readJson } from '../body.ts';
import { badRequest, invalid, methodNotAllowed } from '../errors.ts';
import { invalidValue } from '../kinds/field-errors.ts';
import type { Answer, ApiRequest } from '../server.ts';
import type { Action } from './actions.ts';
import type { Authorizer } from './authorizer.ts';
import { grantsOf } from './rbac.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { authenticated, nodeNameOf, type User } from './users.ts';

export interface ReviewContext {
  authorizer: Authorizer;
  tokens: ServiceAccountTokens;
}

/** What a review asks, and by whom; `namespace` is the URL's, '' if it has none. */
interface Question {
  user: User;
  namespace: string;
  spec: object;
}

interface Review {
  kind: string;
  group: string;
  answer(question: Question, context: ReviewContext): Promise<object>;
}

const path = /^\/apis\/(authentication\.k8s\.io|authorization\.k8s\.io)\/v1\/(?:namespaces\/([^/]+)\/)?([a-z]+)$/;

/** By group and plural; the one in a namespace has that in its path. */
const reviews: Record<string, Review> = {
  selfsubjectreviews: {
    kind: 'SelfSubjectReview',
    group: 'authentication.k8s.io',
    answer: async ({ user }) => ({ userInfo: userInfo(user) }),
  },
  tokenreviews: { kind: 'TokenReview', group: 'authentication.k8s.io', answer: reviewToken },
  selfsubjectaccessreviews: {
    kind: 'SelfSubjectAccessReview',
    group: 'authorization.k8s.io',
    answer: ({ user, spec }, context) => reviewAccess(user, spec, 'SelfSubjectAccessReview', context),
  },
  subjectaccessreviews: {
    kind: 'SubjectAccessReview',
    group: 'authorization.k8s.io',
    answer: ({ spec }, context) => reviewAccess(subjectOf(spec, 'SubjectAccessReview'), spec, 'SubjectAccessReview', context),
  },
  localsubjectaccessreviews: { kind: 'LocalSubjectAccessReview', group: 'authorization.k8s.io', answer: reviewLocalAccess },
  selfsubjectrulesreviews: { kind: 'SelfSubjectRulesReview', group: 'authorization.k8s.io', answer: reviewRules },
};

/** undefined for a path that is no review. */
export async function answerReview(request: ApiRequest, context: ReviewContext): Promise<Answer | undefined> {
  const [, group, namespace = '', plural = ''] = path.exec(request.path) ?? [];
  const review = Object.hasOwn(reviews, plural) ? reviews[plural] : undefined;
  const isLocal = plural === 'localsubjectaccessreviews';
  if (!review || review.group !== group || isLocal !== (namespace !== '')) return undefined;
  if (request.method !== 'POST') throw methodNotAllowed();
  const { kind } = review;
  const body = asRecord(await readJson(request.message, kind), kind);
  const spec = asRecord(body.spec ?? {}, kind);
  const status = await review.answer({ user: request.user, namespace, spec }, context);
  return { code: 201, body: { kind, apiVersion: `${group}/v1`, metadata: {}, ...body, status } };
}

function userInfo({ name, uid, groups, extra }: User): object {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra && Object.keys(extra).length > 0 ? { extra } : {}) };
}

async function reviewToken({ spec }: Question, { tokens }: ReviewContext): Promise<object> {
  const { token, audiences } = spec as { token?: string; audiences?: string[] };
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  const found = await tokens.authenticate(token, audiences && audiences.length > 0 ? audiences : undefined);
  if (!found) return { authenticated: false, user: {}, error: 'invalid bearer token' };
  const user = { ...found.user, groups: [...found.user.groups, authenticated] };
  return { authenticated: true, user: userInfo(user), audiences: found.audiences };
}

async function reviewAccess(user: User, spec: object, kind: string, { authorizer }: ReviewContext): Promise<SubjectAccessReviewStatus> {
  const { allowed, reason } = await authorizer.authorize(user, askedAction(spec, kind));
  return { allowed, ...(reason ? { reason } : {}) };
}

function reviewLocalAccess({ namespace, spec }: Question, context: ReviewContext): Promise<object> {
  const kind = 'LocalSubjectAccessReview';
  const { resourceAttributes, nonResourceAttributes } = spec as SubjectAccessReviewSpec;
  const asked = resourceAttributes?.namespace ?? '';
  if (nonResourceAttributes) throw refuse(kind, invalidValue('spec.nonResourceAttributes', '', 'disallowed on this kind of request'));
  if (asked !== namespace)
    throw refuse(kind, invalidValue('spec.resourceAttributes.namespace', asked, `must match metadata.namespace: ${namespace}`));
  return reviewAccess(subjectOf(spec, kind), spec, kind, context);
}

/**
 * Everything that the user may do in the namespace that `spec.namespace` names (without one: 400, `no namespace on request`): each grant's rule that is about resources as a resource
 * rule (verbs, apiGroups, resources, resourceNames), each that is about paths as a non-resource rule (verbs, nonResourceURLs). Kubelets have
 * rights that no rule tells: for them the answer is `incomplete`, with the evaluationError
 * `node authorizer does not support user rule resolution`.
 */
async function reviewRules({ user, spec }: Question, { authorizer }: ReviewContext): Promise<SubjectRulesReviewStatus> {
  throw new NotImplemented('2.10', "List the user's rules, those about resources and those about paths apart");
}

function subjectOf(spec: object, kind: string): User {
  const { user: name = '', groups = [], uid, extra } = spec as SubjectAccessReviewSpec;
  if (!name && groups.length === 0) throw refuse(kind, invalidValue('spec.user', '', 'at least one of user or group must be specified'));
  return { name, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

function askedAction(spec: object, kind: string): Action {
  const { resourceAttributes, nonResourceAttributes } = spec as SelfSubjectAccessReviewSpec;
  if (!resourceAttributes === !nonResourceAttributes) {
    const problem = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw refuse(kind, invalidValue('spec.resourceAttributes', null, problem));
  }
  if (nonResourceAttributes) return { verb: nonResourceAttributes.verb ?? '', path: nonResourceAttributes.path ?? '' };
  const asked = resourceAttributes as ResourceAttributes & { fieldSelector?: { rawSelector?: string } };
  const { verb = '', group = '', version = '', resource = '', subresource = '', namespace = '', name = '', fieldSelector } = asked;
  return { verb, group, version, resource, subresource, namespace, name, fieldSelector: fieldSelector?.rawSelector ?? '' };
}

function refuse(kind: string, cause: StatusCause) {
  return invalid({ group: 'authorization.k8s.io', kind }, '', [cause]);
}
