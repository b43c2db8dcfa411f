// What names may look like. Names become DNS names, host names and label values, so the rules are DNS's.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { invalidValue, required } from './field-errors.ts';

export interface NameRule {
  pattern: RegExp;
  maxLength: number;
  explanation: string;
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);
const regexUsed = (pattern: string) => `regex used for validation is '${pattern}'`;

/** Containers, namespaces. */
export const dnsLabel: NameRule = {
  pattern: whole(label),
  maxLength: 63,
  explanation:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
    `alphanumeric character (e.g. 'my-name',  or '123-abc', ${regexUsed(label)})`,
};

/** Services: a label that begins with a letter. */
export const dnsServiceLabel: NameRule = {
  pattern: whole('[a-z]([-a-z0-9]*[a-z0-9])?'),
  maxLength: 63,
  explanation:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end " +
    `with an alphanumeric character (e.g. 'my-name',  or 'abc-123', ${regexUsed('[a-z]([-a-z0-9]*[a-z0-9])?')})`,
};

/** Almost every object. */
export const dnsSubdomain: NameRule = {
  pattern: whole(subdomain),
  maxLength: 253,
  explanation:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with " +
    `an alphanumeric character (e.g. 'example.com', ${regexUsed(subdomain)})`,
};

export const labelValue: NameRule = {
  pattern: whole(`(${qualified})?`),
  maxLength: 63,
  explanation:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
    `alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', ${regexUsed(`(${qualified})?`)})`,
};

/** The part of a label's or annotation's key behind the slash. */
export const keyName: NameRule = {
  pattern: whole(qualified),
  maxLength: 63,
  explanation:
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
    `(e.g. 'MyName',  or 'my.name',  or '123-abc', ${regexUsed(qualified)})`,
};

/** RBAC's objects may be called `system:node`: they need only fit into a URL. */
export const pathSegment: NameRule = {
  pattern: /^(?!\.{1,2}$)[^/%]+$/,
  maxLength: 253,
  explanation: "may not be '.' or '..', and may not contain '/' or '%'",
};

/** Keys of ConfigMaps and Secrets: they become file names. */
export const dataKey: NameRule = {
  pattern: /^(?!\.\.?$)(?!\.\.)[-._a-zA-Z0-9]+$/,
  maxLength: 253,
  explanation:
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', " +
    `${regexUsed('[-._a-zA-Z0-9]+')})`,
};

export const environmentName: NameRule = {
  pattern: /^[^=\p{Cc}]+$/u,
  maxLength: Number.POSITIVE_INFINITY,
  explanation: "a valid environment variable name must consist only of printable ASCII characters other than '='",
};

/** Names of a container's or a Service's ports. */
export const portName: NameRule = {
  pattern: /^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  maxLength: 15,
  explanation:
    "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), at least one letter or number, no '--', and must not " +
    'begin or end with a hyphen',
};

/** One cause when the name breaks the rule, none when it keeps it. */
export function validateName(field: string, name: string, { pattern, maxLength, explanation }: NameRule): StatusCause[] {
  if (name.length > maxLength) return [invalidValue(field, name, `must be no more than ${maxLength} characters`)];
  return pattern.test(name) ? [] : [invalidValue(field, name, explanation)];
}

export function requireName(field: string, name: string | undefined, rule: NameRule): StatusCause[] {
  return name ? validateName(field, name, rule) : [required(field)];
}

/** Labels: `prefix/name` keys (the prefix a DNS subdomain, and not a must) and short values. */
export function validateLabels(field: string, labels: Record<string, string> = {}): StatusCause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...validateLabelKey(field, key),
    ...(typeof value === 'string' ? validateName(field, value, labelValue) : [invalidValue(field, value, 'must be a string')]),
  ]);
}

export function validateLabelKey(field: string, key = ''): StatusCause[] {
  const slash = key.indexOf('/');
  const prefix = key.slice(0, Math.max(slash, 0));
  const name = key.slice(slash + 1);
  const wrong = slash >= 0 && (!dnsSubdomain.pattern.test(prefix) || prefix.length > dnsSubdomain.maxLength) ? dnsSubdomain : keyName;
  const fits = wrong === keyName && keyName.pattern.test(name) && name.length <= keyName.maxLength;
  return fits ? [] : [invalidValue(field, key, wrong.explanation)];
}
