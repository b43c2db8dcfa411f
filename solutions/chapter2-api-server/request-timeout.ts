// No request takes for ever: after a minute, or what the client asks for with `?timeout=`, it is answered that there will be no answer.
// What it set going may still happen.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/filters/request_deadline.go, pkg/server/filters/timeout.go

import type { Clock } from '#kit/clock';
import { ApiError, failure } from '#kit/status';
import { badRequest } from './errors.ts';

const milliseconds: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds that a request may take: what it asks for, and never more than the server allows. Throws for what is no duration. */
export function timeoutOf(query: URLSearchParams, most: number): number {
  const text = query.get('timeout');
  if (!text || text === '0') return most;
  if (!/^([\d.]+(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`);
  }
  const parts = [...text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)];
  const asked = parts.reduce((sum, [, amount, unit = 's']) => sum + Number(amount) * (milliseconds[unit] ?? 0), 0);
  return asked > 0 ? Math.min(asked, most) : most;
}

/** What `work` comes to, or 504 Timeout when it takes longer. */
export async function within<T>(ms: number, work: Promise<T>, clock: Clock): Promise<T> {
  const over = Promise.withResolvers<never>();
  const message = 'Timeout: request did not complete within the allotted timeout';
  const timer = clock.after(ms, () => over.reject(new ApiError(failure(504, 'Timeout', message))));
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    timer.cancel();
  }
}
