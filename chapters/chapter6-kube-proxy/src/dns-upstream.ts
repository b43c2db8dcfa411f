// Names outside of the cluster: the query goes to every upstream server as it is, and the first useful answer comes back as it is.
// Nobody waits long: no answer in time is an answer too.

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock, Random } from '#kit/clock';
import { framed, responseCodes, unframed } from './dns-wire.ts';

/** Stub resolvers give up after five seconds; they should hear from us before. */
const deadlineMs = 2_000;

export type Transport = 'udp' | 'tcp';

interface Server {
  host: string;
  port: number;
}

export class Upstream {
  readonly #servers: Server[];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #underWay = new Set<AbortController>();

  /** @param addresses `10.0.0.2`, `10.0.0.2:5353`, `fd00::2` or `[fd00::2]:5353` */
  constructor(addresses: string[], { clock, random }: { clock: Clock; random: Random }) {
    this.#servers = addresses.map(parseServer);
    this.#clock = clock;
    this.#random = random;
  }

  /** Undefined when no server gave a useful answer in time. Never rejects. */
  async ask(query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const over = new AbortController();
    this.#underWay.add(over);
    const timer = this.#clock.after(deadlineMs, () => over.abort());
    // An id of our own, over a socket of our own: who can't see the query can't guess the answer.
    const ownId = Math.floor(this.#random() * 0x10000);
    try {
      const ask = transport === 'udp' ? askByUdp : askByTcp;
      const answers = this.#servers.map(async (server) => useful(await ask(server, withId(query, ownId), over.signal), ownId));
      return withId(await Promise.any(answers), query.readUInt16BE(0));
    } catch {
      return undefined;
    } finally {
      timer.cancel();
      over.abort();
      this.#underWay.delete(over);
    }
  }

  /** Ends every wait for an answer. */
  stop(): void {
    for (const over of this.#underWay) over.abort();
  }
}

function parseServer(address: string): Server {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(address) ?? [];
  return { host: bracketed ?? plain ?? address, port: Number(port ?? 53) };
}

/** Another server may still do better than one that failed or refused. */
function useful(answer: Buffer, id: number): Buffer {
  const code = answer.length >= 12 && answer.readUInt16BE(0) === id ? answer.readUInt8(3) & 0xf : undefined;
  if (code !== responseCodes.NOERROR && code !== responseCodes.NXDOMAIN) throw new Error(`the upstream server answered with code ${code}`);
  return answer;
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

function askByUdp({ host, port }: Server, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', signal });
    const end = (error: Error) => {
      reject(error);
      if (!signal.aborted) socket.close();
    };
    socket.on('error', end);
    socket.once('close', () => reject(new Error('no answer in time')));
    socket.on('message', (answer) => {
      // A stray answer to somebody else's query is not ours.
      if (answer.length >= 2 && answer.readUInt16BE(0) === query.readUInt16BE(0)) resolve(answer);
    });
    socket.connect(port, host, () => socket.send(query, (error) => error && end(error)));
  });
}

async function askByTcp({ host, port }: Server, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const socket = connect({ host, port });
  const hangUp = () => socket.destroy();
  signal.addEventListener('abort', hangUp);
  try {
    socket.write(framed(query));
    for await (const answer of unframed(socket)) return answer;
    throw new Error('the upstream server hung up');
  } finally {
    signal.removeEventListener('abort', hangUp);
    socket.destroy();
  }
}
