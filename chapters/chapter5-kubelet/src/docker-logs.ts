// Docker sends a container's output in frames: 8 bytes of header (which stream, how long), then the text. Standard output and
// error come out as one, in the order they were written.
// https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach (stream format)

import { Transform } from 'node:stream';

const headerBytes = 8;

export function demultiplexer(): Transform {
  let rest: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
      while (rest.length >= headerBytes) {
        const end = headerBytes + rest.readUInt32BE(4);
        if (rest.length < end) break;
        this.push(rest.subarray(headerBytes, end));
        rest = rest.subarray(end);
      }
      done();
    },
  });
}
