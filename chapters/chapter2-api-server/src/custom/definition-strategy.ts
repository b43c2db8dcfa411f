// What is special to CustomResourceDefinitions: defaults of names, what makes a definition valid, and the finalizer that lets the objects
// of the kind go first.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go,
// .../pkg/registry/customresourcedefinition

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { ExpressionFailure } from '../expressions.ts';
import { forbiddenField, immutable, invalidValue, required, unsupportedValue } from '../kinds/field-errors.ts';
import { dnsServiceLabel, dnsSubdomain, type NameRule, requireName, validateName } from '../kinds/name-rules.ts';
import type { KindStrategy } from '../kinds/strategy.ts';
import { withinBudget } from '../time-budget.ts';
import { cleanupFinalizer, type Definition, isTrue, type Names, schemaOf, type Version } from './definition.ts';
import { parseJsonPath } from './json-path.ts';
import { ruleDefinitionProblems } from './rule-definitions.ts';
import { type Schema, withoutNulls } from './schema.ts';
import { shapeProblems } from './schema-shape.ts';
import { structuralProblems } from './structural.ts';

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
/** Groups of Kubernetes' own: a kind there must say who has approved of it. */
const protectedGroup = /(^|\.)(k8s|kubernetes)\.io$/;
const approval = 'api-approved.kubernetes.io';

