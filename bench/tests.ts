// How long a learner waits for the first answer of a chapter's suite, on the starter, when jest's cache is warm.

import { spawn } from 'node:child_process';
import { median, type Row, spread } from './statistics.ts';

/** Seconds from the command to the first line that tells how a stage is doing. */
function firstResult(chapter: string): Promise<number> {
  const start = performance.now();
  const child = spawn('npm', ['test', '--', chapter], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const look = (text: Buffer) => {
      said += text;
      if (/^\S \d\.\d+ /m.test(said)) resolve((performance.now() - start) / 1000);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.on('exit', () => reject(new Error(`npm test -- ${chapter} gave no result:\n${said}`)));
  }).then(async (elapsed) => {
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
    return elapsed as number;
  });
}

export async function benchTests(rounds: number): Promise<Row[]> {
  await firstResult('chapter4');
  const elapsed: number[] = [];
  for (let round = 0; round < rounds; round++) elapsed.push(await firstResult('chapter4'));
  return [
    {
      what: 'npm test -- chapter4 to its first result, warm',
      measured: spread(elapsed, 's', 1),
      goal: '≤ 3 s',
      reached: median(elapsed) <= 3,
    },
  ];
}
