import { sep } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { learnersPlace, placesIn } from '#kit/places';

const at = (path: string) => `${process.cwd()}${sep}${path.replaceAll('/', sep)}`;

describe('places', () => {
  it('are the frames in our own code, innermost first', () => {
    const stack = [
      'TypeError: no such thing',
      `    at Scheduler.fits (${at('solutions/chapter4-scheduler/fits.ts')}:12:7)`,
      `    at Object.<anonymous> (${at('node_modules/jest/build/index.js')}:1:1)`,
      '    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)',
      `    at async ${at('chapters/chapter4-scheduler/src/index.ts')}:60:3`,
      `    at async Promise.all (index 0)`,
      `    at async run (file://${at('cluster/component.ts')}:9:1)`,
    ].join('\n');
    expect(placesIn(stack)).toEqual([
      { name: 'Scheduler.fits', file: 'solutions/chapter4-scheduler/fits.ts', line: 12 },
      { name: '', file: 'chapters/chapter4-scheduler/src/index.ts', line: 60 },
      { name: 'run', file: 'cluster/component.ts', line: 9 },
    ]);
    expect(learnersPlace(stack)).toMatchObject({ file: 'chapters/chapter4-scheduler/src/index.ts', line: 60 });
  });

  it('are those of a real error', () => {
    expect(placesIn(new Error('here').stack ?? '')[0]).toMatchObject({ file: 'kit/places.test.ts' });
  });
});
