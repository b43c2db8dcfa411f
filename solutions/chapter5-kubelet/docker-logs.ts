// Docker sends a container's output in frames: 8 bytes of header (which stream, how long), then the text.
// https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach (stream format)

import { Transform } from 'node:stream';

const headerBytes = 8;

export interface Frame {
  /** 1: standard output, 2: standard error */
  stream: number;
  data: Buffer;
}

/** Takes the bytes as they come, and gives the frames that are whole. */
export function frameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const frames: Frame[] = [];
    rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(4);
      if (rest.length < end) break;
      frames.push({ stream: rest.readUInt8(0), data: rest.subarray(headerBytes, end) });
      rest = rest.subarray(end);
    }
    return frames;
  };
}

/** Standard output and error as one, in the order they were written. */
export function demultiplexer(): Transform {
  const read = frameReader();
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (const { data } of read(chunk)) this.push(data);
      done();
    },
  });
}
