// The transport that speaks HTTP/2 by hand, against clients that break the protocol: each gets the answer that RFC 9113 has for it, a
// RST_STREAM or a GOAWAY, and everybody else goes on. What a client sends costs a bounded amount of memory.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startEtcd } from '#etcd';
import { encodeFrame, encodeNumberFrame, errorCode, flag, frameHeaderSize, frameType, preface } from '#etcd/http2/frames';
import { encodeHeaders } from '#etcd/http2/hpack';
import { encodeMessage } from '#etcd/http2/messages';
import { loadProtocol, serviceOf } from '#etcd/protocol';
import { systemClock, systemRandom } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { silentLogger } from '#kit/log';
import { EtcdClient } from '#kit/testing/etcd-client';
import { memoryKept } from '#kit/testing/memory';
import { eventually } from '#kit/testing/wait';
import { data, headers, Peer, request } from './http2-peer.ts';

const protocol = loadProtocol(Number);
const put = serviceOf(protocol, 'KV').Put;
const watch = serviceOf(protocol, 'Watch').Watch;
if (!put || !watch) throw new TypeError('the protocol lacks what this test needs');
const putMessage = encodeMessage(put.requestSerialize({ key: Buffer.from('a'), value: Buffer.from('1') }));
const megabyte = 1024 * 1024;
const bytesKept = () => memoryKept(({ heapUsed, arrayBuffers }) => heapUsed + arrayBuffers);

