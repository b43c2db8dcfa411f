// The three hints of a stage, one more each time: a nudge, the idea, a sketch.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../course.ts';
import { changeState, readState, recordHint } from './state.ts';
import { accent, dim, showMarkdown } from './text.ts';

export interface Hint {
  /** `Nudge` */
  grade: string;
  text: string;
}

export function readHints(root: string, { chapter, id }: Stage): Hint[] {
  const path = join(root, 'chapters', chapter, 'hints', `${id}.md`);
  return existsSync(path) ? splitHints(readFileSync(path, 'utf8')) : [];
}

export function splitHints(markdown: string): Hint[] {
  const [, ...parts] = markdown.split(/^## /m);
  return parts.map((part) => {
    const [grade = '', ...lines] = part.split('\n');
    return { grade: grade.trim(), text: lines.join('\n').trim() };
  });
}

/** One more than was shown so far, and those before it; remembered. */
export function nextHint(root: string, stage: Stage, width: number): string {
  const hints = readHints(root, stage);
  if (hints.length === 0) return `Stage ${stage.id} has no hints. Its text: chapters/${stage.chapter}/README.md, section ${stage.id}.`;
  const shown = Math.min(hints.length, (readState(root).stages[stage.id]?.hints ?? 0) + 1);
  changeState(root, (state) => recordHint(state, stage.id, shown));
  return showHints(hints, shown, width);
}

export function showHints(hints: Hint[], shown: number, width: number): string {
  const parts = hints.slice(0, shown).map(({ grade, text }) => `${accent(grade)}\n\n${showMarkdown(text, width)}`);
  const next = hints[shown]?.grade.toLowerCase();
  return `${parts.join('\n\n')}\n\n${dim(next ? `${shown} of ${hints.length}. Once more for the ${next}.` : 'That was the last hint. The diff with the solution is what is left.')}`;
}
