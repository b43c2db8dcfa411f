// A response to a watch that takes fragments comes in several messages if it is large. All but the last are marked.
// etcd: server/etcdserver/api/v3rpc/watch.go (sendFragments)

import type { Event } from './messages.ts';

const enoughBytes = 1.5 * 1024 * 1024;

export interface Fragment {
  events: Event[];
  /** More of the same response comes in the next one. */
  fragment?: true;
}

export function fragmentsOf({ takesFragments }: { takesFragments: boolean }, events: Event[]): Fragment[] {
  if (!takesFragments) return [{ events }];
  const parts: Event[][] = [[]];
  let bytes = 0;
  for (const event of events) {
    const size = sizeOf(event);
    const part = parts.at(-1) as Event[];
    if (part.length > 0 && bytes + size > enoughBytes) {
      parts.push([event]);
      bytes = size;
    } else {
      part.push(event);
      bytes += size;
    }
  }
  return parts.map((part, index) => (index < parts.length - 1 ? { events: part, fragment: true } : { events: part }));
}

function sizeOf({ kv, prevKv }: Event): number {
  const bytes = kv.key.length + kv.value.length + 100;
  return prevKv ? bytes + prevKv.key.length + prevKv.value.length : bytes;
}