describe('HTTP/2 by hand', () => {
  let dataDir: string;
  let server: RunningComponent;
  const cleanUp: (() => unknown)[] = [];
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
    const context = { clock: systemClock, random: systemRandom, log: silentLogger };
    server = await startEtcd({ dataDir, listen: { host: '127.0.0.1', port: 0 }, transport: 'lean', ...context });
  });
  afterEach(async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  });
  afterAll(async () => {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const connectPeer = async (options = {}) => {
    const peer = await Peer.connect(server.url, options);
    cleanUp.push(() => peer.close());
    return peer;
  };
  /** Whatever others did, a client is served. */
  const expectService = async () => {
    const client = new EtcdClient(server.url);
    await client.put({ key: 'still', value: 'there' }).finally(() => client.close());
  };

  describe('serves who speaks the protocol', () => {
    it('answers a call, in one piece or byte by byte', async () => {
      const peer = await connectPeer();
      peer.send(headers(1), data(1, putMessage));
      expect(await peer.status(1)).toEqual({ code: '0', message: undefined });
      for (const byte of Buffer.concat([headers(3), data(3, putMessage)])) peer.send(Buffer.of(byte));
      expect(await peer.status(3)).toEqual({ code: '0', message: undefined });
    });

    it('takes padding, a priority, header blocks in several frames, frames of unknown types, and any :authority', async () => {
      const peer = await connectPeer();
      const fields = request();
      fields[3] = [':authority', 'http://127.0.0.1:2379'];
      const block = encodeHeaders(fields);
      const padded = Buffer.concat([Buffer.of(4, 0, 0, 0, 0, 16), block.subarray(0, 20), Buffer.alloc(4)]);
      peer.send(encodeFrame(99, 0xff, 1, Buffer.from('whatever')));
      peer.send(
        encodeFrame(frameType.headers, flag.padded | flag.priority, 1, padded),
        encodeFrame(frameType.continuation, 0, 1, block.subarray(20, 40)),
        encodeFrame(frameType.continuation, flag.endHeaders, 1, block.subarray(40)),
      );
      peer.send(encodeFrame(frameType.data, flag.padded | flag.endStream, 1, Buffer.concat([Buffer.of(3), putMessage, Buffer.alloc(3)])));
      expect((await peer.status(1)).code).toBe('0');
    });

    it('understands the fields that Node compresses, from connection to connection', async () => {
      const session: ClientHttp2Session = connect(server.url);
      cleanUp.push(() => session.destroy());
      for (let round = 0; round < 20; round++) {
        const stream = session.request({
          [constants.HTTP2_HEADER_METHOD]: 'POST',
          [constants.HTTP2_HEADER_PATH]: '/etcdserverpb.KV/Put',
          'content-type': 'application/grpc',
          'user-agent': `round ${round % 3}`,
          // Larger than the dynamic table in a few rounds: old entries leave it.
          [`x-${round}`]: '~é'.repeat(400),
        });
        stream.end(putMessage);
        const [trailers] = (await Promise.all([once(stream, 'trailers'), once(stream.resume(), 'close')]))[0];
        expect(trailers['grpc-status']).toBe('0');
      }
    });

    it('answers a ping, and acknowledges settings', async () => {
      const peer = await connectPeer();
      peer.send(encodeFrame(frameType.ping, 0, 0, Buffer.from('12345678')));
      expect(String((await peer.next(frameType.ping)).payload)).toBe('12345678');
      await eventually('an acknowledgement', () => peer.said.some(({ type, flags }) => type === frameType.settings && flags === flag.ack));
    });

    it('says when a method, a kind of request or a message is none of its own', async () => {
      const peer = await connectPeer();
      peer.send(headers(1, request('/etcdserverpb.KV/Nothing'), flag.endHeaders | flag.endStream));
      expect(await peer.status(1)).toEqual({ code: '12', message: 'unknown method /etcdserverpb.KV/Nothing' });
      peer.send(headers(3, [...request().slice(0, 4), ['content-type', 'text/html']], flag.endHeaders | flag.endStream));
      expect((await peer.next(frameType.headers, 3)).fields?.[':status']).toBe('415');
      peer.send(headers(5), data(5, Buffer.of(1, 0, 0, 0, 1, 0)));
      expect((await peer.status(5)).code).toBe('12');
      peer.send(headers(7), data(7, encodeMessage(Buffer.of(0xff, 0xff))));
      expect((await peer.status(7)).code).toBe('13');
      peer.send(headers(9, request(), flag.endHeaders | flag.endStream));
      expect(await peer.status(9)).toEqual({ code: '13', message: 'this method takes one request, not 0' });
      peer.send(headers(11), data(11, Buffer.of(0, 0x7f, 0, 0, 0), 0));
      expect((await peer.status(11)).code).toBe('8');
    });

    it('keeps a deadline', async () => {
      const peer = await connectPeer();
      peer.send(headers(1, [...request(), ['grpc-timeout', '20m']]));
      expect(await peer.status(1)).toEqual({ code: '4', message: 'Deadline exceeded' });
    });
  });

  describe('ends the connection of who breaks it', () => {
    const settings = (payload: Buffer, flags = 0, streamId = 0) => encodeFrame(frameType.settings, flags, streamId, payload);
    const oneSetting = (name: number, value: number) => {
      const payload = Buffer.alloc(6);
      payload.writeUInt16BE(name);
      payload.writeUInt32BE(value, 2);
      return settings(payload);
    };
    const tooLong = Buffer.from([0x00, 0x40, 0x01, frameType.data, 0, 0, 0, 0, 1]);
    const windowUpdate = (streamId: number, bytes: number) => encodeNumberFrame(frameType.windowUpdate, streamId, bytes);
    const block = encodeHeaders(request());

    it.each<[string, keyof typeof errorCode, Buffer[]]>([
      ['a frame that is larger than it may be', 'frameSize', [tooLong]],
      ['DATA on a stream that was not opened', 'protocol', [data(1, putMessage)]],
      ['DATA on the connection', 'protocol', [data(0, putMessage)]],
      ['HEADERS on the connection', 'protocol', [headers(0)]],
      ['HEADERS on an even stream', 'protocol', [headers(2)]],
      ['a stream that is older than another', 'streamClosed', [headers(5), headers(3)]],
      ['more padding than payload', 'protocol', [headers(1), encodeFrame(frameType.data, flag.padded, 1, Buffer.of(9, 1))]],
      ['CONTINUATION without HEADERS', 'protocol', [encodeFrame(frameType.continuation, flag.endHeaders, 1, block)]],
      ['another frame within a header block', 'protocol', [headers(1, request(), 0), data(1, putMessage)]],
      ['a header block that goes on elsewhere', 'protocol', [headers(1, request(), 0), encodeFrame(frameType.continuation, 0, 3, block)]],
      ['a header block that refers to nothing', 'compression', [encodeFrame(frameType.headers, flag.endHeaders, 1, Buffer.of(0xff, 0x20))]],
      ['a header block that ends too early', 'compression', [encodeFrame(frameType.headers, flag.endHeaders, 1, Buffer.of(0x40, 0x0a))]],
      ['a text that is no Huffman code', 'compression', [encodeFrame(frameType.headers, flag.endHeaders, 1, Buffer.of(0x41, 0x81, 0))]],
      [
        'a header table that is too large',
        'compression',
        [encodeFrame(frameType.headers, flag.endHeaders, 1, Buffer.of(0x3f, 0xff, 0x7f))],
      ],
      ['PUSH_PROMISE', 'protocol', [encodeFrame(frameType.pushPromise, flag.endHeaders, 1, block)]],
      ['a PING of 7 bytes', 'frameSize', [encodeFrame(frameType.ping, 0, 0, Buffer.alloc(7))]],
      ['a PING on a stream', 'protocol', [encodeFrame(frameType.ping, 0, 1, Buffer.alloc(8))]],
      ['SETTINGS of 7 bytes', 'frameSize', [settings(Buffer.alloc(7))]],
      ['SETTINGS on a stream', 'protocol', [settings(Buffer.alloc(0), 0, 1)]],
      ['an acknowledgement with settings', 'frameSize', [settings(Buffer.alloc(6), flag.ack)]],
      ['an initial window above 2^31-1', 'flowControl', [oneSetting(4, 2 ** 31)]],
      ['a largest frame below 16,384', 'protocol', [oneSetting(5, 100)]],
      ['ENABLE_PUSH of 2', 'protocol', [oneSetting(2, 2)]],
      ['a WINDOW_UPDATE of 0', 'protocol', [windowUpdate(0, 0)]],
      ['a WINDOW_UPDATE of 3 bytes', 'frameSize', [encodeFrame(frameType.windowUpdate, 0, 0, Buffer.alloc(3))]],
      ['a WINDOW_UPDATE of a stream that was not opened', 'protocol', [windowUpdate(1, 10)]],
      ['a window that overflows', 'flowControl', [windowUpdate(0, 2 ** 31 - 1)]],
      [
        'a stream window that overflows by new settings',
        'flowControl',
        [headers(1), windowUpdate(1, 2 ** 31 - 1 - 65_535), oneSetting(4, 65_536)],
      ],
      ['RST_STREAM of a stream that was not opened', 'protocol', [encodeNumberFrame(frameType.resetStream, 1, 8)]],
      ['PRIORITY of the connection', 'protocol', [encodeFrame(frameType.priority, 0, 0, Buffer.alloc(5))]],
    ])('%s: %s', async (_, code, frames) => {
      const peer = await connectPeer();
      peer.send(...frames);
      expect(await peer.goAway()).toBe(errorCode[code]);
      await expectService();
    });

    it.each<[string, Buffer]>([
      ['no preface', Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n')],
      ['no SETTINGS after it', Buffer.concat([preface, headers(1)])],
    ])('%s', async (_, bytes) => {
      const peer = await connectPeer({ greets: false });
      peer.send(bytes);
      expect(await peer.goAway()).toBe(errorCode.protocol);
    });
  });

  describe('ends the stream of who breaks it, and the connection goes on', () => {
    const without = (name: string) => request().filter(([field]) => field !== name);
    it.each<[string, keyof typeof errorCode, Buffer[]]>([
      ['a field name in upper case', 'protocol', [headers(1, [...request(), ['X-Upper', '1']])]],
      ['a field of HTTP/1.1', 'protocol', [headers(1, [...request(), ['connection', 'close']])]],
      ['te with something else than trailers', 'protocol', [headers(1, [...without('te'), ['te', 'gzip']])]],
      ['no :path', 'protocol', [headers(1, without(':path'))]],
      ['two :path', 'protocol', [headers(1, [[':path', '/'], ...request()])]],
      ['an unknown pseudo field', 'protocol', [headers(1, [[':color', 'red'], ...request()])]],
      ['a pseudo field among the others', 'protocol', [headers(1, [...without(':path'), [':path', '/']])]],
      ['a line break in a value', 'protocol', [headers(1, [...request(), ['x', 'a\r\nb']])]],
      [
        'DATA after the end',
        'streamClosed',
        [headers(1, request('/etcdserverpb.Watch/Watch')), data(1, Buffer.alloc(0)), data(1, putMessage)],
      ],
      ['HEADERS in the middle', 'protocol', [headers(1), headers(1)]],
      ['a WINDOW_UPDATE of 0', 'protocol', [headers(1), encodeNumberFrame(frameType.windowUpdate, 1, 0)]],
      ['a stream window that overflows', 'flowControl', [headers(1), encodeNumberFrame(frameType.windowUpdate, 1, 2 ** 31 - 1)]],
      ['a stream that depends on itself', 'protocol', [headers(1), encodeFrame(frameType.priority, 0, 1, Buffer.of(0, 0, 0, 1, 9))]],
      ['PRIORITY of 4 bytes', 'frameSize', [headers(1), encodeFrame(frameType.priority, 0, 1, Buffer.alloc(4))]],
    ])('%s: %s', async (_, code, frames) => {
      const peer = await connectPeer();
      peer.send(...frames);
      expect(await peer.reset(1)).toBe(errorCode[code]);
      peer.send(headers(3), data(3, putMessage));
      expect((await peer.status(3)).code).toBe('0');
    });
  });

  describe('bounds what a client can make it keep', () => {
    it('a header block without end', async () => {
      const peer = await connectPeer();
      peer.send(headers(1, request(), 0));
      for (let count = 0; count < 1000; count++) peer.send(encodeFrame(frameType.continuation, 0, 1, Buffer.alloc(0)));
      expect(await peer.goAway()).toBe(errorCode.enhanceYourCalm);
    });

    it('header fields that are huge, also if they are short on the wire', async () => {
      const huge = await connectPeer();
      const block = encodeHeaders([...request(), ['x', 'y'.repeat(40_000)]]);
      huge.send(encodeFrame(frameType.headers, 0, 1, block.subarray(0, 16_384)));
      huge.send(encodeFrame(frameType.continuation, 0, 1, block.subarray(16_384, 32_768)));
      huge.send(encodeFrame(frameType.continuation, flag.endHeaders, 1, block.subarray(32_768)));
      expect(await huge.goAway()).toBe(errorCode.enhanceYourCalm);
      // An entry of 3 kB is put into the table, and then named a hundred times with one byte each.
      const bomb = await connectPeer();
      const entry = Buffer.concat([Buffer.of(0x40, 1), Buffer.from('x'), Buffer.of(0x7f, 0xb9, 0x16), Buffer.alloc(3000, 'y')]);
      bomb.send(encodeFrame(frameType.headers, flag.endHeaders, 1, Buffer.concat([entry, Buffer.alloc(100, 0xbe)])));
      expect(await bomb.goAway()).toBe(errorCode.enhanceYourCalm);
    });

    it('streams that are opened and taken back at once', async () => {
      const peer = await connectPeer();
      for (let id = 1; id < 6000; id += 2) peer.send(headers(id), encodeNumberFrame(frameType.resetStream, id, errorCode.cancel));
      expect(await peer.goAway()).toBe(errorCode.enhanceYourCalm);
      await expectService();
    });

    it('more streams than it takes at a time', async () => {
      const peer = await connectPeer();
      const { payload } = await peer.next(frameType.settings);
      const most = payload.readUInt32BE(payload.indexOf(Buffer.of(0, 3)) + 2);
      for (let index = 0; index <= most; index++) peer.send(headers(2 * index + 1));
      expect(await peer.reset(2 * most + 1)).toBe(errorCode.refusedStream);
      peer.send(data(1, putMessage));
      expect((await peer.status(1)).code).toBe('0');
    });

    it('pings whose answers nobody reads', async () => {
      const peer = await connectPeer();
      peer.socket.pause();
      const pings = Buffer.concat(Array.from({ length: 60_000 }, () => encodeFrame(frameType.ping, 0, 0, Buffer.alloc(8))));
      const cut = new Promise<void>((resolve) => peer.socket.on('close', () => resolve()));
      // The system's own buffers take some megabytes before the server has to keep anything.
      for (let round = 0; round < 60 && !peer.isClosed; round++)
        await new Promise<void>((resolve) => peer.socket.write(pings, () => resolve()));
      peer.socket.resume();
      await cut;
      await expectService();
    });

    it('messages that are begun and never ended', async () => {
      const peer = await connectPeer();
      const begun = Buffer.concat([Buffer.of(0, 0, 0x20, 0, 0), Buffer.alloc(16_000)]);
      const before = await bytesKept();
      // A megabyte each: what a stream's window lets through.
      for (let id = 1; id < 2 * 35; id += 2) {
        peer.send(headers(id), data(id, begun, 0));
        for (let count = 0; count < 64; count++) peer.send(data(id, Buffer.alloc(16_000), 0));
      }
      await eventually('a refusal', () => peer.said.some(({ fields }) => fields?.['grpc-status'] === '8'));
      expect((await bytesKept()) - before).toBeLessThan(200 * megabyte);
      await expectService();
    });

    it('answers that nobody takes', async () => {
      const client = new EtcdClient(server.url);
      cleanUp.push(() => client.close());
      await client.put({ key: 'large', value: Buffer.alloc(megabyte) });
      const range = serviceOf(protocol, 'KV').Range;
      const message = encodeMessage(range?.requestSerialize({ key: Buffer.from('large') }) ?? Buffer.alloc(0));
      const peer = await connectPeer();
      const before = await bytesKept();
      for (let id = 1; id < 1200; id += 2) peer.send(headers(id, request('/etcdserverpb.KV/Range')), data(id, message));
      // The first answers fill the connection's window; the server goes on reading, but no further request is looked at.
      peer.send(encodeFrame(frameType.ping, 0, 0, Buffer.alloc(8)));
      await peer.next(frameType.ping);
      expect((await bytesKept()) - before).toBeLessThan(64 * megabyte);
      await expectService();
      // When the client takes what there is, it gets what it asked for.
      peer.send(encodeNumberFrame(frameType.windowUpdate, 0, 2 ** 31 - 1 - 65_535));
      for (const id of [1, 3, 39, 41]) {
        peer.send(encodeNumberFrame(frameType.windowUpdate, id, 2 * megabyte));
        if (id < 41) expect((await peer.status(id)).code).toBe('0');
      }
    });

    it('a watcher that stops reading, and reads again: it is told everything', async () => {
      const peer = await connectPeer();
      const create = encodeMessage(watch.requestSerialize({ createRequest: { key: Buffer.from('slow') } }));
      peer.send(headers(1, request('/etcdserverpb.Watch/Watch')), data(1, create, 0));
      await peer.next(frameType.data, 1);
      const client = new EtcdClient(server.url);
      cleanUp.push(() => client.close());
      for (let count = 0; count < 50; count++) await client.put({ key: 'slow', value: Buffer.alloc(10_000, `${count % 10}`) });
      const received = () => peer.said.filter(({ type }) => type === frameType.data).reduce((sum, { payload }) => sum + payload.length, 0);
      await eventually('the window is full', () => received() > 60_000);
      expect(received()).toBeLessThanOrEqual(65_535);
      peer.send(encodeNumberFrame(frameType.windowUpdate, 0, megabyte), encodeNumberFrame(frameType.windowUpdate, 1, megabyte));
      await eventually('the rest', () => received() > 500_000);
    });
  });

  it('survives any bytes', async () => {
    const frame = fc
      .record({
        type: fc.integer({ min: 0, max: 11 }),
        flags: fc.integer({ min: 0, max: 255 }),
        streamId: fc.integer({ min: 0, max: 9 }),
        payload: fc.uint8Array({ maxLength: 60 }),
      })
      .map(({ type, flags, streamId, payload }) => encodeFrame(type, flags, streamId, Buffer.from(payload)));
    const good = fc.constantFrom(
      headers(1),
      headers(3),
      data(1, putMessage),
      data(3, putMessage, 0),
      headers(5, request('/etcdserverpb.Watch/Watch')),
    );
    const garbled = fc.tuple(good, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
      const copy = Buffer.from(bytes);
      copy[frameHeaderSize + (at % (copy.length - frameHeaderSize))] = value;
      return copy;
    });
    const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(frame, good, garbled, noise), { maxLength: 30 }), async (frames) => {
        const peer = await Peer.connect(server.url);
        try {
          peer.send(...frames, Buffer.alloc(20_000));
          // A type 0 frame on stream 0, or a frame that is never whole: either way there is a clear end, or the server waits for more.
          peer.socket.end();
          await eventually('the connection is over', () => peer.isClosed);
        } finally {
          peer.close();
        }
      }),
      { numRuns: 200 },
    );
    await expectService();
  });
});
