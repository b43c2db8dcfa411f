// Which names objects may have: each resource has one of the rules that stand in kinds/name-rules.ts, or one of its own.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { Random } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { dnsLabel, dnsServiceLabel, dnsSubdomain, type NameRule, pathSegment } from './kinds/name-rules.ts';
import type { ApiObject } from './object.ts';
import type { ResourceDefinition } from './resources.ts';

function ruleFor({ group, plural }: ResourceDefinition): NameRule {
  if (group === 'rbac.authorization.k8s.io') return pathSegment;
  if (group === '' && plural === 'namespaces') return dnsLabel;
  if (group === '' && plural === 'services') return dnsServiceLabel;
  return dnsSubdomain;
}

/**
 * What is wrong with an object's name; empty when nothing is. `field` is `metadata.name`, `reason` is `FieldValueRequired`
 * (no name at all) or `FieldValueInvalid`.
 */
export function nameProblems(resource: ResourceDefinition, object: ApiObject): StatusCause[] {
  throw new NotImplemented('2.1', 'Tell what is wrong with metadata.name: missing, too long, or against the rule of its resource');
}

/** Without vowels and look-alikes: no suffix spells a word, none is misread. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxGeneratedLength = 63;

/**
 * `web-` becomes `web-x7k2p`: the base, cut so that the whole has at most 63 characters, and five random ones of
 * `suffixAlphabet`.
 * Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/names/generate.go
 */
export function generateName(base: string, random: Random): string {
  throw new NotImplemented('2.3', 'Append five random characters to the base, which is cut where the name would exceed 63 characters');
}
