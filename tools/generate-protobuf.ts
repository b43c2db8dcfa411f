// npm run protobuf -- API APIMACHINERY: writes solutions/chapter2-api-server/generated/protobuf-fields.json, the field numbers
// of the kinds that clients send as protobuf. API and APIMACHINERY are the folders of the Go modules k8s.io/api and
// k8s.io/apimachinery (`go mod download -json k8s.io/api@v0.32.0` says where): protobuf numbers stand in no npm package.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resources } from '#api-server/resources';

const output = join('solutions', 'chapter2-api-server', 'generated', 'protobuf-fields.json');
/** `rbac` of `rbac.authorization.k8s.io` */
const goPackage = (group: string) => group.split('.')[0] || 'core';
/** Kinds that are sent without being stored. */
const alsoSent = [
  'k8s.io.api.core.v1.Binding',
  'k8s.io.api.policy.v1.Eviction',
  'k8s.io.api.autoscaling.v1.Scale',
  'k8s.io.api.authentication.v1.SelfSubjectReview',
  'k8s.io.api.authentication.v1.TokenRequest',
  'k8s.io.api.authentication.v1.TokenReview',
  'k8s.io.api.authorization.v1.LocalSubjectAccessReview',
  'k8s.io.api.authorization.v1.SelfSubjectAccessReview',
  'k8s.io.api.authorization.v1.SelfSubjectRulesReview',
  'k8s.io.api.authorization.v1.SubjectAccessReview',
  'k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions',
];

/** Message → field number → `[name in JSON, type]`; see protobuf.ts for what a type looks like. */
type Messages = Record<string, Record<string, [name: string, type: string]>>;

/** A struct's fields by protobuf number: the name in JSON (`''`: the field's own fields stand in its place), and whether it is a pointer. */
type GoFields = Map<string, { json: string; isPointer: boolean }>;

function readGoStructs(folder: string): Map<string, GoFields> {
  const structs = new Map<string, GoFields>();
  const files = readdirSync(folder).filter((name) => name.endsWith('.go') && !name.startsWith('generated') && !name.startsWith('zz_'));
  for (const file of files) {
    let fields: GoFields = new Map();
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const struct = /^type (\w+) struct \{/.exec(line);
      if (struct) {
        fields = new Map();
        structs.set(struct[1] ?? '', fields);
      }
      const field = /^\s+(?:\w+\s+)?(\*?)[\w.[\]*]+\s+`(?=.*json:"([^",]*))(?=.*protobuf:"\w+,(\d+),)/.exec(line);
      if (field) fields.set(field[3] ?? '', { json: field[2] ?? '', isPointer: field[1] === '*' });
    }
  }
  return structs;
}

function readPackage(folder: string): Messages {
  const text = readFileSync(join(folder, 'generated.proto'), 'utf8').replace(/\/\/.*$/gm, '');
  const packageName = /^package ([\w.]+);/m.exec(text)?.[1] ?? '';
  const structs = readGoStructs(folder);
  const messages: Messages = {};
  for (const [, message = '', body = ''] of text.matchAll(/^message (\w+) \{([\s\S]*?)^\}/gm)) {
    const go = structs.get(message);
    const fields = body.matchAll(/^\s*(optional|repeated|map<string, *([\w.]+)>)\s+(?:(\.?[\w.]+)\s+)?(\w+) = (\d+)/gm);
    messages[`${packageName}.${message}`] = Object.fromEntries(
      [...fields].map(([, label = '', mapValue, plainType = '', protoName = '', number = '']) => {
        const { json, isPointer } = go?.get(number) ?? { json: protoName, isPointer: false };
        const type = typeName(mapValue ?? plainType, packageName);
        const prefix = mapValue ? 'map ' : label === 'repeated' ? 'list ' : isPointer ? 'pointer ' : '';
        return [number, [json, prefix + type]];
      }),
    );
  }
  return messages;
}

/** Full names for messages; scalars as they are. */
function typeName(type: string, packageName: string): string {
  if (/^(string|bool|bytes|double|u?int(32|64))$/.test(type)) return type;
  return type.includes('.') ? type.replace(/^\./, '') : `${packageName}.${type}`;
}

function reachable(all: Messages, roots: string[]): Messages {
  const found: Messages = {};
  const visit = (name: string) => {
    const fields = all[name];
    if (found[name] || !fields) return;
    found[name] = fields;
    for (const [, type] of Object.values(fields)) visit(type.split(' ').at(-1) ?? '');
  };
  for (const name of roots) visit(name);
  return found;
}

const [api, apimachinery] = process.argv.slice(2);
if (!api || !apimachinery) throw new Error('say where the Go modules k8s.io/api and k8s.io/apimachinery are');
/** Definitions of kinds stand in a module of their own; those who write them send JSON. */
const sent = resources.filter(({ group }) => group !== 'apiextensions.k8s.io');
const versions = ['authentication/v1', 'authorization/v1', 'autoscaling/v1', 'policy/v1'];
for (const { group, version } of sent) versions.push(`${goPackage(group)}/${version}`);
const machinery = ['apis/meta/v1', 'api/resource', 'runtime', 'util/intstr'].map((path) => join(apimachinery, 'pkg', path));
const all: Messages = Object.assign(
  {},
  ...[...new Set(versions)].map((path) => readPackage(join(api, path))),
  ...machinery.map(readPackage),
);
const stored = sent.map(({ group, version, kind }) => `k8s.io.api.${goPackage(group)}.${version}.${kind}`);
const missing = [...stored, ...alsoSent].filter((name) => !all[name]);
if (missing.length > 0) throw new Error(`no field numbers found for ${missing.join(', ')}`);
const lines = Object.entries(reachable(all, [...stored, ...alsoSent]))
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, fields]) => `${JSON.stringify(name)}: ${JSON.stringify(fields)}`);
writeFileSync(output, `{\n${lines.join(',\n')}\n}\n`);
