import { describe, expect, it } from '@jest/globals';
import type { Circus } from '@jest/types';
import { runFirst } from './loop-environment.ts';

const test = (name: string) => ({ type: 'test', name }) as Circus.TestEntry;
const block = (name: string, ...children: Circus.DescribeBlock['children']) =>
  ({ type: 'describeBlock', name, children }) as unknown as Circus.DescribeBlock;
const outline = ({ name, children }: Circus.DescribeBlock): unknown[] => [
  name,
  ...children.map((entry) => (entry.type === 'describeBlock' ? outline(entry) : entry.name)),
];
const file = () =>
  block('ROOT', block('etcd', test('starts'), block('1.1 keys', test('puts'), test('gets')), block('1.2 ranges', test('gets'))));

describe('the test that failed last', () => {
  it('runs first, with its block; the others keep their order', () => {
    const root = file();
    expect(runFirst('etcd 1.1 keys gets', root)).toBe(true);
    expect(outline(root)).toEqual(['ROOT', ['etcd', ['1.1 keys', 'gets', 'puts'], 'starts', ['1.2 ranges', 'gets']]]);
  });

  it('is looked for by its full name', () => {
    const root = file();
    runFirst('etcd 1.2 ranges gets', root);
    expect(outline(root)).toEqual(['ROOT', ['etcd', ['1.2 ranges', 'gets'], 'starts', ['1.1 keys', 'puts', 'gets']]]);
  });

  it('moves nothing when there is no such test any more', () => {
    const root = file();
    expect(runFirst('etcd 1.1 keys deletes', root)).toBe(false);
    expect(outline(root)).toEqual(outline(file()));
  });
});
