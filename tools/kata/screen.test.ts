import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { Stage } from '../course.ts';
import { showHints, splitHints } from './hints.ts';
import { editorFor } from './open-text.ts';
import { render, type View } from './screen.ts';
import { showMarkdown, widthOf } from './text.ts';

const stages: Stage[] = Array.from({ length: 12 }, (_, index) => ({
  id: `4.${index + 1}`,
  title: 'does it fit',
  chapter: 'chapter4-scheduler',
}));
const [stage] = stages as [Stage];
const result = { ...stage, passed: 1, total: 3, notWritten: false, failure: '  ● fits\n\n    expected true', console: [] };
const view: View = {
  stage,
  stages,
  state: { stages: { '4.2': { passed: 3, total: 3 } } },
  outcome: { kind: 'result', result, ms: 640 },
  running: undefined,
  panel: undefined,
  cursor: undefined,
  note: undefined,
};
const shown = (change: Partial<View>, columns = 80, rows = 24) =>
  stripVTControlCharacters(render({ ...view, ...change }, { columns, rows }));

describe("the loop's screen", () => {
  it('shows the stage, how its tests ended, the first failure and the keys', () => {
    const text = shown({});
    expect(text).toMatch(/^ 4\.1 does it fit .* 4 scheduler · 1 of 12\n/);
    expect(text).toContain('✗ 1 of 3 tests pass  0.6 s');
    expect(text).toContain('expected true');
    expect(text).toMatch(/h hint .* n next .* q quit$/);
  });

  it('says what to do when all is green, when the code hangs, and when the process dies', () => {
    expect(shown({ outcome: { kind: 'result', ms: 1, result: { ...result, passed: 3, failure: undefined } } })).toMatch(
      /all 3 tests pass.*Done\. n goes on/s,
    );
    expect(shown({ outcome: { kind: 'stuck', test: 'fits › a pod' } })).toMatch(/fits › a pod\n.*endless loop/s);
    expect(shown({ outcome: { kind: 'ended', output: 'out of memory' } })).toMatch(/did not run to their end.*out of memory/s);
  });

  it('ticks off the tests while they run, and no longer shows a failure that may be mended', () => {
    expect(shown({ running: { passed: 0, latest: undefined, failed: undefined } })).toMatch(/^ … running\n[\s\S]*expected true/m);
    const text = shown({ running: { passed: 7, latest: 'rejects a full node', failed: undefined } });
    expect(text).toMatch(/^ ✓ rejects a full node {2}… 7 passed$/m);
    expect(text).not.toContain('expected true');
  });

  it('shows in full the first test that failed, while the others go on', () => {
    const failed = { title: `rejects ${'a full node '.repeat(20)}`, message: 'expected false\ngot       true' };
    const lines = shown({ running: { passed: 7, latest: 'fits', failed } }).split('\n');
    expect(lines[2]).toMatch(/^ ✗ rejects a full node .*… {2}… 7 passed$/);
    expect(lines).toContain('     got       true');
    expect(lines.filter((line) => widthOf(line) > 80 && !line.includes('●'))).toEqual([]);
  });

  it('puts a hint in the place of the failure', () => {
    expect(shown({ panel: 'Nudge' })).toContain('Nudge');
    expect(shown({ panel: 'Nudge' })).not.toContain('expected true');
  });

  it('fits its own lines into a narrow terminal', () => {
    const lines = shown({ outcome: { kind: 'result', ms: 1, result: { ...result, failure: undefined } } }, 30).split('\n');
    expect(lines.filter((line) => widthOf(line) > 30)).toEqual([]);
    expect(lines.at(-1)).toBe(' h d o r l n q');
  });

  it('keeps the chosen line of the list in sight', () => {
    const lines = shown({ cursor: 11 }, 80, 14).split('\n');
    expect(lines.length).toBeLessThanOrEqual(14);
    expect(lines.find((line) => line.includes('›'))).toContain('4.12');
    expect(shown({ cursor: 0 }, 80, 40)).toContain('✓ 4.2   does it fit');
  });
});

describe('hints', () => {
  const hints = splitHints('# 4.2 Does it fit\n\n## Nudge\n\nLook.\n\n## Idea\n\nThink.\n\n## Sketch\n\n```ts\ncode();\n```\n');

  it('come one more each time', () => {
    expect(hints.map(({ grade }) => grade)).toEqual(['Nudge', 'Idea', 'Sketch']);
    const two = stripVTControlCharacters(showHints(hints, 2, 60));
    expect(two).toBe('Nudge\n\nLook.\n\nIdea\n\nThink.\n\n2 of 3. Once more for the sketch.');
    expect(stripVTControlCharacters(showHints(hints, 3, 60))).toContain('  code();\n\nThat was the last hint.');
  });

  it('flow to the width, except code', () => {
    const text = 'one two `three` four\n\n- five six seven\n\n```\na very long line of code\n```\n';
    expect(stripVTControlCharacters(showMarkdown(text, 12))).toBe(
      'one two\nthree four\n\n- five six\n  seven\n\n  a very long line of code',
    );
  });
});

describe('the text of a stage opens', () => {
  const place = { path: 'README.md', line: 170 };
  it.each([
    [{ TERM_PROGRAM: 'vscode', EDITOR: 'vim' }, ['code', '--goto', 'README.md:170']],
    [{ EDITOR: 'vim' }, ['vim', '+170', 'README.md']],
    [{ VISUAL: 'code --wait', EDITOR: 'vim' }, ['code', '--wait', '--goto', 'README.md:170']],
    [{ EDITOR: '/opt/edit' }, ['/opt/edit', 'README.md']],
    [{}, undefined],
  ])('with %j by %j', (env, command) => {
    expect(editorFor(place, env)).toEqual(command);
  });
});
