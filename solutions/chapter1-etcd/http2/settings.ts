// What a client tells of itself (RFC 9113, section 6.5). Only its window is of use here: header blocks refer to no table, frames have the
// size that everybody takes, and nothing is pushed. But wrong values are errors.

import { errorCode, type Frame, flag, Http2ConnectionError, largestPayload, setting } from './frames.ts';

export const largestWindow = 2 ** 31 - 1;
const largestFrame = 2 ** 24 - 1;

/** @throws Http2ConnectionError if the frame or one of its values is wrong */
export function readSettings({ flags, streamId, payload }: Frame): { initialWindowSize?: number } {
  if (streamId !== 0) throw new Http2ConnectionError(errorCode.protocol, 'SETTINGS are about the connection');
  if (payload.length % 6 !== 0) throw new Http2ConnectionError(errorCode.frameSize, 'SETTINGS have 6 bytes each');
  if (flags & flag.ack && payload.length > 0) throw new Http2ConnectionError(errorCode.frameSize, 'an acknowledgement has no settings');
  const found: { initialWindowSize?: number } = {};
  for (let at = 0; at < payload.length; at += 6) {
    const name = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    if (name === setting.initialWindowSize) {
      if (value > largestWindow) throw new Http2ConnectionError(errorCode.flowControl, 'a window that is too large');
      found.initialWindowSize = value;
    }
    if (name === setting.enablePush && value > 1) throw new Http2ConnectionError(errorCode.protocol, 'ENABLE_PUSH is 0 or 1');
    if (name === setting.maxFrameSize && (value < largestPayload || value > largestFrame)) {
      throw new Http2ConnectionError(errorCode.protocol, `MAX_FRAME_SIZE is ${value}`);
    }
  }
  return found;
}
