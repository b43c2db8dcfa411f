// One question to one webhook: an AdmissionReview goes out over HTTPS, and comes back with a response. Whatever goes wrong on the way is a
// WebhookFailure: what then becomes of the write, the webhook's failure policy says.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go, callHook

import { Readable } from 'node:stream';
import type { Status } from 'kubernetes-types/meta/v1';
import type { Clock, Random } from '#kit/clock';
import { readText } from '#kit/transport';
import { isObject } from '../json.ts';
import type { Webhook } from '../kinds/webhooks.ts';
import { type Open, open } from '../outgoing.ts';
import type { PodNetwork } from '../pod-network.ts';
import { serviceLocation } from '../proxy/service-location.ts';
import type { Storage } from '../storage.ts';

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

export interface WayToWebhooks {
  storage: Storage;
  podNetwork: PodNetwork;
  clock: Clock;
  random: Random;
}

/** @throws WebhookFailure */
export async function ask(
  { clientConfig, timeoutSeconds = 10 }: Webhook,
  request: { uid: string },
  { mayPatch, ...way }: WayToWebhooks & { mayPatch: boolean },
): Promise<AdmissionResponse> {
  const { origin, path, open } = addressOf(clientConfig, way);
  const body = Buffer.from(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request }));
  const deadline = new AbortController();
  const timer = way.clock.after(timeoutSeconds * 1000, () => deadline.abort());
  const asked = `${path}?timeout=${timeoutSeconds}s`;
  try {
    const headers = { ...given, 'content-length': body.length };
    const { answer } = await open({ method: 'POST', path: asked, headers, body: Readable.from([body]), signal: deadline.signal });
    const text = await readText(answer);
    const { statusCode: code } = answer;
    if (code !== 200) throw new WebhookFailure(`failed to call webhook: the server answered ${code}: ${text.slice(0, 200)}`);
    return readResponse(text, request.uid, mayPatch);
  } catch (error) {
    if (error instanceof WebhookFailure) throw error;
    const why = deadline.signal.aborted ? 'context deadline exceeded' : (error as Error).message;
    throw new WebhookFailure(`failed to call webhook: Post "${origin}${asked}": ${why}`);
  } finally {
    timer.cancel();
  }
}

const given = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kube-apiserver-admission' };

/** A URL, or a service, whose certificate is for the name that pods would call it by. */
function addressOf({ url, service, caBundle }: Webhook['clientConfig'], way: WayToWebhooks): { origin: string; path: string; open: Open } {
  const trust = caBundle ? { ca: Buffer.from(caBundle, 'base64').toString('utf8') } : {};
  if (service) {
    const { name, namespace, path = '/', port = 443 } = service;
    const host = `${name}.${namespace}.svc`;
    const locate = () => serviceLocation(namespace, { scheme: 'https', name, port: String(port) }, way);
    const open: Open = async (outgoing) => {
      const headers = { ...outgoing.headers, host: `${host}:${port}` };
      return way.podNetwork.open(await locate(), { ...outgoing, headers }, { ...trust, servername: host });
    };
    return { origin: `https://${host}:${port}`, path, open };
  }
  const { origin, pathname, hostname, port } = new URL(url ?? '');
  const place = { scheme: 'https', host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 443, ...trust } as const;
  return { origin, path: pathname, open: (outgoing) => open(place, outgoing) };
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
