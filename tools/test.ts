// npm test [-- words and jest's options]: your chapters against their tests. What the words mean: ./selection.ts.

import { run } from 'jest';
import { UsageError } from '#cluster/flags';
import { readStages } from './course.ts';
import { root } from './jest-projects.ts';
import { select } from './selection.ts';

try {
  const { args, chapters } = select(process.argv.slice(2), readStages(root));
  if (chapters) process.env.KUBEKATA_CHAPTERS = chapters.join(',');
  await run(args);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
