// Sends random requests to an API server, some at a time, and tells what no request may lead to: no answer, an answer in no form, or a 500
// for which the server is to blame. Which requests those are depends on the seed alone; in what order they meet the objects, on the machine.

import { seededRandom } from '#kit/clock';
import { type HttpRequest, readText, type Transport } from '#kit/transport';
import { randomRequest } from './random-request.ts';

export interface FuzzOptions {
  transport: Transport;
  seed: number;
  requests: number;
  /** How many are under way at once. */
  parallel?: number;
  /** After each answer: how many there have been. */
  onProgress?: (answered: number) => void;
}

export interface Finding {
  request: HttpRequest;
  /** What was answered, or why nothing was. */
  answer: string;
}

export interface FuzzReport {
  findings: Finding[];
  /** How often each code was answered. */
  codes: Map<number, number>;
}

/** What upstream has no better code for, either: too large for etcd, or a node that has not said where it is. */
const notOurs = /etcdserver: request is too large|larger than max|no preferred addresses found/;
const keptFindings = 20;
const answersWithinMs = 30_000;

export async function fuzz({ transport, seed, requests, parallel = 8, onProgress = () => {} }: FuzzOptions): Promise<FuzzReport> {
  const random = seededRandom(seed);
  const report: FuzzReport = { findings: [], codes: new Map() };
  let sent = 0;
  let answered = 0;
  const loop = async () => {
    while (sent < requests && report.findings.length < keptFindings) {
      sent++;
      const request = randomRequest(random);
      const { code, problem } = await send(transport, request);
      report.codes.set(code, (report.codes.get(code) ?? 0) + 1);
      if (problem !== undefined) report.findings.push({ request, answer: problem });
      onProgress(++answered);
    }
  };
  await Promise.all(Array.from({ length: parallel }, loop));
  return report;
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
export function describeFinding({ request: { method, path, headers, body }, answer }: Finding): string {
  return `${method} ${path}\n  ${JSON.stringify(headers)}\n  ${String(body ?? '').slice(0, 2000)}\n  → ${answer}`;
}
