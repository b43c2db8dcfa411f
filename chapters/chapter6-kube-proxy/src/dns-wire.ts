// DNS messages: taking queries apart and putting answers together. Over TCP each message has its length, two bytes, in front.
// A message that cannot be read throws nothing here: it is a value that says so.
// RFC 1035 (messages), RFC 6891 (EDNS: larger UDP answers)

import * as dns from 'dns-packet';
import type { Question } from './dns-records.ts';

const headerBytes = 12;
const responseFlag = 0x8000;
/** What may be sent over UDP to somebody who did not say that more is welcome. */
const plainUdpBytes = 512;
/** What we say is welcome: it passes everywhere without being cut into fragments. */
const udpPayloadSize = 1_232;

export const responseCodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const;
export type ResponseCode = keyof typeof responseCodes;

export interface Query {
  id: number;
  question: Question & { class: string };
  recursionDesired: boolean;
  /** The longest answer that may be sent over UDP. */
  udpBytes: number;
  speaksEdns: boolean;
}

/** A query; or why it is none: `ignore` for what must not be answered at all, else the code to answer with. */
export function readQuery(message: Buffer): Query | 'ignore' | 'FORMERR' | 'NOTIMP' {
  // Answering an answer is how two servers talk to each other for ever.
  if (message.length < headerBytes || message.readUInt16BE(2) & responseFlag) return 'ignore';
  try {
    const packet = dns.decode(message);
    if ((message.readUInt16BE(2) >> 11) & 0xf) return 'NOTIMP';
    const [question] = packet.questions ?? [];
    if (!question || packet.questions?.length !== 1) return 'FORMERR';
    const edns = packet.additionals?.find((record) => record.type === 'OPT');
    return {
      id: packet.id ?? 0,
      question: { name: question.name, type: question.type, class: question.class ?? 'IN' },
      recursionDesired: packet.flag_rd,
      udpBytes: Math.max(plainUdpBytes, edns?.udpPayloadSize ?? 0),
      speaksEdns: edns !== undefined,
    };
  } catch {
    return 'FORMERR';
  }
}

export interface Response {
  code: ResponseCode;
  /** False for what another server, or nobody, said. */
  authoritative: boolean;
  answers?: dns.Answer[];
  authorities?: dns.Answer[];
  additionals?: dns.Answer[];
}

export function writeResponse(query: Query, response: Response): Buffer {
  const { code, authoritative, answers = [], authorities = [], additionals = [] } = response;
  const edns: dns.Answer = {
    name: '.',
    type: 'OPT',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const flags =
    (authoritative ? dns.AUTHORITATIVE_ANSWER : 0) | (query.recursionDesired ? dns.RECURSION_DESIRED : 0) | dns.RECURSION_AVAILABLE;
  return dns.encode({
    type: 'response',
    id: query.id,
    flags: flags | responseCodes[code],
    questions: [query.question as dns.Question],
    answers,
    authorities,
    additionals: query.speaksEdns ? [...additionals, edns] : additionals,
  });
}

/** What fits into one UDP answer: all of it, or only the head with the flag that says: ask again over TCP. */
export function truncated(query: Query, response: Buffer): Buffer {
  if (response.length <= query.udpBytes) return response;
  const head = writeResponse(query, { code: 'NOERROR', authoritative: Boolean(response.readUInt16BE(2) & dns.AUTHORITATIVE_ANSWER) });
  head.writeUInt16BE(head.readUInt16BE(2) | dns.TRUNCATED_RESPONSE, 2);
  return head;
}

/** An answer to a message of which nothing but the id could be read. */
export function refusal(message: Buffer, code: ResponseCode): Buffer {
  const head = Buffer.alloc(headerBytes);
  head.writeUInt16BE(message.readUInt16BE(0), 0);
  head.writeUInt16BE(responseFlag | (message.readUInt16BE(2) & 0x7900) | responseCodes[code], 2);
  return head;
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** The messages of a TCP connection, one after the other. */
export async function* unframed(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      yield rest.subarray(2, end);
      rest = rest.subarray(end);
    }
  }
}
