// Which of the learner's chapters are green: every stage that there is has passed with the code as it is now. `npm test` wrote down
// how each ended, and with what code; nothing is run here.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chapters } from './chapters.ts';
import { fingerprintOf } from './fingerprint.ts';

interface Outcome {
  passed: number;
  total: number;
  /** The fingerprint of the chapter's code. */
  code?: string;
}

/** The numbers of the green chapters, and of the others that were begun why they are not. */
export function greenChapters(root: string): { green: Set<number>; reasons: string[] } {
  const outcomes = readOutcomes(join(root, '.kubekata/progress.json'));
  const green = new Set<number>();
  const reasons: string[] = [];
  for (const [index, chapter] of chapters.entries()) {
    const stages = stagesOf(root, chapter);
    if (!stages.some((stage) => (outcomes[stage]?.passed ?? 0) > 0)) continue;
    const reason = whyNotGreen(stages, outcomes, fingerprintOf(root, chapter));
    if (reason)
      reasons.push(
        `chapter ${index + 1} is the reference's: ${reason} (npm test -- chapter${index + 1}; --mine=${index + 1} takes it all the same)`,
      );
    else green.add(index + 1);
  }
  return { green, reasons };
}

/** Whether all tests of that stage passed when they were run last. */
export function isStageGreen(root: string, stage: string): boolean {
  const { passed = 0, total = 0 } = readOutcomes(join(root, '.kubekata/progress.json'))[stage] ?? {};
  return total > 0 && passed === total;
}

function whyNotGreen(stages: string[], outcomes: Record<string, Outcome>, code: string): string | undefined {
  const open = stages.filter((stage) => !outcomes[stage] || outcomes[stage].total === 0 || outcomes[stage].passed < outcomes[stage].total);
  if (open.length > 0) return `${open.join(', ')} ${open.length === 1 ? 'is' : 'are'} not green yet`;
  return stages.every((stage) => outcomes[stage]?.code === code) ? undefined : 'its code has changed since its tests passed';
}

function readOutcomes(file: string): Record<string, Outcome> {
  if (!existsSync(file)) return {};
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { stages?: Record<string, Outcome> }).stages ?? {};
  } catch {
    // A file that nobody can read tells nothing; the next `npm test` writes it anew.
    return {};
  }
}

function stagesOf(root: string, chapter: string): string[] {
  const tests = join(root, 'chapters', chapter, 'tests');
  const names = existsSync(tests) ? readdirSync(tests) : [];
  const ids = names.flatMap((name) => /^(\d+\.\d+)-.*\.test\.ts$/.exec(name)?.[1] ?? []);
  return ids.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
