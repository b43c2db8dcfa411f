// Commands and states as bytes: in the log, in snapshots, and on their way to another member.

import type { PackageDefinition } from '@grpc/proto-loader';
import type { Command } from './messages.ts';
import { commandType, stateRecordType } from './protocol.ts';
import { decodeRecords, encodeRecord } from './records.ts';
import type { Captured } from './state-machine.ts';
import { decodeState, encodeState } from './state-snapshot.ts';

export interface Codec {
  encodeCommand(command: Command): Buffer;
  decodeCommand(payload: Buffer): Command;
  encodeState(captured: Captured): Iterable<Buffer>;
  decodeState(payloads: Buffer[]): Captured;
}

export function codecOf(protocol: PackageDefinition): Codec {
  const [commands, records] = [commandType(protocol), stateRecordType(protocol)];
  return {
    encodeCommand: (command) => commands.serialize(command),
    decodeCommand: (payload) => commands.deserialize(payload) as Command,
    encodeState: (captured) => encodeState(captured, records.serialize),
    decodeState: (payloads) => decodeState(payloads, records.deserialize),
  };
}

/** All payloads of a state in one piece, as a snapshot's data. */
export function inOnePiece(payloads: Iterable<Buffer>): Buffer {
  return Buffer.concat([...payloads].map(encodeRecord));
}

/** And apart again. */
export function inPayloads(piece: Uint8Array): Buffer[] {
  return decodeRecords(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)).payloads;
}
