// The header fields of a request, checked as RFC 9113 asks (section 8.2 and 8.3).

import { errorCode, Http2StreamError } from './frames.ts';
import type { Field } from './hpack.ts';

export interface RequestHead {
  method: string;
  path: string;
  fields: Map<string, string>;
}

const pseudoFields = [':method', ':path', ':scheme', ':authority'];
const requiredFields = [':method', ':path', ':scheme'];
/** They are about an HTTP/1.1 connection. */
const forbiddenFields = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/**
 * What `:authority` says is nobody's business here: etcd's clients write all kinds of things into it, `http://` included.
 * @throws Http2StreamError if the fields are malformed
 */
export function readRequest(list: Field[]): RequestHead {
  const fields = new Map<string, string>();
  let arePseudo = true;
  for (const [name, value] of list) {
    if (name.startsWith(':')) {
      if (!arePseudo || fields.has(name) || !pseudoFields.includes(name)) throw malformed(`the field ${name} is out of place`);
    } else {
      arePseudo = false;
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw malformed('a field name that is none');
      if (forbiddenFields.includes(name) || (name === 'te' && value !== 'trailers')) throw malformed(`the field ${name} is not HTTP/2's`);
    }
    if (/[\0\r\n]/.test(value)) throw malformed(`the field ${name} has a line break`);
    fields.set(name, value);
  }
  for (const name of requiredFields) if (!fields.get(name)) throw malformed(`the field ${name} is missing`);
  return { method: fields.get(':method') as string, path: fields.get(':path') as string, fields };
}

function malformed(message: string): Http2StreamError {
  return new Http2StreamError(errorCode.protocol, message);
}
