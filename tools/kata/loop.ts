// The watch loop: shows the current stage, runs its tests again when a file is saved, and does what the keys say. It needs a
// terminal; all that decides is elsewhere (state.ts, screen.ts), all that computes is in other processes (stage-run.ts).

import { emitKeypressEvents } from 'node:readline';
import { UsageError } from '#cluster/flags';
import { systemClock } from '#kit/clock';
import { readStages, type Stage } from '../course.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { showDiff } from './diff.ts';
import { nextHint } from './hints.ts';
import { openText } from './open-text.ts';
import { resetStage } from './reset.ts';
import { type Saves, watchSaves } from './saves.ts';
import { render, type View } from './screen.ts';
import { StageRuns } from './stage-run.ts';
import { changeState, currentStage, readState, recordResult, stageAfter } from './state.ts';
import { showMarkdown } from './text.ts';

interface Key {
  name?: string | undefined;
  ctrl?: boolean;
  sequence?: string;
}

export class Loop {
  readonly #root: string;
  readonly #runs: StageRuns;
  readonly #stages: Stage[];
  readonly #view: View;
  readonly #ended = Promise.withResolvers<void>();
  #saves: Saves | undefined;
  /** What y does; any other key does nothing. */
  #onYes: (() => void) | undefined;

  constructor(root: string) {
    this.#root = root;
    this.#runs = new StageRuns(root, systemClock);
    this.#stages = readStages(root);
    const state = readState(root);
    const stage = currentStage(state, this.#stages);
    if (!stage) throw new UsageError('There are no stages in chapters/*/tests: is this a whole copy of the course?');
    const nothing = { outcome: undefined, running: undefined, panel: undefined, cursor: undefined, note: undefined };
    this.#view = { stage, stages: this.#stages, state, ...nothing };
  }

  /** Resolves when the learner leaves. */
  async run({ poll }: { poll: boolean }): Promise<void> {
    const { stdin, stdout } = process;
    emitKeypressEvents(stdin);
    stdin.setRawMode(true);
    stdin.on('keypress', this.#onKey);
    stdout.on('resize', this.#draw);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.#ended.resolve());
    process.on('exit', () => this.#runs.stop());
    try {
      void this.#test();
      this.#saves = await watchSaves(this.#root, { clock: systemClock, poll, onSave: this.#onSave });
      if (this.#saves.polling)
        this.#show({
          note: poll ? 'Looking for saved files all the time.' : 'File events do not arrive here: looking for saved files all the time.',
        });
      await this.#ended.promise;
    } finally {
      this.#runs.stop();
      await this.#saves?.close();
      stdin.setRawMode(false);
      stdin.pause();
      stdout.write('\n');
    }
  }

  readonly #draw = (): void => {
    const { columns, rows } = process.stdout;
    process.stdout.write(`\x1b[H\x1b[2J\x1b[3J${render(this.#view, { columns: columns || 80, rows: rows || 24 })}\n`);
  };

  #show(change: Partial<View>): void {
    Object.assign(this.#view, change);
    this.#draw();
  }

  readonly #onSave = (path: string): void => {
    // Another chapter's file says nothing about this stage.
    if (!path.replaceAll('\\', '/').includes(`/chapters/${this.#view.stage.chapter}/`)) return;
    this.#view.panel = undefined;
    void this.#test();
  };

  async #test(): Promise<void> {
    const { stage } = this.#view;
    this.#show({ running: { passed: 0, latest: undefined, failed: undefined } });
    const code = fingerprintOf(this.#root, stage.chapter);
    const outcome = await this.#runs.run(stage, (running) => this.#show({ running }));
    if (!outcome) return;
    if (outcome.kind === 'result') changeState(this.#root, (state) => recordResult(state, stage.id, outcome.result, code));
    this.#show({ outcome, running: undefined, state: readState(this.#root) });
  }

  #go(stage: Stage | undefined) {
    if (!stage) return this.#show({ note: 'Every other stage is green.' });
    const state = changeState(this.#root, (state) => ({ ...state, current: stage.id }));
    Object.assign(this.#view, { stage, state, outcome: undefined, panel: undefined, cursor: undefined, note: undefined });
    void this.#test();
  }

  readonly #onKey = (_: string | undefined, key: Key) => {
    if (key.ctrl && key.name === 'c') return this.#ended.resolve();
    const onYes = this.#onYes;
    this.#onYes = undefined;
    if (onYes) {
      if (key.name === 'y') onYes();
      else this.#show({ panel: undefined, note: 'Nothing was changed.' });
    } else if (this.#view.cursor !== undefined) this.#choose(key, this.#view.cursor);
    else this.#do(key);
  };

  #do({ name }: Key) {
    const { stage, state } = this.#view;
    const width = (process.stdout.columns || 80) - 2;
    switch (name) {
      case 'h':
        return this.#show({ panel: nextHint(this.#root, stage, Math.min(width, 88)), note: undefined });
      case 'd':
        return this.#aside(() => {
          showDiff(this.#root, stage, { colour: process.stdout.hasColors() && !process.env.NO_COLOR });
          return undefined;
        });
      case 'o':
        return this.#aside(() => openText(this.#root, stage));
      case 'r':
        return this.#askReset(stage, width);
      case 'l':
        return this.#show({ cursor: this.#stages.indexOf(stage) });
      case 'n':
        return this.#go(stageAfter(state, this.#stages, stage.id));
      case 'q':
        return this.#ended.resolve();
      case 'escape':
        return this.#show({ panel: undefined, note: undefined });
      case 'return':
        return void this.#test();
    }
  }

  #choose({ name }: Key, cursor: number): void {
    const last = this.#stages.length - 1;
    if (name === 'up' || name === 'k') this.#show({ cursor: Math.max(0, cursor - 1) });
    else if (name === 'down' || name === 'j') this.#show({ cursor: Math.min(last, cursor + 1) });
    else if (name === 'return') this.#go(this.#stages[cursor]);
    else if (name === 'escape' || name === 'l' || name === 'q') this.#show({ cursor: undefined });
  }

  #askReset(stage: Stage, width: number): void {
    this.#onYes = () => {
      try {
        const { files, backup } = resetStage(this.#root, stage);
        const note = files.length === 0 ? 'It is as the starter has it already.' : `Back to the starter. Your code is in ${backup}/.`;
        this.#show({ panel: undefined, note });
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        this.#show({ panel: error.message });
      }
    };
    const question = `Take the functions of ${stage.id} back to the starter? What else is in their files stays, and a copy of the files is kept. **y** does it, any other key does not.`;
    this.#show({ panel: showMarkdown(question.replaceAll('**', '`'), width) });
  }

  /** Gives the terminal to another program, and comes back when a key is pressed. */
  #aside(show: () => string | undefined) {
    const { stdin, stdout } = process;
    stdout.write('\x1b[H\x1b[2J\x1b[3J');
    stdin.setRawMode(false);
    let said: string | undefined;
    try {
      said = show();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      said = error.message;
    }
    stdin.setRawMode(true);
    if (said) return this.#show({ note: said });
    stdout.write('\nAny key goes back.\n');
    stdin.off('keypress', this.#onKey);
    stdin.once('keypress', () => {
      stdin.on('keypress', this.#onKey);
      this.#draw();
    });
  }
}
