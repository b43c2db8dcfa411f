// What the loop shows, as text for a width and height: decided here, written elsewhere.

import { chapterName, type Stage } from '../course.ts';
import type { Outcome, Progress } from './stage-run.ts';
import { isGreen, type KataState } from './state.ts';
import { accent, bad, clip, dim, good, padEnd, showMarkdown, strong, widthOf } from './text.ts';

export interface View {
  stage: Stage;
  stages: Stage[];
  state: KataState;
  outcome: Outcome | undefined;
  /** The run that goes on; undefined: none does. */
  running: Progress | undefined;
  /** Shown in place of the failure: a hint, a question. */
  panel: string | undefined;
  /** The place in the list of stages, when it is shown. */
  cursor: number | undefined;
  /** A remark under the status. */
  note: string | undefined;
}

export interface Size {
  columns: number;
  rows: number;
}

const keys: [key: string, does: string][] = [
  ['h', 'hint'],
  ['d', 'diff'],
  ['o', 'open text'],
  ['r', 'reset'],
  ['l', 'list'],
  ['n', 'next'],
  ['q', 'quit'],
];

export function render(view: View, { columns, rows }: Size): string {
  const width = Math.max(20, columns - 2);
  const head = [title(view, width), dim('─'.repeat(width)), status(view, width)];
  if (view.note) head.push(dim(clip(view.note, width)));
  const foot = view.cursor === undefined ? keyLine(width) : dim(clip('↑ ↓ choose · enter jump · esc back', width));
  const room = rows - head.length - 4;
  const body = view.cursor !== undefined ? list(view, width, room) : (view.panel ?? explain(view, width));
  const lines = [...head, '', ...(body ? [...body.split('\n'), ''] : []), foot];
  return lines.map((line) => ` ${line}`.trimEnd()).join('\n');
}

function title({ stage, stages, state }: View, width: number): string {
  const siblings = stages.filter(({ chapter }) => chapter === stage.chapter);
  const green = siblings.filter(({ id }) => isGreen(state, id)).length;
  const right = `${chapterName(stage.chapter)} · ${green} of ${siblings.length}`;
  const room = width - widthOf(right) - 2;
  if (room < stage.id.length + 10) return strong(accent(clip(`${stage.id} ${stage.title}`, width)));
  const left = clip(`${stage.id} ${stage.title}`, room);
  return `${padEnd(strong(accent(left)), room + 2)}${dim(right)}`;
}

function status({ outcome, running }: View, width: number): string {
  if (running) return statusOfRun(running, width);
  switch (outcome?.kind) {
    case undefined:
      return dim('…');
    case 'ended':
      return `${bad('✗')} the tests did not run to their end`;
    case 'stuck':
      return `${bad('✗')} your code does not come back`;
    case 'result': {
      const { passed, total, failure, notWritten } = outcome.result;
      const seconds = dim(`${(outcome.ms / 1000).toFixed(1)} s`);
      if (!failure) return `${good('✓')} all ${total} tests pass  ${seconds}`;
      const mark = notWritten ? accent('·') : bad('✗');
      return `${mark} ${total === 0 ? 'the file could not be loaded' : `${passed} of ${total} tests pass`}  ${seconds}`;
    }
  }
}

/** The first failure as soon as there is one; until then the tests tick by. */
function statusOfRun({ passed, latest, failed }: Progress, width: number): string {
  const count = `… ${passed} passed`;
  const room = width - count.length - 4;
  if (failed) return `${failed.message.includes('NotImplemented') ? accent('·') : bad('✗')} ${clip(failed.title, room)}  ${dim(count)}`;
  return latest === undefined ? `${accent('…')} running` : `${good('✓')} ${clip(latest, room)}  ${dim(count)}`;
}

/** The first failure in full, or what to do now. */
function explain({ outcome, running, stage, stages, state }: View, width: number): string {
  if (running?.failed) return `  ● ${running.failed.title}\n\n${running.failed.message.replace(/^/gm, '    ')}`;
  // The test that failed last runs first: what was said of it is no longer true once a test has passed.
  if (running?.latest !== undefined) return '';
  switch (outcome?.kind) {
    case undefined:
      return '';
    case 'stuck': {
      const where = outcome.test ? `in the test\n\n  ${outcome.test}\n\n` : '';
      return `It was busy for many seconds without a pause, ${where}That is an endless loop: look for a condition that never changes.\nThe process was ended; save a change, and the tests run again.`;
    }
    case 'ended':
      return `The process of the tests ended before it had a result. It said:\n\n${lastLines(outcome.output, 20) || 'nothing'}`;
    case 'result': {
      const { failure, console } = outcome.result;
      const said = console.slice(0, 20).map(({ message, origin }) => dim(`${message}  ${origin.trim().split('\n')[0] ?? ''}`));
      if (failure) return [failure.replace(/^\n+/, ''), ...said].join('\n');
      const left = stages.some(({ id }) => id !== stage.id && !isGreen(state, id));
      const next = left ? `${strong('n')} goes on to the next stage.` : 'That was the last one: the whole course is green.';
      const number = stage.id.split('.')[0];
      const text = `Done. ${next} \`d\` shows how the solution does it; \`npm start -- --mine=${number}\` shows yours at work.`;
      return [showMarkdown(text, width), ...said].join('\n');
    }
  }
}

function lastLines(text: string, count: number): string {
  return text.split('\n').slice(-count).join('\n');
}

function keyLine(width: number): string {
  const full = keys.map(([key, does]) => `${accent(key)} ${dim(does)}`).join('   ');
  if (widthOf(full) <= width) return full;
  const close = keys.map(([key, does]) => `${accent(key)} ${dim(does.split(' ')[0] ?? '')}`).join(' ');
  return widthOf(close) <= width ? close : keys.map(([key]) => accent(key)).join(' ');
}

/** The stages around the cursor that there is room for. */
function list({ stages, state, stage, cursor = 0 }: View, width: number, room: number): string {
  const lines = stageList(stages, state, { current: stage.id, selected: stages[cursor]?.id, width });
  const at = lines.findIndex(({ id }) => id === stages[cursor]?.id);
  const size = Math.max(3, room);
  const first = Math.max(0, Math.min(at - Math.floor(size / 2), lines.length - size));
  return lines
    .slice(first, first + size)
    .map(({ text }) => text)
    .join('\n');
}

export interface ListOptions {
  current: string | undefined;
  selected?: string | undefined;
  width: number;
}

/** All stages under their chapters; ✓ green, · begun or not. */
export function stageList(stages: Stage[], state: KataState, { current, selected, width }: ListOptions): { id?: string; text: string }[] {
  return stages.flatMap((stage, index) => {
    const { passed = 0, total = 0 } = state.stages[stage.id] ?? {};
    const mark = isGreen(state, stage.id) ? good('✓') : dim('·');
    const name = clip(`${stage.id.padEnd(5)} ${stage.title}`, Math.max(12, width - 18));
    const shown = stage.id === selected ? accent(strong(name)) : name;
    const count = total > 0 ? dim(`${passed} of ${total}`) : '';
    const pointer = stage.id === (selected ?? current) ? accent('›') : ' ';
    const line = { id: stage.id, text: `${pointer} ${mark} ${padEnd(shown, Math.min(44, Math.max(12, width - 18)))} ${count}`.trimEnd() };
    if (stage.chapter === stages[index - 1]?.chapter) return [line];
    return [...(index > 0 ? [{ text: '' }] : []), { text: strong(chapterName(stage.chapter)) }, line];
  });
}
