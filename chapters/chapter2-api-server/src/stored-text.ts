// An object's text in etcd: JSON that begins with its type, then its metadata. So a list that nobody looks into is put together from the
// texts as they are, and none of them is parsed.
// Kubernetes stores protobuf, and decodes and encodes every object of a list: staging/src/k8s.io/apiserver/pkg/storage/etcd3/decoder.go

import type { ListMeta } from '#kit/api';
import type { ApiObject } from './object.ts';
import { apiVersionOf, type GroupVersionKind } from './resources.ts';
import type { Entry } from './storage.ts';

/** The resourceVersion is not part of what is stored: nobody can know it before the write is done. */
export function encode({ kind, apiVersion, metadata, ...fields }: ApiObject): string {
  const { resourceVersion, ...stored } = metadata;
  return JSON.stringify({ kind, apiVersion, metadata: stored, ...fields });
}

const quote = '"'.charCodeAt(0);

/** The JSON of a list; undefined when one of its objects is not there as such a text. */
export function listText(items: Entry[], type: object, metadata: ListMeta, of: GroupVersionKind): Buffer | undefined {
  const head = Buffer.from(encode({ kind: of.kind, apiVersion: apiVersionOf(of), metadata: {} }).slice(0, -2));
  const parts: Buffer[] = [Buffer.from(`${JSON.stringify({ ...type, metadata }).slice(0, -1)},"items":[`)];
  for (const { stored } of items) {
    // An object without a name is nobody's: there is a field behind the head.
    if (!stored?.value.subarray(0, head.length).equals(head) || stored.value[head.length] !== quote) return undefined;
    // The list says once what its items are.
    parts.push(Buffer.from(`${parts.length > 1 ? ',' : ''}{"metadata":{"resourceVersion":"${stored.mod_revision}",`));
    parts.push(stored.value.subarray(head.length));
  }
  return Buffer.concat([...parts, Buffer.from(']}\n')]);
}
