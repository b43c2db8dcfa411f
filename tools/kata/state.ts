// What the course remembers of a learner: the stage they are at, how far each stage is, and how many hints they took. One small
// file, keyed by the ids of stages, which never change: it survives every update of the course, and a stage that is not known
// here is just not begun.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface StageState {
  /** Tests, as they ended last. */
  passed: number;
  total: number;
  /** The fingerprint of the chapter's code then (tools/fingerprint.ts). */
  code?: string;
  /** How many of the three grades were shown. */
  hints?: number;
}

export interface KataState {
  /** The stage that the loop is at. */
  current?: string;
  stages: Record<string, StageState>;
}

export function stateFile(root: string): string {
  return join(root, '.kubekata/progress.json');
}

/** What was written last; nothing when there is no file, or one that nobody can read. */
export function readState(root: string): KataState {
  try {
    const { current, stages } = JSON.parse(readFileSync(stateFile(root), 'utf8')) as Partial<KataState>;
    return { ...(typeof current === 'string' ? { current } : {}), stages: stages && typeof stages === 'object' ? stages : {} };
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return { stages: {} };
    throw error;
  }
}

/** Changes what is written now, so that a run beside this one loses nothing; readers see the old file or the new one. */
export function changeState(root: string, change: (state: KataState) => KataState): KataState {
  const state = change(readState(root));
  const file = stateFile(root);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
  return state;
}

export function recordResult(state: KataState, id: string, result: { passed: number; total: number }, code?: string): KataState {
  const { passed, total } = result;
  return withStage(state, id, { passed, total, ...(code === undefined ? {} : { code }) });
}

export function recordHint(state: KataState, id: string, hints: number): KataState {
  return withStage(state, id, { hints });
}

function withStage(state: KataState, id: string, change: Partial<StageState>): KataState {
  return { ...state, stages: { ...state.stages, [id]: { passed: 0, total: 0, ...state.stages[id], ...change } } };
}

export function isGreen(state: KataState, id: string): boolean {
  const { passed = 0, total = 0 } = state.stages[id] ?? {};
  return total > 0 && passed === total;
}

/** Where the learner is: where they jumped to, else the first stage that is not green, else the last one. */
export function currentStage<T extends { id: string }>(state: KataState, stages: T[]): T | undefined {
  return stages.find(({ id }) => id === state.current) ?? stages.find(({ id }) => !isGreen(state, id)) ?? stages.at(-1);
}

/** The next one that is not green, from the beginning again after the last; undefined when all others are green. */
export function stageAfter<T extends { id: string }>(state: KataState, stages: T[], id: string): T | undefined {
  const at = stages.findIndex((stage) => stage.id === id);
  return [...stages.slice(at + 1), ...stages.slice(0, Math.max(at, 0))].find((stage) => !isGreen(state, stage.id));
}
