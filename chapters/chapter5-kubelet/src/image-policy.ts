// When to pull an image.
// Kubernetes: pkg/kubelet/images/image_manager.go, pkg/apis/core/v1/defaults.go

import type { Container } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';

export type PullDecision = 'pull' | 'use' | 'never';

/**
 * `Always` pulls. `IfNotPresent` pulls when the machine doesn't have the image. `Never` never does: a missing image is then an error
 * (`'never'`). Without a policy it is `Always` for the tag `latest` (which an image without tag and digest has too), else `IfNotPresent`.
 */
export function pullDecision({ image = '', imagePullPolicy }: Container, present: boolean): PullDecision {
  throw new NotImplemented('5.2', 'Decide from the policy, the tag and what is here');
}

/** Undefined when the image is given by digest only. A colon before the last slash belongs to the registry's port. */
function tagOf(image: string): string | undefined {
  const [name = '', digest] = image.split('@', 2);
  const tag = name.slice(name.lastIndexOf('/') + 1).split(':')[1];
  return tag ?? (digest ? undefined : 'latest');
}

/**
 * Whether the text can name an image at all: registry and path in lower case, then perhaps a tag or digest.
 * Kubernetes: github.com/distribution/reference
 */
export function isImageName(image: string): boolean {
  const part = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
  const registry = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\\d+)?/)?';
  return new RegExp(`^${registry}${part}(?:/${part})*(?::[\\w][\\w.-]{0,127})?(?:@[a-z0-9+.-]+:[0-9a-fA-F]{32,})?$`).test(image);
}
