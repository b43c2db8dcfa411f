// What `npm test -- <words>` means. `chapter3` and `3` are that chapter, `3.4` is that stage and not 3.40. Everything else goes
// to jest as it is: its options, and patterns of paths.

import { UsageError } from '#cluster/flags';
import { chapters as allChapters } from './chapters.ts';
import { type Stage, testOf } from './course.ts';

export interface Selection {
  /** For jest. */
  args: string[];
  /** The only chapters that are asked for; undefined: jest must look at all. */
  chapters: string[] | undefined;
}

/** Options of jest whose value is the next word. */
const takesValue = new Set([
  ...['-t', '--testNamePattern', '-c', '--config', '-w', '--maxWorkers', '--testTimeout', '--shard', '--reporters', '--seed'],
  ...['--outputFile', '--env', '--changedSince', '--coverageDirectory', '--coverageReporters', '--collectCoverageFrom'],
  ...['--testPathIgnorePatterns', '--testPathPatterns', '--selectProjects', '--ignoreProjects', '--maxConcurrency', '--rootDir'],
]);

/** @throws UsageError when a word names a chapter or stage that does not exist */
export function select(words: string[], stages: Stage[]): Selection {
  const chosen = words.map((word, index) => (isPattern(words, index) ? choose(word, stages) : undefined));
  const patterns = words.filter((_, index) => isPattern(words, index));
  const named = chosen.filter((choice) => choice !== undefined);
  const onlyNamed = named.length > 0 && named.length === patterns.length;
  const args = words.map((word, index) => chosen[index]?.pattern ?? word);
  return {
    args: words.includes('--verbose') ? [...args, '--reporters=default'] : args,
    chapters: onlyNamed ? allChapters.filter((chapter) => named.some((choice) => choice.chapter === chapter)) : undefined,
  };
}

function isPattern(words: string[], index: number): boolean {
  const word = words[index] ?? '';
  return !word.startsWith('-') && !takesValue.has(words[index - 1] ?? '');
}

function choose(word: string, stages: Stage[]): { chapter: string; pattern: string } | undefined {
  if (/^\d+\.\d+(-[\w-]*)?$/.test(word)) {
    const { chapter, id } = findStage(word, stages);
    return { chapter, pattern: `chapters/${chapter}/tests/${id.replace('.', '\\.')}-` };
  }
  if (/^(chapter)?\d+(-[\w-]*)?$/.test(word)) {
    const chapter = findChapter(word);
    return { chapter, pattern: `chapters/${chapter}/tests/` };
  }
  const known = stages.some((stage) => testOf(stage).includes(word));
  if (/^[\w-]+$/.test(word) && !known) throw new UsageError(`No test is called ${word}.\n\n${whatExists()}`);
  return undefined;
}

/** @throws UsageError that names the stages of that chapter */
export function findStage(word: string, stages: Stage[]): Stage {
  const [id = ''] = word.split('-');
  const stage = stages.find((stage) => stage.id === id);
  if (stage) return stage;
  const [number] = id.split('.');
  const siblings = stages.filter((stage) => stage.id.startsWith(`${number}.`));
  if (siblings.length === 0) throw new UsageError(`There is no stage ${word}.\n\n${whatExists()}`);
  const lines = siblings.map(({ id, title }) => `  ${id.padEnd(5)} ${title}`);
  throw new UsageError(`There is no stage ${word}. Chapter ${number} has\n\n${lines.join('\n')}`);
}

function findChapter(word: string): string {
  const name = word.startsWith('chapter') ? word : `chapter${word}`;
  const chapter = allChapters.find((chapter) => chapter === name || chapter.startsWith(`${name}-`));
  if (!chapter) throw new UsageError(`There is no chapter ${word}.\n\n${whatExists()}`);
  return chapter;
}

function whatExists(): string {
  return `The chapters are\n\n${allChapters.map((chapter) => `  ${chapter}`).join('\n')}\n\nand a stage is named like 3.4; npm run kata -- list shows all.`;
}
