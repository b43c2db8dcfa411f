// Watch responses as bytes. A thousand watchers of a key are told the same events at the same revision: what is the same in their
// responses is encoded once. Protobuf makes it easy: the bytes of two messages, one behind the other, are the bytes of both in one.

import type { Event, ResponseHeader, WatchResponse } from './messages.ts';
import { plain } from './stored-key-value.ts';

/** Bytes of events that are kept for the next watcher. */
const mostKept = 1024 * 1024;
/** Clients number their watches from 0: each number is another client's, too. */
const mostIds = 10_000;

export function watchEncoder(serialize: (response: object) => Buffer): (response: object) => Buffer {
  /** By the event, or, where it comes without the previous key-value, by its key-value: every watcher gets its own event then. */
  const events = new Map<object, Buffer>();
  let keptBytes = 0;
  const ids = new Map<string, Buffer>();
  let lastHeader: { header: ResponseHeader; bytes: Buffer } | undefined;

  const bytesOfHeader = (header: ResponseHeader) => {
    const isSame = lastHeader?.header.revision === header.revision && lastHeader.header.raftTerm === header.raftTerm;
    if (!lastHeader || !isSame) lastHeader = { header, bytes: serialize({ header }) };
    return lastHeader.bytes;
  };
  const bytesOfEvent = (event: Event) => {
    const id = event.prevKv ? event : event.kv;
    const known = events.get(id);
    if (known) return known;
    const { type, kv, prevKv } = event;
    const bytes = serialize({ events: [{ type, kv: plain(kv), ...(prevKv ? { prevKv: plain(prevKv) } : {}) }] });
    if (keptBytes > mostKept) {
      events.clear();
      keptBytes = 0;
    }
    events.set(id, bytes);
    keptBytes += bytes.length;
    return bytes;
  };
  const bytesOfId = (watchId: string) => {
    const known = ids.get(watchId);
    if (known) return known;
    const bytes = serialize({ watchId });
    if (ids.size > mostIds) ids.clear();
    ids.set(watchId, bytes);
    return bytes;
  };
  return (response) => {
    const { header, watchId, events: told = [], ...rest } = response as WatchResponse;
    const pieces = [bytesOfHeader(header), bytesOfId(watchId), ...told.map(bytesOfEvent)];
    for (const _ in rest) return Buffer.concat([...pieces, serialize(rest)]);
    return Buffer.concat(pieces);
  };
}
