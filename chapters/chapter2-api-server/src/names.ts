// Which names objects may have. Names become DNS names, container names and file names, so DNS's rules are everybody's.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { Random } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import type { ApiObject } from './object.ts';
import type { ResourceDefinition } from './resources.ts';

interface NameRule {
  pattern: RegExp;
  maxLength: number;
  explanation: string;
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const serviceLabel = '[a-z]([-a-z0-9]*[a-z0-9])?';

const subdomainRule: NameRule = {
  pattern: new RegExp(`^${subdomain}$`),
  maxLength: 253,
  explanation:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
    `alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`,
};

const labelRule: NameRule = {
  pattern: new RegExp(`^${label}$`),
  maxLength: 63,
  explanation:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric " +
    `character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`,
};

const serviceRule: NameRule = {
  pattern: new RegExp(`^${serviceLabel}$`),
  maxLength: 63,
  explanation:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an " +
    `alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${serviceLabel}')`,
};

/** RBAC's objects may be called `system:node`: they need only fit into a URL. */
const pathSegmentRule: NameRule = {
  pattern: /^(?!\.{1,2}$)[^/%]+$/,
  maxLength: 253,
  explanation: "may not be '.' or '..', and may not contain '/' or '%'",
};

function ruleFor({ group, plural }: ResourceDefinition): NameRule {
  if (group === 'rbac.authorization.k8s.io') return pathSegmentRule;
  if (group === '' && plural === 'namespaces') return labelRule;
  if (group === '' && plural === 'services') return serviceRule;
  return subdomainRule;
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
