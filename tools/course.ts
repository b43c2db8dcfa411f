// The stages that can be worked on, in the order of the course: one a test file. Tools that list, choose or remember stages start here.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chapters } from './chapters.ts';

export interface Stage {
  /** `4.2`; a stage keeps it for ever. */
  id: string;
  /** `does it fit` */
  title: string;
  /** `chapter4-scheduler` */
  chapter: string;
}

export function readStages(root: string): Stage[] {
  return chapters.flatMap((chapter) => {
    const tests = join(root, 'chapters', chapter, 'tests');
    const names = existsSync(tests) ? readdirSync(tests) : [];
    return names.flatMap((name) => stageOfTest(`chapters/${chapter}/tests/${name}`) ?? []).sort(byId);
  });
}

/** The stage that a test file belongs to. */
export function stageOfTest(path: string): Stage | undefined {
  const [, chapter, id, slug] = /chapters[\\/]([^\\/]+)[\\/]tests[\\/](\d+\.\d+)-(.*)\.test\.ts$/.exec(path) ?? [];
  return chapter && id && slug ? { chapter, id, title: slug.replaceAll('-', ' ') } : undefined;
}

/** From the root. */
export function testOf({ chapter, id, title }: Stage): string {
  return `chapters/${chapter}/tests/${id}-${title.replaceAll(' ', '-')}.test.ts`;
}

/** 1.2 before 1.10 */
export function byId(a: { id: string }, b: { id: string }): number {
  return a.id.localeCompare(b.id, 'en', { numeric: true });
}

/** `1 etcd` */
export function chapterName(chapter: string): string {
  return chapter.replace(/^chapter(\d+)-/, '$1 ').replaceAll('-', ' ');
}

export function chapterNumber(chapter: string): number {
  return (chapters as readonly string[]).indexOf(chapter) + 1;
}
