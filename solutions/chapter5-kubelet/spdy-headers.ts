// SPDY's headers: names and values with their lengths, compressed. All headers of a connection's one direction are one zlib stream that
// begins with a dictionary of words that both sides know.

import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import type { SpdyHeaders } from './spdy.ts';

const words =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization ' +
  'cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range ' +
  'content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
  'location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding ' +
  'upgrade user-agent vary via warning www-authenticate method get status';
const phrases = ['200 OK', 'version', 'HTTP/1.1', 'url', 'public', 'set-cookie', 'keep-alive', 'origin'];
const rest =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information' +
  '204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error' +
  '501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, ' +
  'Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public' +
  'privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

/** SPDY protocol, draft 3, section 2.6.10.1: each word behind its length, then a text. */
export const dictionary = Buffer.concat([...[...words.split(' '), ...phrases].map(withLength), Buffer.from(rest)]);

/** So much one stream's headers may be, unpacked. Bytes. */
const largestBlock = 64 * 1024;

function withLength(text: string): Buffer {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(text));
  bytes.writeUInt32BE(bytes.length - 4);
  bytes.write(text, 4);
  return bytes;
}

export class HeaderDecoder {
  readonly #inflate: Inflate = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH });

  /** The blocks of a connection one after the other. @throws Error when a block is none: then the connection is over */
  async decode(block: Buffer): Promise<SpdyHeaders> {
    await new Promise<void>((resolve, reject) => {
      const fail = ({ message }: Error) => reject(new Error(`SPDY headers can't be unpacked: ${message}`));
      this.#inflate.once('error', fail);
      this.#inflate.write(block, () => {
        this.#inflate.off('error', fail);
        resolve();
      });
    });
    return readHeaders((this.#inflate.read() as Buffer | null) ?? Buffer.alloc(0));
  }

  close(): void {
    this.#inflate.close();
  }
}

export class HeaderEncoder {
  readonly #deflate: Deflate = createDeflate({ dictionary });

  /** The blocks of a connection one after the other. */
  async encode(headers: SpdyHeaders): Promise<Buffer> {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(headers.size);
    this.#deflate.write(Buffer.concat([count, ...[...headers].flatMap(([name, value]) => [withLength(name), withLength(value)])]));
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    return (this.#deflate.read() as Buffer | null) ?? Buffer.alloc(0);
  }

  close(): void {
    this.#deflate.close();
  }
}

function readHeaders(block: Buffer): SpdyHeaders {
  if (block.length > largestBlock) throw new Error(`SPDY headers of ${block.length} bytes: more than ${largestBlock} are not taken`);
  let at = 0;
  const number = () => {
    if (at + 4 > block.length) throw new Error('SPDY headers end in the middle of a number');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = () => {
    const length = number();
    if (at + length > block.length) throw new Error('SPDY headers end in the middle of a word');
    at += length;
    return block.toString('utf8', at - length, at);
  };
  const headers = new Map<string, string>();
  for (let left = number(); left > 0; left--) headers.set(text().toLowerCase(), text());
  return headers;
}
