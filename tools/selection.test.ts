import { describe, expect, it } from '@jest/globals';
import type { Stage } from './course.ts';
import { select } from './selection.ts';

const stage = (chapter: string, id: string, title: string): Stage => ({ chapter, id, title });
const stages = [
  stage('chapter1-etcd', '1.1', 'keys and values'),
  stage('chapter1-etcd', '1.10', 'three members'),
  stage('chapter3-controller-manager', '3.4', 'deployments'),
];
/** The test files that jest would take. */
function chosen(...words: string[]): string[] {
  const { args } = select(words, stages);
  const patterns = args.filter((arg) => !arg.startsWith('-'));
  return stages
    .filter(({ chapter, id, title }) =>
      patterns.some((pattern) => new RegExp(pattern).test(`chapters/${chapter}/tests/${id}-${title}.test.ts`)),
    )
    .map(({ id }) => id);
}

describe('npm test -- words', () => {
  it('takes a stage by its id, and no other that begins the same', () => {
    expect(chosen('1.1')).toEqual(['1.1']);
    expect(chosen('3.4', '1.10')).toEqual(['1.10', '3.4']);
    expect(chosen('3.4-deployments')).toEqual(['3.4']);
    expect(select(['3.4'], stages).chapters).toEqual(['chapter3-controller-manager']);
  });

  it('takes a chapter by its number or name', () => {
    for (const word of ['chapter1', 'chapter1-etcd', '1']) {
      expect(chosen(word)).toEqual(['1.1', '1.10']);
      expect(select([word], stages).chapters).toEqual(['chapter1-etcd']);
    }
    expect(new RegExp(select(['chapter1'], stages).args[0] ?? '').test('chapters/chapter10-etcd/tests/10.1-x.test.ts')).toBe(false);
  });

  it.each([
    ['4.9', /no stage 4\.9.*chapter4-scheduler/s],
    ['3.9', /no stage 3\.9. Chapter 3 has.*3\.4 {3}deployments/s],
    ['chapter9', /no chapter chapter9.*chapter1-etcd.*chapter6-kube-proxy/s],
    ['schedular', /No test is called schedular.*chapter4-scheduler/s],
  ])('says of %s that there is none, and what there is', (word, message) => {
    expect(() => select([word], stages)).toThrow(message);
  });

  it('leaves to jest what is for jest', () => {
    for (const words of [[], ['-t', '3.4'], ['--watch'], ['chapters/chapter1-etcd/tests/1.1-keys-and-values.test.ts'], ['deployments']]) {
      expect(select(words, stages)).toEqual({ args: words, chapters: undefined });
    }
    expect(select(['--watch', '1.1', '-t', '9'], stages).args).toEqual(['--watch', 'chapters/chapter1-etcd/tests/1\\.1-', '-t', '9']);
    expect(select(['--verbose'], stages).args).toContain('--reporters=default');
  });

  it('looks at all chapters when a pattern of jest stands beside', () => {
    expect(select(['1.1', 'deployments'], stages).chapters).toBeUndefined();
  });
});
