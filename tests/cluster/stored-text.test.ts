import { describe, expect, it } from '@jest/globals';
import { decode, type Entry } from '#api-server/storage';
import { encode, listText } from '#api-server/stored-text';

const type = { kind: 'ConfigMapList', apiVersion: 'v1' };
const of = { group: '', version: 'v1', kind: 'ConfigMap' };

function entry(value: string, revision: number): Entry {
  const stored = { key: Buffer.from('/registry/configmaps/a'), value: Buffer.from(value), mod_revision: String(revision) } as never;
  return { key: 'a', object: decode(stored), stored };
}

const configMap = (name: string, fields: object = {}) => ({
  ...fields,
  apiVersion: 'v1',
  metadata: { name, resourceVersion: '1' },
  kind: 'ConfigMap',
});
const read = (text: Buffer | undefined) => JSON.parse(text?.toString() ?? 'null');

describe('a list of texts', () => {
  it('says what a list of objects says, whatever is in them', () => {
    const awkward = { data: { 'kind"': '"metadata":{', text: 'Grüße, \u2028 😀\n' } };
    const items = [entry(encode(configMap('a', awkward)), 7), entry(encode(configMap('b')), 12)];
    const metadata = { resourceVersion: '12', continue: 'word' };
    const expected = items.map(({ object: { kind, apiVersion, ...rest } }) => rest);
    expect(read(listText(items, type, metadata, of))).toEqual({ ...type, metadata, items: expected });
    expect(expected[0]?.metadata.resourceVersion).toBe('7');
    expect(expected[0]).toMatchObject(awkward);
  });

  it('may be empty', () => {
    expect(read(listText([], type, { resourceVersion: '3' }, of))).toEqual({ ...type, metadata: { resourceVersion: '3' }, items: [] });
  });

  it.each([
    ['written in another order', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}'],
    ['written with spaces', '{ "kind": "ConfigMap", "apiVersion": "v1", "metadata": { "name": "a" } }'],
    ['of another version', '{"kind":"ConfigMap","apiVersion":"v1beta1","metadata":{"name":"a"}}'],
    ['without metadata', '{"kind":"ConfigMap","apiVersion":"v1","metadata":{}}'],
  ])('is none where an object is %s: that one has to be read', (_, value) => {
    expect(listText([entry(encode(configMap('b')), 2), entry(value, 3)], type, {}, of)).toBeUndefined();
  });

  it('is none of objects that came from memory', () => {
    expect(listText([{ key: 'a', object: configMap('a') }], type, {}, of)).toBeUndefined();
  });
});
