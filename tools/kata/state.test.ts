import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { changeState, currentStage, readState, recordHint, recordResult, stageAfter, stateFile } from './state.ts';

const green = { passed: 2, total: 2 };
const red = { passed: 1, total: 2 };
const stages = ['1.1', '1.2', '1.10'].map((id) => ({ id }));

describe('what the course remembers', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kubekata-state-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('begins at the first stage that is not green', () => {
    expect(currentStage(readState(root), stages)).toEqual({ id: '1.1' });
    expect(currentStage({ stages: { '1.1': green, '1.2': red } }, stages)).toEqual({ id: '1.2' });
    expect(currentStage({ stages: { '1.1': green, '1.2': green, '1.10': green } }, stages)).toEqual({ id: '1.10' });
  });

  it('stays where the learner jumped to, until the course has that stage no more', () => {
    expect(currentStage({ current: '1.10', stages: {} }, stages)).toEqual({ id: '1.10' });
    expect(currentStage({ current: '1.11', stages: {} }, stages)).toEqual({ id: '1.1' });
  });

  it('goes to the next stage that is not green, and around', () => {
    expect(stageAfter({ stages: { '1.2': green } }, stages, '1.1')).toEqual({ id: '1.10' });
    expect(stageAfter({ stages: {} }, stages, '1.10')).toEqual({ id: '1.1' });
    expect(stageAfter({ stages: { '1.2': green, '1.10': green } }, stages, '1.1')).toBeUndefined();
  });

  it('keeps hints and results apart, and what it does not know', () => {
    changeState(root, (state) => recordHint(state, '1.1', 2));
    changeState(root, (state) => recordResult(state, '1.1', green));
    changeState(root, (state) => recordResult(state, '9.9', red));
    expect(readState(root).stages).toEqual({ '1.1': { ...green, hints: 2 }, '9.9': red });
    expect(readdirSync(dirname(stateFile(root)))).toEqual(['progress.json']);
  });

  it('begins anew when its file is broken', () => {
    mkdirSync(dirname(stateFile(root)), { recursive: true });
    writeFileSync(stateFile(root), '{"stages": {');
    expect(readState(root)).toEqual({ stages: {} });
  });
});
