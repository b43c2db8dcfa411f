// From a definition to resources: each version that is served becomes one more row of the table of resources, like any built-in one.
// That is all there is to a custom kind; the store, the watches, patches, tables and discovery do not know the difference.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go

import type { ResourceDefinition } from '../resources.ts';
import { customStrategy } from './custom-strategy.ts';
import { type Definition, isTrue, type Names, schemaOf, type Version } from './definition.ts';
import { columnsFrom } from './printer-columns.ts';
import { shapeOfKind } from './shape.ts';
import { conversionBetween } from './versions.ts';

/**
 * The resources that a definition makes: one for each version that is `served`, with the names in `status.acceptedNames`. There are none
 * before the condition `NamesAccepted` or `Established` is True. The version's `subresources` say which it has: `status`, `scale`.
 * `custom` holds what the version says of itself: its schema (`schemaOf`) and shape (`shapeOfKind`), columns, `selectableFields` (`.spec.color` becomes
 * `spec.color`), scale (`scaleOf`) and `deprecationOf`. Every version gets a `conversion` from and to the storage version. While the condition `Terminating`
 * is True, so is `isTerminating`.
 *
 * @exercise 2.11 Make a resource of each version that is served
 */
export function resourcesOf(definition: Definition): ResourceDefinition[] {
  const { spec, status } = definition;
  const names = status?.acceptedNames;
  const stored = spec.versions.find((version) => version.storage);
  if (!names || !stored || !(isTrue(definition, 'NamesAccepted') || isTrue(definition, 'Established'))) return [];
  const served = spec.versions.filter((version) => version.served);
  return served.map((version) => ({
    group: spec.group,
    version: version.name,
    ...wordsOf(names),
    namespaced: spec.scope === 'Namespaced',
    subresources: ['status', 'scale'].filter((name) => name in (version.subresources ?? {})),
    conversion: conversionBetween(version, stored, spec.group),
    custom: {
      listKind: names.listKind ?? `${names.kind}List`,
      schema: schemaOf(version),
      shape: shapeOfKind(schemaOf(version)),
      strategy: customStrategy(version, stored),
      columns: columnsFrom(version.additionalPrinterColumns),
      selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
      ...scaleOf(version),
      ...deprecationOf(version, definition),
      isTerminating: isTrue(definition, 'Terminating'),
    },
  }));
}

function wordsOf({ kind, plural, singular, shortNames = [], categories = [] }: Names) {
  return { kind, plural, singular: singular ?? kind.toLowerCase(), shortNames, categories };
}

/** Kubernetes: defaultDeprecationWarning */
function deprecationOf(version: Version, { spec }: Definition) {
  if (!version.deprecated) return {};
  const better = spec.versions
    .filter((other) => other.served && !other.deprecated && compareVersions(other.name, version.name) < 0)
    .map(({ name }) => name)
    .sort(compareVersions)[0];
  const called = (name: string) => `${spec.group}/${name} ${spec.names.kind}`;
  const instead = better === undefined ? '' : `; use ${called(better)}`;
  return { deprecation: version.deprecationWarning ?? `${called(version.name)} is deprecated${instead}` };
}

function scaleOf({ subresources }: Version) {
  return subresources?.scale ? { scale: subresources.scale } : {};
}

/**
 * Best first, as clients should prefer them: `v2`, `v1`, `v1beta2`, `v1beta1`, `v3alpha1`, and then all other names by the alphabet.
 * Kubernetes: staging/src/k8s.io/apimachinery/pkg/version/helpers.go, CompareKubeAwareVersionStrings
 */
export function compareVersions(one: string, other: string): number {
  const [ofOne, ofOther] = [rankOf(one), rankOf(other)];
  const difference = ofOne.map((rank, index) => (ofOther[index] ?? 0) - rank).find((by) => by !== 0);
  return difference ?? (one < other ? -1 : one > other ? 1 : 0);
}

function rankOf(version: string): number[] {
  const [, major, stage, minor] = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version) ?? [];
  if (major === undefined) return [0, 0, 0];
  return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor ?? 0)];
}
