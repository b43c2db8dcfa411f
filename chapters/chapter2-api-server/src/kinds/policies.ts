// Admission policies: rules about writes that are objects themselves. A policy says what must be true; a binding says where it counts, with
// which parameters, and what happens to a write of which it is not true.
// Kubernetes: pkg/apis/admissionregistration/v1/defaults.go and pkg/apis/admissionregistration/validation/validation.go

import type {
  AuditAnnotation,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
  Variable,
} from 'kubernetes-types/admissionregistration/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { aboutWrites } from '../admission/admission-request.ts';
import type { Language } from '../expressions.ts';
import { duplicateValue, forbiddenField, invalidValue, required, unsupportedValue } from './field-errors.ts';
import { validateExpression, validateMatchConditions } from './match-conditions.ts';
import { type MatchResources, setMatchDefaults, validateMatchResources } from './match-resources.ts';
import { dnsServiceLabel, dnsSubdomain, pathSegment, requireName, validateLabelKey, validateName } from './name-rules.ts';
import { oneOf } from './pod-validation.ts';
import type { KindStrategy } from './strategy.ts';

export type Policy = ValidatingAdmissionPolicy & { spec: { matchConstraints?: MatchResources } };
export type PolicyBinding = ValidatingAdmissionPolicyBinding & { spec: { matchResources?: MatchResources } };
type PolicySpec = Policy['spec'];

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const actions = ['Audit', 'Deny', 'Warn'];
const mostAnnotations = 20;
const longestValueExpression = 5 * 1024;
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reserved =
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' ');

export const policies: KindStrategy<Policy> = {
  setDefaults(policy) {
    // What is missing in it is told by field.
    policy.spec ??= {};
    policy.spec.failurePolicy ??= 'Fail';
    if (policy.spec.matchConstraints) setMatchDefaults(policy.spec.matchConstraints);
  },

  validate({ metadata, spec }) {
    const { failurePolicy, paramKind, matchConstraints, matchConditions = [], validations = [], auditAnnotations = [] } = spec;
    const language = paramKind ? aboutWrites.with({ params: 'dyn' }) : aboutWrites;
    const variables = validateVariables(spec, language);
    const nothing = 'validations or auditAnnotations must contain at least one item';
    const hasNone = validations.length === 0 && auditAnnotations.length === 0;
    return [
      ...oneOf('spec.failurePolicy', failurePolicy, ['Fail', 'Ignore']),
      ...(paramKind ? validateParamKind(paramKind, 'spec.paramKind') : []),
      ...(matchConstraints ? validateMatchResources(matchConstraints, 'spec.matchConstraints') : [required('spec.matchConstraints')]),
      ...(matchConstraints && !matchConstraints.resourceRules?.length ? [required('spec.matchConstraints.resourceRules')] : []),
      ...validateMatchConditions(matchConditions, 'spec.matchConditions', language),
      ...variables.causes,
      ...(hasNone ? [required('spec.validations', nothing), required('spec.auditAnnotations', nothing)] : []),
      ...validations.flatMap((validation, index) => validateValidation(validation, `spec.validations[${index}]`, variables.language)),
      ...validateAnnotations(auditAnnotations, metadata?.name ?? '', variables.language),
    ];
  },
};

/** What is wrong with the variables, and the language that they make: each is known to those after it. */
function validateVariables({ variables = [] }: PolicySpec, base: Language): { causes: StatusCause[]; language: Language } {
  const types: Record<string, string> = {};
  const causes: StatusCause[] = [];
  let language = base;
  for (const [index, { name, expression }] of variables.entries()) {
    const field = `spec.variables[${index}]`;
    causes.push(...validateVariable({ name, expression }, field));
    if (!isIdentifier(name) || !expression?.trim()) continue;
    const checked = language.check(expression);
    if ('why' in checked) causes.push(invalidValue(`${field}.expression`, expression, checked.why));
    types[name] = 'type' in checked ? checked.type : 'dyn';
    language = base.with({ variables: { ...types } });
  }
  return { causes, language };
}

function validateVariable({ name, expression }: Variable, field: string): StatusCause[] {
  const invalid = [invalidValue(`${field}.name`, name, 'name is not a valid CEL identifier')];
  return [
    ...(!name?.trim() ? [required(`${field}.name`, 'name is not specified')] : isIdentifier(name) ? [] : invalid),
    ...(expression?.trim() ? [] : [required(`${field}.expression`, 'expression is not specified')]),
  ];
}

function isIdentifier(name: string): boolean {
  return identifier.test(name) && !reserved.includes(name);
}

