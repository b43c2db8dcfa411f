// Objects as client-go's typed clients write them: in protobuf, and now and then with bytes that are missing, other ones, or too many.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceDefinition } from '#api-server/resources';
import { apiVersionOf } from '#api-server/resources';
import type { Random } from '#kit/clock';

const written = join('solutions', 'chapter2-api-server', 'generated', 'protobuf-fields.json');
/** Message → field number → name and type: what the server reads them by. */
const messages = JSON.parse(readFileSync(written, 'utf8')) as Record<string, Record<string, [name: string, type: string]>>;

export function randomProtobuf(resource: ResourceDefinition, object: unknown, random: Random): Buffer {
  const group = resource.group === '' ? 'core' : resource.group.split('.')[0];
  const message = `k8s.io.api.${group}.${resource.version}.${resource.kind}`;
  const type = Buffer.concat([bytesField(1, Buffer.from(apiVersionOf(resource))), bytesField(2, Buffer.from(resource.kind))]);
  const whole = Buffer.concat([Buffer.from('k8s\0'), bytesField(1, type), bytesField(2, messageOf(object, message))]);
  return random() < 0.3 ? damaged(whole, random) : whole;
}

function damaged(bytes: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * bytes.length);
  const chance = random();
  if (chance < 0.3) return bytes.subarray(0, at);
  if (chance < 0.6) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
  const copy = Buffer.from(bytes);
  copy[at] = Math.floor(random() * 256);
  return chance < 0.9 ? copy : Buffer.concat([bytes, copy]);
}

function messageOf(object: unknown, message: string): Buffer {
  if (typeof object !== 'object' || object === null) return Buffer.alloc(0);
  const parts = Object.entries(messages[message] ?? {}).flatMap(([number, [name, type]]) => {
    const value = name === '' ? object : (object as Record<string, unknown>)[name];
    const [form, inner = ''] = type.includes(' ') ? type.split(' ') : ['', type];
    if (value === undefined) return [];
    if (form === 'list') return (Array.isArray(value) ? value : [value]).map((item) => fieldOf(Number(number), item, inner));
    if (form !== 'map') return [fieldOf(Number(number), value, inner)];
    return Object.entries(value ?? {}).map(([key, item]) =>
      bytesField(Number(number), Buffer.concat([fieldOf(1, key, 'string'), fieldOf(2, item, inner)])),
    );
  });
  return Buffer.concat(parts);
}

function fieldOf(number: number, value: unknown, type: string): Buffer {
  if (/^(bool|u?int(32|64))$/.test(type)) return Buffer.concat([varint(number * 8), varint(Math.trunc(Number(value)) || 0)]);
  if (type === 'string' || type === 'bytes') return bytesField(number, Buffer.from(String(value)));
  if (type.endsWith('.Quantity')) return bytesField(number, bytesField(1, Buffer.from(String(value))));
  if (type.endsWith('Time')) return bytesField(number, fieldOf(1, Date.parse(String(value)) / 1000, 'int64'));
  if (type.endsWith('.IntOrString') && typeof value === 'number') return bytesField(number, fieldOf(2, value, 'int32'));
  if (type.endsWith('.IntOrString')) return bytesField(number, Buffer.concat([fieldOf(1, 1, 'int64'), fieldOf(3, value, 'string')]));
  if (/\.(FieldsV1|RawExtension)$/.test(type)) return bytesField(number, bytesField(1, Buffer.from(JSON.stringify(value))));
  return bytesField(number, messageOf(value, type));
}

function bytesField(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A negative number has 64 bits. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
