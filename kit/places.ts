// Where in the project's own code an error was thrown, read from its stack: what a learner opens next.

import { sep } from 'node:path';

export interface Place {
  /** The function's name; '' when it has none. */
  name: string;
  /** From the project's folder: `chapters/chapter4-scheduler/src/fits.ts`. */
  file: string;
  line: number;
}

/** The frames in our own code, innermost first: no package, nothing of Node itself. */
export function placesIn(stack: string): Place[] {
  return stack.split('\n').flatMap((text) => {
    const [, name = '', path = '', line] = /^\s+at (?:async )?(?:(.*?) \()?(?:file:\/\/)?([^\s()]+):(\d+):\d+\)?$/.exec(text) ?? [];
    const isOurs = path.startsWith(process.cwd() + sep) && !path.includes('node_modules');
    return isOurs ? [{ name, file: path.slice(process.cwd().length + 1).replaceAll(sep, '/'), line: Number(line) }] : [];
  });
}

/** The innermost frame in what a learner writes. */
export function learnersPlace(stack: string): Place | undefined {
  return placesIn(stack).find(({ file }) => /^chapters\/[^/]+\/src\//.test(file));
}

export function isFrame(line: string): boolean {
  return /^\s+at /.test(line);
}
