// What members of a cluster say to each other over the wire, where it is more than a message: a state that is too large for one.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inPayloads } from '#etcd/codec';
import type { Body, Message, MessageOf } from '#etcd/raft/messages';
import { Peers } from '#etcd/raft/peers';
import { systemClock } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { eventually } from '#kit/testing/wait';

const loopback = { host: '127.0.0.1', port: 0 };

describe('a state on its way to a member that is far behind', () => {
  let leader: Peers;
  let follower: Peers;
  let received: Message[];
  beforeEach(async () => {
    received = [];
    [leader, follower] = ['a', 'b'].map(
      (memberId) =>
        new Peers({
          identity: { memberId, clusterId: '1' },
          clock: systemClock,
          log: silentLogger,
          receive: (message) => received.push(message),
          answer: (question) => question,
          isRemoved: () => false,
          onRemoved: () => {},
        }),
    ) as [Peers, Peers];
    await follower.listen(loopback);
    leader.know([{ id: 'b', peerUrls: [`http://127.0.0.1:${follower.port}`] }]);
  });
  afterEach(() => {
    leader.stop();
    follower.stop();
  });

  const send = (body: Body) => leader.send([{ from: 'a', to: 'b', term: 1, ...body }]);
  const sendState = (state: Iterable<Buffer>) =>
    send({ type: 'snapshot', snapshot: { index: 7, term: 1, members: [{ id: 'a' }], data: Buffer.alloc(0) }, state });
  const states = () => received.filter((message): message is MessageOf<'snapshot'> => message.type === 'snapshot');

  it('holds up no other message, and arrives as it was', async () => {
    let made = 0;
    const mostPieces = 20_000;
    sendState(
      (function* () {
        // 2 GB at most; it ends when the heartbeat has gone past it.
        for (; made < mostPieces && !received.some(({ type }) => type === 'heartbeat'); made++) {
          if (made === 20) send({ type: 'heartbeat', commit: 1, round: 1 });
          yield Buffer.alloc(100_000, made % 256);
        }
      })(),
    );
    const [{ snapshot }] = (await eventually('the state arrives', () => (states().length > 0 ? states() : undefined))) as [
      MessageOf<'snapshot'>,
    ];
    expect(made).toBeLessThan(mostPieces);
    expect(snapshot).toMatchObject({ index: 7, term: 1, members: [{ id: 'a' }] });
    const pieces = inPayloads(snapshot.data);
    expect(pieces.map((piece) => [piece.length, piece.at(0), piece.at(-1)])).toEqual(
      Array.from({ length: made }, (_, index) => [100_000, index % 256, index % 256]),
    );
  });

  it('is not taken for whole when its leader falls silent in the middle of it, and is taken when it comes again', async () => {
    sendState(
      (function* () {
        yield Buffer.from('one');
        throw new Error('the leader fell silent');
      })(),
    );
    await eventually('it comes again, and whole', () => {
      sendState([Buffer.from('one'), Buffer.from('two')]);
      return states().length > 0;
    });
    for (const { snapshot } of states()) expect(inPayloads(snapshot.data).map(String)).toEqual(['one', 'two']);
  });

  it('is sent once at a time', async () => {
    let begun = 0;
    let isAsked = false;
    const state = function* () {
      begun += 1;
      while (!isAsked) yield Buffer.from('more');
    };
    sendState(state());
    await eventually('it is on its way', () => begun === 1);
    for (let again = 0; again < 3; again++) sendState(state());
    isAsked = true;
    await eventually('it arrives', () => states().length === 1);
    expect(begun).toBe(1);
  });
});
