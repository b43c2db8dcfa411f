// Admission policies: rules that are objects, written in CEL. They are judged here, without asking anybody outside, when the object is as it
// will be stored. What says who may be refused is never refused itself: else nobody could take a wrong policy away.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go

import { ApiError } from '#kit/status';
import { LiveObjects, type LiveSource } from '../access/live-objects.ts';
import { forbidden } from '../errors.ts';
import { celValue, ExpressionFailure, type Values } from '../expressions.ts';
import { prefixOfResource } from '../keys.ts';
import type { MatchResources } from '../kinds/match-resources.ts';
import type { Policy, PolicyBinding } from '../kinds/policies.ts';
import { namespaceTarget } from '../namespaces.ts';
import type { ApiObject } from '../object.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import { eachWithinBudget } from '../time-budget.ts';
import type { AdmissionPlugin, Write } from './admission.ts';
import { valuesOf } from './admission-request.ts';
import { ConfigurationError, PolicyParams } from './policy-params.ts';
import { type Denial, failed, type Verdict, verdictOf } from './policy-verdict.ts';
import { matchedVersion, namespaceLabels } from './webhook-rules.ts';

const group = 'admissionregistration.k8s.io';
/** As with webhooks: other doors take objects of their own kinds. */
const doors = ['', 'status'];
const auditKey = 'validation.policy.admission.k8s.io/validation_failure';
const codes: Record<string, number> = { Forbidden: 403, RequestEntityTooLarge: 413 };

export interface PolicyOptions extends LiveSource {
  /** Every kind there is now. */
  allResources(): ResourceDefinition[];
}

/** Without a binding: the policy itself is not in order. */
interface Bound {
  policy: Policy & ApiObject;
  binding?: PolicyBinding & ApiObject;
}

/** A policy that is to judge a write as a binding wants it; or why it can't. */
type Case = Bound & ({ values: Values } | { problem: string });
type Judged = Bound & Verdict;

export function validatingPolicies(options: PolicyOptions): AdmissionPlugin {
  const policies = new Policies(options);
  return {
    name: 'ValidatingAdmissionPolicy',
    async validate(write) {
      const cases = await policies.for(write);
      if (cases.length > 0) enforce(judge(cases), write);
    },
  };
}

class Policies {
  readonly #policies: LiveObjects<Policy & ApiObject>;
  readonly #bindings: LiveObjects<PolicyBinding & ApiObject>;
  readonly #namespaces: LiveObjects;
  readonly #params: PolicyParams;
  readonly #allResources: () => ResourceDefinition[];

  constructor({ allResources, ...source }: PolicyOptions) {
    this.#policies = new LiveObjects(findResource(group, 'v1', 'validatingadmissionpolicies') as ResourceDefinition, source);
    this.#bindings = new LiveObjects(findResource(group, 'v1', 'validatingadmissionpolicybindings') as ResourceDefinition, source);
    this.#namespaces = new LiveObjects(namespaceTarget('').resource, source);
    this.#params = new PolicyParams(source, allResources);
    this.#allResources = allResources;
  }

