// What a client should know although its request succeeds: kubectl prints it as `Warning: …`.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/filters/warning.go

import type { ServerResponse } from 'node:http';

/** Adds a warning to the answer, once, however often it is said. */
export function warn(response: ServerResponse, text: string): void {
  const said = [response.getHeader('warning') ?? []].flat();
  const warning = `299 - ${JSON.stringify(text)}`;
  if (!said.includes(warning)) response.appendHeader('warning', warning);
}