function validateValidation(
  { expression, message, messageExpression, reason }: Validation,
  field: string,
  language: Language,
): StatusCause[] {
  const isBlank = messageExpression !== undefined && messageExpression !== '' && !messageExpression.trim();
  return [
    ...(expression?.trim()
      ? validateExpression(expression, `${field}.expression`, language, 'bool')
      : [required(`${field}.expression`, 'expression is not specified')]),
    ...(isBlank ? [invalidValue(`${field}.messageExpression`, messageExpression, 'must be non-empty if specified')] : []),
    ...(messageExpression?.trim() ? validateExpression(messageExpression, `${field}.messageExpression`, language, 'string') : []),
    ...(message && !message.trim() ? [invalidValue(`${field}.message`, message, 'message must be non-empty if specified')] : []),
    ...(message && /[\n\r]/.test(message.trim())
      ? [invalidValue(`${field}.message`, message, 'message must not contain line breaks')]
      : []),
    ...oneOf(`${field}.reason`, reason, reasons),
  ];
}

function validateAnnotations(annotations: AuditAnnotation[], policy: string, language: Language): StatusCause[] {
  const at = 'spec.auditAnnotations';
  const keys = annotations.map(({ key }) => key);
  const tooMany = `must not have more than ${mostAnnotations} auditAnnotations`;
  const tooLong = `must not exceed ${longestValueExpression} bytes in length`;
  return [
    ...(annotations.length > mostAnnotations ? [invalidValue(at, annotations, tooMany)] : []),
    ...annotations.flatMap(({ key, valueExpression = '' }, index) => [
      ...validateLabelKey(`${at}[${index}].key`, `${policy}/${key}`),
      ...(valueExpression.trim() ? [] : [required(`${at}[${index}].valueExpression`, 'valueExpression is not specified')]),
      ...(valueExpression.length > longestValueExpression ? [required(`${at}[${index}].valueExpression`, tooLong)] : []),
      ...(valueExpression.trim() ? validateExpression(valueExpression, `${at}[${index}].valueExpression`, language, 'string', 'null') : []),
      ...(keys.indexOf(key) < index ? [duplicateValue(`${at}[${index}].key`, key)] : []),
    ]),
  ];
}

function validateParamKind({ apiVersion = '', kind = '' }: ParamKind, field: string): StatusCause[] {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const ofAnyCase = { ...dnsServiceLabel, explanation: `may have mixed case, but should otherwise match: ${dnsServiceLabel.explanation}` };
  return [
    ...(apiVersion ? [] : [required(`${field}.apiVersion`)]),
    ...(apiVersion.split('/').length > 2
      ? [invalidValue(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
      : [
          ...(group ? validateName(`${field}.apiVersion`, group, dnsSubdomain) : []),
          ...(version ? validateName(`${field}.apiVersion`, version, dnsServiceLabel) : []),
        ]),
    ...requireName(`${field}.kind`, kind.toLowerCase(), ofAnyCase),
  ];
}

export const policyBindings: KindStrategy<PolicyBinding> = {
  setDefaults(binding) {
    binding.spec ??= {};
    if (binding.spec.matchResources) setMatchDefaults(binding.spec.matchResources);
  },

  validate({ spec: { policyName, paramRef, matchResources, validationActions = [] } }) {
    return [
      ...requireName('spec.policyName', policyName, dnsSubdomain),
      ...(paramRef ? validateParamRef(paramRef, 'spec.paramRef') : []),
      ...(matchResources ? validateMatchResources(matchResources, 'spec.matchResources') : []),
      ...validateActions(validationActions, 'spec.validationActions'),
    ];
  },
};

function validateParamRef({ name, selector, parameterNotFoundAction: action }: ParamRef, field: string): StatusCause[] {
  const both = 'name and selector are mutually exclusive';
  return [
    ...(name ? validateName(`${field}.name`, name, pathSegment) : []),
    ...(name && selector ? [forbiddenField(`${field}.name`, both)] : []),
    ...(name && selector ? [forbiddenField(`${field}.selector`, both)] : []),
    ...(name || selector ? [] : [required(field, 'one of name or selector must be specified')]),
    ...(action ? oneOf(`${field}.parameterNotFoundAction`, action, ['Deny', 'Allow']) : [required(`${field}.parameterNotFoundAction`)]),
  ];
}

function validateActions(given: string[], field: string): StatusCause[] {
  const twice =
    'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
  return [
    ...given.flatMap((action, index) => [
      ...(actions.includes(action) ? [] : [unsupportedValue(`${field}[${index}]`, action, actions)]),
      ...(given.indexOf(action) < index ? [duplicateValue(`${field}[${index}]`, action)] : []),
    ]),
    ...(given.includes('Deny') && given.includes('Warn') ? [invalidValue(field, given, twice)] : []),
    ...(given.length === 0 ? [required(field, 'at least one validation action is required')] : []),
  ];
}