  /** In the order of the policies' names. */
  async for(write: Write): Promise<Case[]> {
    const { resource, namespace } = write.target;
    if (resource.group === group || !doors.includes(write.subresource)) return [];
    await Promise.all([this.#policies.ready(), this.#bindings.ready()]);
    const bindings = byName(this.#bindings);
    if (bindings.length === 0) return [];
    await this.#namespaces.ready();
    const labels = namespaceLabels(write, this.#namespaces);
    const others = this.#allResources().filter((one) => one !== resource && prefixOfResource(one) === prefixOfResource(resource));
    const versionFor = (match: MatchResources = {}) => matchedVersion(match, write, labels, [resource, ...others]);
    const namespaceObject = celValue((namespace && this.#namespaces.get(undefined, namespace)) || null);
    const seen = new Map<ResourceDefinition, Values>();
    const cases: Case[] = [];
    for (const policy of byName(this.#policies)) {
      const version = versionFor(policy.spec.matchConstraints);
      const own = bindings.filter(({ spec }) => spec.policyName === policy.metadata.name);
      if (!version || own.length === 0) continue;
      const values = seen.get(version) ?? { ...valuesOf(write, version), namespaceObject };
      seen.set(version, values);
      const meant = own.filter(({ spec }) => versionFor(spec.matchResources));
      cases.push(...(await this.#casesOf(policy, meant, values, namespace)));
    }
    return cases;
  }

  /** Without a kind for its parameters, a policy refuses whatever it is about, even where no binding is meant. */
  async #casesOf(policy: Case['policy'], bindings: (PolicyBinding & ApiObject)[], values: Values, namespace?: string): Promise<Case[]> {
    try {
      const kind = this.#params.resourceOf(policy);
      const cases = await Promise.all(bindings.map((binding) => this.#casesOfBinding({ policy, binding }, kind, values, namespace)));
      return cases.flat();
    } catch (error) {
      return [{ policy, problem: problemIn('policy', error) }];
    }
  }

  /** One for each of the binding's parameters. */
  async #casesOfBinding(bound: Required<Bound>, kind: ResourceDefinition | undefined, values: Values, namespace?: string): Promise<Case[]> {
    try {
      const params = kind ? await this.#params.of(kind, bound.binding, namespace) : [null];
      return params.map((param) => ({ ...bound, values: { ...values, params: celValue(param) } }));
    } catch (error) {
      return [{ ...bound, problem: problemIn('binding', error) }];
    }
  }
}

function byName<T extends ApiObject>(objects: LiveObjects<T>): T[] {
  return objects.select('', () => true).map(({ object }) => object);
}

function problemIn(what: 'policy' | 'binding', error: unknown): string {
  if (error instanceof ConfigurationError) return `failed to configure ${what}: ${error.message}`;
  throw error;
}

function judge(cases: Case[]): Judged[] {
  const verdicts = eachWithinBudget(cases, (one) =>
    'problem' in one ? failed(one.policy, one.problem, { isFinal: true }) : verdictOf(one.policy, one.values),
  );
  return cases.flatMap(({ policy, binding }, index) => {
    const verdict = verdicts[index];
    if (!verdict) return [];
    const bound = { policy, ...(binding ? { binding } : {}) };
    return [{ ...bound, ...(verdict instanceof ExpressionFailure ? failed(policy, verdict.message) : verdict) }];
  });
}

/** Warns, writes down and refuses, as the bindings want it. Throws ApiError for the first denial that counts. */
function enforce(judged: Judged[], write: Write): void {
  const refusals = judged.flatMap(({ denials, ...bound }) =>
    denials.flatMap((denial) => {
      const { validationActions = [] } = bound.binding?.spec ?? {};
      if (denial.isFinal) return refusal(denial, bound, write);
      if (validationActions.includes('Warn')) write.warn(`Validation failed for ${called(bound)}: ${denial.message}`);
      if (validationActions.includes('Audit')) write.annotate(auditKey, JSON.stringify([failureIn(denial, bound)]));
      return validationActions.includes('Deny') ? refusal(denial, bound, write) : [];
    }),
  );
  for (const [key, values] of annotationsOf(judged)) write.annotate(key, [...values].join(', '));
  if (refusals[0]) throw refusals[0];
}

function called({ policy, binding }: Bound): string {
  return `ValidatingAdmissionPolicy '${policy.metadata.name}'${binding ? ` with binding '${binding.metadata.name}'` : ''}`;
}

function refusal({ message, reason }: Denial, bound: Bound, { target }: Write): ApiError {
  const why = `${called(bound)} denied request: ${message}`;
  const { status } = forbidden(target.resource, target.name, why, [{ message: why }]);
  return new ApiError({ ...status, reason, code: codes[reason] ?? 422 });
}

/** Kubernetes: ValidationFailureValue */
function failureIn({ message, index }: Denial, { policy, binding }: Bound) {
  const { validationActions } = binding?.spec ?? {};
  return { message, policy: policy.metadata.name, binding: binding?.metadata.name, expressionIndex: index, validationActions };
}

/** Several bindings may have something to say under the same key. */
function annotationsOf(judged: Judged[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { policy, annotations } of judged) {
    for (const [name, value] of annotations) {
      const key = `${policy.metadata.name}/${name}`;
      found.set(key, (found.get(key) ?? new Set()).add(value));
    }
  }
  return found;
}
