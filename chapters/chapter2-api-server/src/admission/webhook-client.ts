// One question to one webhook: an AdmissionReview goes out over HTTPS, and comes back with a response. Whatever goes wrong on the way is a
// WebhookFailure: what then becomes of the write, the webhook's failure policy says.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go, callHook

import type { Status } from 'kubernetes-types/meta/v1';
import type { Clock } from '#kit/clock';
import { readText, Transport } from '#kit/transport';
import { isObject } from '../json.ts';
import type { Webhook } from '../kinds/webhooks.ts';

export interface AdmissionResponse {
  uid: string;
  allowed: boolean;
  status?: Status;
  /** base64 of a JSON patch */
  patch?: string;
  patchType?: string;
  warnings?: string[];
}

/** The webhook gave no answer that could be understood. */
export class WebhookFailure extends Error {}

/** @throws WebhookFailure */
export async function ask(
  { clientConfig, timeoutSeconds = 10 }: Webhook,
  request: { uid: string },
  { mayPatch, clock }: { mayPatch: boolean; clock: Clock },
): Promise<AdmissionResponse> {
  const { url, caBundle } = clientConfig;
  if (url === undefined) {
    throw new WebhookFailure('failed to call webhook: this API server is not in the pods’ network, and calls webhooks by their URL only');
  }
  const { origin, pathname } = new URL(url);
  const path = `${pathname}?timeout=${timeoutSeconds}s`;
  const body = JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request });
  const deadline = new AbortController();
  const timer = clock.after(timeoutSeconds * 1000, () => deadline.abort());
  const transport = new Transport(origin, caBundle ? { ca: Buffer.from(caBundle, 'base64').toString('utf8') } : undefined);
  try {
    const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kube-apiserver-admission' };
    const answer = await transport.send({ method: 'POST', path, headers, body, signal: deadline.signal });
    const text = await readText(answer.body);
    if (answer.code !== 200) throw new WebhookFailure(`failed to call webhook: the server answered ${answer.code}: ${text.slice(0, 200)}`);
    return readResponse(text, request.uid, mayPatch);
  } catch (error) {
    if (error instanceof WebhookFailure) throw error;
    const why = deadline.signal.aborted ? 'context deadline exceeded' : (error as Error).message;
    throw new WebhookFailure(`failed to call webhook: Post "${origin}${path}": ${why}`);
  } finally {
    timer.cancel();
    transport.close();
  }
}

function readResponse(text: string, uid: string, mayPatch: boolean): AdmissionResponse {
  const invalid = (why: string) => new WebhookFailure(`received invalid webhook response: ${why}`);
  const { response } = parse(text);
  if (!isObject(response)) throw invalid('webhook response was absent');
  const { uid: answered = '', allowed, patch, patchType } = response as Partial<AdmissionResponse>;
  if (answered !== uid) throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(answered)}`);
  if (patch && !mayPatch) throw invalid('validating webhook may not return response.patch');
  if (patch && !patchType) throw invalid('webhook returned response.patch but not response.patchType');
  if (patch && patchType !== 'JSONPatch') throw new WebhookFailure(`unsupported patch type ${JSON.stringify(patchType)}`);
  return { ...(response as unknown as AdmissionResponse), allowed: allowed === true };
}

function parse(text: string): { response?: unknown } {
  try {
    const review: unknown = JSON.parse(text);
    return isObject(review) ? review : {};
  } catch (error) {
    throw new WebhookFailure(`failed to call webhook: the answer is not JSON: ${(error as Error).message}`);
  }
}
