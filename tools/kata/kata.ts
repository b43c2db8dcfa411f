// npm run kata: the watch loop. npm run kata -- <command>: what its keys do, without the loop.

import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '#cluster/flags';
import { readStages, type Stage } from '../course.ts';
import { findStage } from '../selection.ts';
import { stageList } from './screen.ts';
import { changeState, currentStage, isGreen, readState, stageAfter } from './state.ts';

const usage = `npm run kata                 the watch loop: tests run when you save; keys give hints and more
npm run kata -- 3.4          the same, at that stage
npm run kata -- list         all stages, and how far you are
npm run kata -- next         the next stage that is not green
npm run kata -- hint [3.4]   one hint more: nudge, idea, sketch
npm run kata -- diff [3.4]   your functions beside the solution's
npm run kata -- open [3.4]   the text in your editor
npm run kata -- reset [3.4]  the stage's functions as they were; asks first (--yes: doesn't), keeps a copy;
                             --files takes whole files back
npm run kata -- update       the course's news merged into your work; asks first (--yes: doesn't)

Without a stage, it is the one that you are at. --poll: look for saved files, where file events don't arrive.`;

const root = process.cwd();
const stages = readStages(root);

function chosen(word: string | undefined): Stage {
  const stage = word ? findStage(word, stages) : currentStage(readState(root), stages);
  if (!stage) throw new UsageError('There are no stages in chapters/*/tests: is this a whole copy of the course?');
  return stage;
}

/** @throws UsageError where nobody can answer */
async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new UsageError(`${question}\nNobody can answer here: add --yes if you want it.`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} (y/n) `);
  terminal.close();
  return /^y/i.test(answer);
}

function list(): void {
  const state = readState(root);
  const width = Math.min(process.stdout.columns ?? 80, 100);
  for (const { text } of stageList(stages, state, { current: chosen(undefined).id, width })) console.log(text);
  console.log(`\n${stages.filter(({ id }) => isGreen(state, id)).length} of ${stages.length} stages are green.`);
}

function next() {
  const stage = stageAfter(readState(root), stages, chosen(undefined).id);
  if (!stage) return console.log('Every other stage is green.');
  changeState(root, (state) => ({ ...state, current: stage.id }));
  console.log(`You are at ${stage.id} ${stage.title}: chapters/${stage.chapter}/README.md, section ${stage.id}.`);
}

async function reset(stage: Stage, { yes, files }: { yes: boolean; files: boolean }): Promise<number> {
  const what = files ? 'the files' : 'the functions';
  const sure = await confirm(`Take ${what} of ${stage.id} ${stage.title} back to the starter? A copy of your files is kept.`, yes);
  if (!sure) return 1;
  const { resetStage } = await import('./reset.ts');
  const done = resetStage(root, stage, { wholeFiles: files });
  for (const path of done.files) console.log(`${path} is back`);
  console.log(done.files.length === 0 ? 'It is as the starter has it already.' : `Your code is in ${done.backup}/.`);
  return 0;
}

async function loop(stage: Stage | undefined, poll: boolean): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    const { id } = chosen(undefined);
    throw new UsageError(`npm run kata needs a terminal. Without one: npm test -- ${id} runs the tests; and\n\n${usage}`);
  }
  if (stage) changeState(root, (state) => ({ ...state, current: stage.id }));
  const { Loop } = await import('./loop.ts');
  await new Loop(root).run({ poll });
  process.exit(0);
}

await runCommand(async () => {
  const options = { yes: { type: 'boolean' }, files: { type: 'boolean' }, poll: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}.\n\n${usage}`);
  }
  const { yes = false, files = false, poll = Boolean(process.env.KUBEKATA_POLL), help } = parsed.values;
  const [command, word] = parsed.positionals;
  if (help) console.log(usage);
  else if (!command || /^\d/.test(command)) await loop(command ? findStage(command, stages) : undefined, poll);
  else if (command === 'list') list();
  else if (command === 'next') next();
  else if (command === 'hint')
    console.log((await import('./hints.ts')).nextHint(root, chosen(word), Math.min(process.stdout.columns ?? 80, 88)));
  else if (command === 'diff')
    (await import('./diff.ts')).showDiff(root, chosen(word), {
      colour: process.stdout.isTTY && process.stdout.hasColors() && !process.env.NO_COLOR,
    });
  else if (command === 'open') console.log((await import('./open-text.ts')).openText(root, chosen(word)));
  else if (command === 'reset') return reset(chosen(word), { yes, files });
  else if (command === 'update') return (await import('./update.ts')).update(root, (question) => confirm(question, yes));
  else throw new UsageError(`There is no command ${command}.\n\n${usage}`);
  return 0;
});
