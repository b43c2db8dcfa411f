// Sends random requests to an API server, some at a time, and tells what no request may lead to: no answer, an answer in no form, or a 500
// for which the server is to blame. Which requests those are depends on the seed alone; in what order they meet the objects, on the machine.

import { seededRandom } from '#kit/clock';
import type { ClientTls } from '#kit/component';
import { type HttpRequest, readText, Transport } from '#kit/transport';
import { type Delivery, deliver, isOwedAnAnswer } from './deliver.ts';
import { randomDelivery, randomRequest } from './random-request.ts';

export interface FuzzOptions {
  url: string;
  /** Who asks. */
  tls: ClientTls;
  seed: number;
  requests: number;
  /** How many are under way at once. */
  parallel?: number;
  /** After each answer: how many there have been. */
  onProgress?: (answered: number) => void;
  /** At once, for a run may be cut short. */
  onFinding?: (finding: Finding) => void;
  /** Ends the run early, with what there is by then. */
  signal?: AbortSignal;
}

export interface Finding {
  request: HttpRequest;
  /** Absent: as usual. */
  delivery?: Delivery | undefined;
  /** What was answered, or why nothing was. */
  answer: string;
}

export interface FuzzReport {
  answered: number;
  findings: Finding[];
  /** How often each code was answered; 0 where there was no answer. */
  codes: Map<number, number>;
}

/** What upstream has no better code for, either: too large for etcd, or a node that has not said where it is. */
const notOurs = /etcdserver: request is too large|larger than max|no preferred addresses found/;
const keptFindings = 20;
const answersWithinMs = 30_000;

export async function fuzz({ url, tls, seed, requests, parallel = 8, onProgress, onFinding, signal }: FuzzOptions): Promise<FuzzReport> {
  const random = seededRandom(seed);
  const transport = new Transport(url, tls);
  const report: FuzzReport = { answered: 0, findings: [], codes: new Map() };
  let sent = 0;
  const loop = async () => {
    while (sent < requests && report.findings.length < keptFindings && !signal?.aborted) {
      sent++;
      const request = randomRequest(random);
      const delivery = randomDelivery(request, random);
      const { code, problem } = await (delivery ? sendOddly(url, tls, request, delivery) : send(transport, request));
      report.answered++;
      report.codes.set(code, (report.codes.get(code) ?? 0) + 1);
      if (problem !== undefined) {
        const finding = { request, delivery, answer: problem };
        report.findings.push(finding);
        onFinding?.(finding);
      }
      onProgress?.(report.answered);
    }
  };
  try {
    await Promise.all(Array.from({ length: parallel }, loop));
  } finally {
    transport.close();
  }
  return report;
}

async function sendOddly(
  url: string,
  tls: ClientTls,
  request: HttpRequest,
  delivery: Delivery,
): Promise<{ code: number; problem?: string }> {
  try {
    const { code = 0, text } = await deliver(url, tls, request, delivery, AbortSignal.timeout(answersWithinMs));
    if (code === 500 && !notOurs.test(text)) return { code, problem: text.slice(0, 1000) };
    if (code === 0 && isOwedAnAnswer(delivery)) return { code, problem: `closed without an answer ${text.slice(0, 200)}` };
    return { code };
  } catch (error) {
    return { code: 0, problem: String(error) };
  }
}

async function send(transport: Transport, request: HttpRequest): Promise<{ code: number; problem?: string }> {
  try {
    const { code, headers, body } = await transport.send({ ...request, signal: AbortSignal.timeout(answersWithinMs) });
    const goesOn = code === 200 && /[?&]watch=|[?&]follow=|\/(log|exec|attach|portforward|proxy)\b/.test(request.path);
    if (goesOn) {
      body.destroy();
      return { code };
    }
    const text = await readText(body);
    // The answer to a HEAD has no words that say why: ask for them.
    if (code === 500 && request.method === 'HEAD') return send(transport, { ...request, method: 'GET' });
    if (code === 500 && !notOurs.test(text)) return { code, problem: `500 ${text.slice(0, 1000)}` };
    const isJson = headers['content-type']?.startsWith('application/json') && request.method !== 'HEAD';
    if (isJson) JSON.parse(text);
    return { code };
  } catch (error) {
    return { code: 0, problem: String(error) };
  }
}

/** `POST /api/v1/pods` with its headers and body, and what came back. */
export function describeFinding({ request: { method, path, headers, body }, delivery, answer }: Finding): string {
  const how = delivery ? `\n  ${delivery.how}, ${delivery.share}` : '';
  return `${method} ${path}${how}\n  ${JSON.stringify(headers)}\n  ${String(body ?? '').slice(0, 2000)}\n  → ${answer}`;
}