export const customResourceDefinitions: KindStrategy<Definition> = {
  setDefaults(definition) {
    // What is missing in it is told by field.
    definition.spec ??= {} as Definition['spec'];
    const { spec } = definition;
    spec.versions ??= [];
    spec.names ??= {} as Names;
    const { names } = spec;
    if (names.kind) {
      names.singular ||= names.kind.toLowerCase();
      names.listKind ||= `${names.kind}List`;
    }
    spec.conversion ??= { strategy: 'None' };
    for (const { schema } of spec.versions)
      if (schema?.openAPIV3Schema) Object.assign(schema, { openAPIV3Schema: withoutNulls(schema.openAPIV3Schema as Schema) });
  },

  validate(definition, old) {
    const { metadata, spec } = definition;
    const expectedName = `${spec.names.plural}.${spec.group}`;
    return [
      ...(metadata.name === expectedName ? [] : [invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group')]),
      ...groupProblems(definition),
      ...scopeProblems(spec.scope),
      ...nameProblems(spec.names),
      ...versionProblems(spec.versions),
      ...conversionProblems(definition),
      ...(old ? changeProblems(definition, old) : []),
    ];
  },

  prepareForDelete(definition) {
    const { finalizers = [] } = definition.metadata;
    if (finalizers.includes(cleanupFinalizer)) return definition;
    return { ...definition, metadata: { ...definition.metadata, finalizers: [...finalizers, cleanupFinalizer] } };
  },
};

function groupProblems({ metadata, spec: { group } }: Definition): StatusCause[] {
  if (!group) return [required('spec.group')];
  if (!group.includes('.')) return [invalidValue('spec.group', group, 'should be a domain with at least one dot')];
  if (protectedGroup.test(group) && !metadata.annotations?.[approval]) {
    const why = `protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`;
    return [required(`metadata.annotations[${approval}]`, why)];
  }
  return validateName('spec.group', group, dnsSubdomain);
}

function scopeProblems(scope: string): StatusCause[] {
  if (!scope) return [required('spec.scope')];
  return scope === 'Cluster' || scope === 'Namespaced' ? [] : [unsupportedValue('spec.scope', scope, ['Cluster', 'Namespaced'])];
}

function nameProblems({ plural, singular, kind, listKind, shortNames = [], categories = [] }: Names): StatusCause[] {
  const ofAnyCase = { ...dnsServiceLabel, explanation: `may have mixed case, but should otherwise match: ${dnsServiceLabel.explanation}` };
  const kindProblems = (field: string, name: string | undefined) => {
    const problems = requireName(field, name?.toLowerCase(), ofAnyCase);
    return problems.map((problem) => (name ? invalidValue(field, name, ofAnyCase.explanation) : problem));
  };
  const each = (field: string, words: string[], rule: NameRule) =>
    words.flatMap((word, index) => validateName(`${field}[${index}]`, word, rule));
  return [
    ...requireName('spec.names.plural', plural, dnsServiceLabel),
    ...requireName('spec.names.singular', singular, dnsServiceLabel),
    ...kindProblems('spec.names.kind', kind),
    ...kindProblems('spec.names.listKind', listKind),
    ...each('spec.names.shortNames', shortNames, dnsServiceLabel),
    ...each('spec.names.categories', categories, dnsServiceLabel),
    ...(kind && kind === listKind ? [invalidValue('spec.names.listKind', listKind, 'kind and listKind may not be the same')] : []),
  ];
}

function versionProblems(versions: Version[]): StatusCause[] {
  const names = versions.map(({ name }) => name);
  const invalid = (detail: string) => invalidValue('spec.versions', names, detail);
  return [
    ...versions.flatMap((version, index) => requireName(`spec.versions[${index}].name`, version.name, dnsServiceLabel)),
    ...(new Set(names).size === names.length ? [] : [invalid('must contain unique version names')]),
    ...(versions.filter(({ storage }) => storage).length === 1 ? [] : [invalid('must have exactly one version marked as storage version')]),
    ...versions.flatMap((version, index) => [
      ...schemaOfVersionProblems(version, placeOf(versions, index, 'schema', 'validation')),
      ...columnProblems(version, placeOf(versions, index, 'additionalPrinterColumns', 'additionalPrinterColumns')),
      ...scaleProblems(version, placeOf(versions, index, 'subresources', 'subresources')),
    ]),
  ];
}

/** What all versions share stands at the top of the spec, for whoever made these messages: so it was before there were versions. */
function placeOf(versions: Version[], index: number, field: string, shared: string): string {
  return versions.length === 1 ? `spec.${shared}` : `spec.versions[${index}].${field}`;
}

function schemaOfVersionProblems(version: Version, path: string): StatusCause[] {
  const schema = version.schema?.openAPIV3Schema;
  if (!schema) return [required(`${path.replace('spec.validation', 'spec.versions[0].schema')}.openAPIV3Schema`, 'schemas are required')];
  const at = `${path}.openAPIV3Schema`;
  const misshapen = shapeProblems(schema, at);
  if (misshapen.length > 0) return misshapen;
  // Its defaults are compared with its patterns.
  const problems = withinBudget(() => structuralProblems(schemaOf(version), at));
  if (problems instanceof ExpressionFailure) return [invalidValue(at, '', problems.why)];
  return problems.length > 0 ? problems : ruleDefinitionProblems(schemaOf(version), at);
}

function columnProblems({ additionalPrinterColumns = [] }: Version, path: string): StatusCause[] {
  return additionalPrinterColumns.flatMap(({ name, type, jsonPath }, index) => [
    ...(name ? [] : [required(`${path}[${index}].name`)]),
    ...(columnTypes.includes(type) ? [] : [invalidValue(`${path}[${index}].type`, type ?? '', `must be one of ${columnTypes.join(',')}`)]),
    ...pathProblems(`${path}[${index}].JSONPath`, jsonPath),
  ]);
}

function scaleProblems({ subresources }: Version, path: string): StatusCause[] {
  if (!subresources?.scale) return [];
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = subresources.scale;
  const under = (field: string, text: string | undefined, roots: RegExp, expected: string) => {
    const problems = pathProblems(`${path}.scale.${field}`, text);
    if (problems.length > 0 || roots.test(text ?? '')) return problems;
    return [invalidValue(`${path}.scale.${field}`, text, `should be a json path under ${expected}`)];
  };
  return [
    ...under('specReplicasPath', specReplicasPath, /^\.spec\./, '.spec'),
    ...under('statusReplicasPath', statusReplicasPath, /^\.status\./, '.status'),
    ...(labelSelectorPath ? under('labelSelectorPath', labelSelectorPath, /^\.(spec|status)\./, 'either .spec or .status') : []),
  ];
}

function pathProblems(field: string, path: string | undefined): StatusCause[] {
  if (!path) return [required(field)];
  return path.startsWith('.') && parseJsonPath(path) ? [] : [invalidValue(field, path, 'must be a simple json path starting with .')];
}

function conversionProblems({ spec }: Definition): StatusCause[] {
  const { strategy } = spec.conversion ?? {};
  const preserved = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [
    ...(spec.preserveUnknownFields ? [invalidValue('spec.preserveUnknownFields', true, preserved)] : []),
    ...(strategy === 'Webhook' ? [forbiddenField('spec.conversion.strategy', 'this API server calls no conversion webhooks')] : []),
    ...(strategy === 'None' || strategy === 'Webhook' ? [] : [unsupportedValue('spec.conversion.strategy', strategy, ['None', 'Webhook'])]),
  ];
}

/** Objects may be stored already, under the names and in the versions of before. */
function changeProblems({ spec }: Definition, old: Definition): StatusCause[] {
  const stored = old.status?.storedVersions ?? [];
  const versions = spec.versions.map(({ name }) => name);
  return [
    ...immutable('spec.group', spec.group, old.spec.group),
    ...immutable('spec.names.plural', spec.names.plural, old.spec.names.plural),
    ...(isTrue(old, 'Established') ? immutable('spec.scope', spec.scope, old.spec.scope) : []),
    ...(isTrue(old, 'Established') ? immutable('spec.names.kind', spec.names.kind, old.spec.names.kind) : []),
    ...stored.flatMap((name, index) =>
      versions.includes(name) ? [] : [invalidValue(`status.storedVersions[${index}]`, name, 'must appear in spec.versions')],
    ),
  ];
}
