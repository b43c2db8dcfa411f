// What tests say about a cluster in its own words. A matcher that fails says what is, what was expected, why Kubernetes wants it
// so, and which section of the course explains it. Importing this file is enough to have them.

import { expect } from '@jest/globals';
import { keyOf, type Pod } from '#kit/api';

interface ClusterMatchers<R> {
  /** The pod's condition Ready is True, and nobody is deleting it. */
  toBeReady(): R;
  /** Of so many changes by several writers, as many arrived. The value is how many did. */
  toBeAllOf(changes: number): R;
}

declare module 'expect' {
  interface Matchers<R> extends ClusterMatchers<R> {}
}

/** Why a pod is not Ready, in the words of its own status; undefined when it is. */
export function whyNotReady(pod: Pod): string | undefined {
  if (pod.metadata?.deletionTimestamp) return 'it is being deleted';
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  const states = (pod.status?.containerStatuses ?? []).map(({ name, state }) => {
    const { reason, message } = state?.waiting ?? state?.terminated ?? {};
    return `container ${name} ${reason ? `is in ${reason}` : 'has no reason'}${message ? ` (${message})` : ''}`;
  });
  const node = pod.spec?.nodeName ? `on ${pod.spec.nodeName}` : 'on no node yet';
  return [`phase ${pod.status?.phase ?? 'none'}, ${node}`, ready?.message, ...states].filter(Boolean).join('; ');
}

expect.extend({
  toBeReady(received: unknown) {
    const pod = received as Pod;
    const reason = whyNotReady(pod);
    const expected = 'A pod is Ready when all its containers are; only then does a Service send it anything (stages 5.3 and 3.5).';
    return {
      pass: reason === undefined,
      message: () => `the pod ${keyOf(pod)} is ${reason === undefined ? 'Ready, and should not be' : `not Ready: ${reason}`}\n${expected}`,
    };
  },

  toBeAllOf(received: unknown, changes: number) {
    const arrived = Number(received);
    const lost = `${changes - arrived} of ${changes} changes were lost`;
    const expected =
      'Every writer that was told "done" must find its change in the object: compare the resourceVersion again each time (stage 2.3).';
    return {
      pass: arrived === changes,
      message: () => `${arrived === changes ? 'no change was lost, and one should be' : lost}\n${expected}`,
    };
  },
});
