// Bodies in protobuf. The store, and every answer, is JSON; but client-go's typed clients (`kubectl create deployment`,
// `kubectl auth can-i`, `kubectl drain`) send protobuf since 1.32, whatever the server would like better. So it is read here,
// and turned into the JSON that the same client would have sent.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go

import fields from './generated/protobuf-fields.json' with { type: 'json' };
import type { JsonObject } from './json.ts';
import { BytesReader } from './protobuf-reader.ts';

/**
 * Message → field number → name and type. The type is a scalar or a message, after the word `list` or `map`, or `pointer`
 * where a value that is zero was meant to be. A field with the name `''` has its own fields in its place.
 */
const messages = fields as unknown as Record<string, Record<string, [name: string, type: string]>>;

/** Before every message, so that nobody takes one for another format. */
const magic = Buffer.from('k8s\0');

const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1';

/** Throws an Error that says what is wrong with the bytes. */
export function readProtobuf(bytes: Buffer): JsonObject {
  if (!bytes.subarray(0, magic.length).equals(magic)) throw new Error('it does not begin with "k8s" and a zero byte');
  const { apiVersion, kind, raw } = readEnvelope(new BytesReader(bytes.subarray(magic.length)));
  const message = kind === 'DeleteOptions' ? `${meta}.${kind}` : messageOf(apiVersion, kind);
  if (!messages[message]) throw new Error(`no kind ${kind} of ${apiVersion} is known in this format`);
  return { apiVersion, kind, ...readMessage(new BytesReader(raw), message) };
}

/** Kubernetes: runtime.Unknown, with a TypeMeta and the object's own bytes. */
function readEnvelope(reader: BytesReader): { apiVersion: string; kind: string; raw: Buffer } {
  const envelope: { apiVersion: string; kind: string; raw: Buffer } = { apiVersion: '', kind: '', raw: Buffer.alloc(0) };
  for (const { number, value } of reader.fields()) {
    if (number === 2) envelope.raw = asBytes(value);
    if (number !== 1) continue;
    for (const type of new BytesReader(asBytes(value)).fields()) {
      if (type.number === 1) envelope.apiVersion = asBytes(type.value).toString('utf8');
      if (type.number === 2) envelope.kind = asBytes(type.value).toString('utf8');
    }
  }
  return envelope;
}

/** `k8s.io.api.apps.v1.Deployment` of `apps/v1`, `Deployment` */
function messageOf(apiVersion: string, kind: string): string {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  return `k8s.io.api.${group.split('.')[0]}.${version}.${kind}`;
}

function readMessage(reader: BytesReader, message: string): JsonObject {
  const known = messages[message] ?? {};
  const object: JsonObject = {};
  for (const { number, value } of reader.fields()) {
    const [name, type = ''] = known[number] ?? [];
    // A field of a later version: an older server does not know it, whatever the format.
    if (name === undefined) continue;
    const [form = '', inner = ''] = type.includes(' ') ? type.split(' ') : ['', type];
    if (form === 'list') addItems(object, name, readItems(value, inner));
    else if (form === 'map') addEntry(object, name, readMapEntry(asBytes(value), inner));
    else if (name === '') Object.assign(object, readValue(value, inner) as JsonObject);
    else put(object, name, readValue(value, inner), form === 'pointer');
  }
  return object;
}

/** Go writes its zero values out where a field is no pointer; in JSON they are left out. */
function put(object: JsonObject, name: string, value: unknown, isPointer: boolean): void {
  const isEmpty = value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  if (isPointer || (!isEmpty && value !== '' && value !== 0 && value !== false)) object[name] = value;
}

function readItems(value: bigint | Buffer, type: string): unknown[] {
  const isPacked = value instanceof Buffer && /^(bool|u?int(32|64))$/.test(type);
  return isPacked ? [...new BytesReader(value).varints()].map((item) => readValue(item, type)) : [readValue(value, type)];
}

/** To the one list, and to the one map below: to copy them for every item takes minutes where somebody sends a hundred thousand. */
function addItems(object: JsonObject, name: string, items: unknown[]): void {
  const list = (object[name] ?? []) as unknown[];
  for (const item of items) list.push(item);
  object[name] = list;
}

function addEntry(object: JsonObject, name: string, [key, value]: [key: string, value: unknown]): void {
  const map = (object[name] ?? {}) as JsonObject;
  // Not by assignment, which does not make a property of `__proto__`.
  Object.defineProperty(map, key, { value, configurable: true, enumerable: true, writable: true });
  object[name] = map;
}

function readMapEntry(bytes: Buffer, type: string): [key: string, value: unknown] {
  let key = '';
  let value: unknown = type === 'string' || type === 'bytes' ? '' : {};
  for (const field of new BytesReader(bytes).fields()) {
    if (field.number === 1) key = asBytes(field.value).toString('utf8');
    if (field.number === 2) value = readValue(field.value, type);
  }
  return [key, value];
}

function readValue(value: bigint | Buffer, type: string): unknown {
  if (type === 'string') return asBytes(value).toString('utf8');
  if (type === 'bytes') return asBytes(value).toString('base64');
  if (type === 'double') return asBytes(value).readDoubleLE();
  if (typeof value === 'bigint') return type === 'bool' ? value !== 0n : Number(BigInt.asIntN(64, value));
  return readSpecial(value, type) ?? readMessage(new BytesReader(value), type);
}

/** Types whose JSON is no object of their fields; undefined for any other. */
function readSpecial(bytes: Buffer, type: string): unknown {
  const fields = new Map<number, bigint | Buffer>();
  const read = () => {
    for (const { number, value } of new BytesReader(bytes).fields()) fields.set(number, value);
    return fields;
  };
  const number = (field: number) => Number(BigInt.asIntN(64, (fields.get(field) as bigint | undefined) ?? 0n));
  const text = (field: number) => (fields.get(field) as Buffer | undefined)?.toString('utf8') ?? '';
  switch (type) {
    case `${meta}.Time`:
      return read().size === 0 ? null : new Date(number(1) * 1000).toISOString().replace('.000Z', 'Z');
    case `${meta}.MicroTime`:
      return read().size === 0 ? null : new Date(number(1) * 1000).toISOString().replace('.000Z', `.${microseconds(number(2))}Z`);
    case `${meta}.FieldsV1`:
    case 'k8s.io.apimachinery.pkg.runtime.RawExtension':
      return read().size === 0 ? null : JSON.parse(text(1));
    case 'k8s.io.apimachinery.pkg.api.resource.Quantity':
      return read() && text(1);
    case 'k8s.io.apimachinery.pkg.util.intstr.IntOrString':
      return read() && number(1) === 0 ? number(2) : text(3);
    default:
      return type.endsWith('.ExtraValue') ? (readMessage(new BytesReader(bytes), type).items ?? []) : undefined;
  }
}

function microseconds(nanoseconds: number): string {
  return String(Math.floor(nanoseconds / 1000)).padStart(6, '0');
}

function asBytes(value: bigint | Buffer): Buffer {
  if (value instanceof Buffer) return value;
  throw new Error('a number stands where bytes are expected');
}
