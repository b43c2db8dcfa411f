// A webhook that runs in the cluster: the service in front of it.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/util/webhook/validation.go, ValidateWebhookService

import type { ServiceReference } from 'kubernetes-types/admissionregistration/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { invalidValue, required } from './field-errors.ts';
import { dnsSubdomain, validateName } from './name-rules.ts';

export function validateWebhookService(
  { name, namespace, port = 443, path = '' }: Partial<ServiceReference>,
  field: string,
): StatusCause[] {
  const isPort = Number.isInteger(port) && port >= 1 && port <= 65535;
  return [
    ...(name ? [] : [required(`${field}.name`, 'service name is required')]),
    ...(namespace ? [] : [required(`${field}.namespace`, 'service namespace is required')]),
    ...(isPort ? [] : [invalidValue(`${field}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive')]),
    ...validatePath(path, `${field}.path`),
  ];
}

function validatePath(path: string, field: string): StatusCause[] {
  if (path === '' || path === '/') return [];
  const wrong = (why: string) => invalidValue(field, path, why);
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  const problemsOf = (segment: string, index: number) => {
    if (segment === '') return [wrong(`segment[${index}] may not be empty`)];
    return validateName(field, segment, dnsSubdomain).map(() => wrong(`segment[${index}]: ${dnsSubdomain.explanation}`));
  };
  return [...(path.startsWith('/') ? [] : [wrong("must start with a '/'")]), ...segments.flatMap(problemsOf)];
}
