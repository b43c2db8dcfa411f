// npm run typecheck: everything against the reference, then each chapter's starter (or your work in it) against its
// neighbours: once with each condition learner-N; and what runs in a browser. Two compilers run at a time.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { chapters } from './chapters.ts';

const compiler = join('node_modules', '@typescript', 'native', 'bin', 'tsc');

interface Check {
  what: string;
  options: string[];
  /** A folder with a tsconfig.json of its own. */
  project?: string;
}

function compile({ options, project = '.' }: Check): Promise<{ clean: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const pretty = process.stdout.isTTY ? ['--pretty'] : [];
    const child = spawn(process.execPath, [compiler, '-p', project, ...pretty, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ clean: code === 0, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

const checks: Check[] = [
  { what: 'the reference', options: [] },
  { what: "the docs site's scripts", options: [], project: 'docs/theme' },
  ...chapters.map((chapter, index) => ({ what: `your ${chapter}`, options: ['--customConditions', `learner-${index + 1}`] })),
];

const waiting = [...checks];
/** An error that every check finds is shown once. */
const said = new Set<string>();
async function work(): Promise<void> {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    const { clean, output } = await compile(check);
    console.log(`${clean ? '✓' : '✗'} ${check.what}`);
    if (clean) continue;
    process.exitCode = 1;
    if (!said.has(output)) process.stdout.write(output);
    said.add(output);
  }
}

await Promise.all([work(), work()]);
