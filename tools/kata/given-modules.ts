// What a stage's test loads that does not depend on the learner's code: it can be loaded before they save.

import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { chapterNumber } from '../course.ts';
import { moduleNameMapper } from '../jest-projects.ts';

/** Files and packages, in the order in which the test would load them. */
export function givenModules(root: string, chapter: string, test: string): string[] {
  const names = Object.entries(moduleNameMapper(`learner-${chapterNumber(chapter)}`)).map(
    ([name, path]) => [new RegExp(name), path] as const,
  );
  const learners = join(root, 'chapters');
  const given: string[] = [];
  /** Whether a file needs the learner's code, however far away; undefined: being looked at. */
  const seen = new Map<string, boolean | undefined>();

  function needsLearner(file: string): boolean {
    if (seen.has(file)) return seen.get(file) ?? false;
    seen.set(file, undefined);
    const imports = existsSync(file) ? importsOf(readFileSync(file, 'utf8')) : [];
    let needs = file.startsWith(learners);
    for (const name of imports) {
      const target = locate(name, file);
      if (target !== undefined && needsLearner(target)) needs = true;
      else if (target === undefined && !isBuiltin(name)) add(name);
    }
    seen.set(file, needs);
    if (!needs) add(file);
    return needs;
  }

  function locate(name: string, from: string): string | undefined {
    if (name.startsWith('.')) return resolve(dirname(from), name);
    const [pattern, path] = names.find(([pattern]) => pattern.test(name)) ?? [];
    return pattern && path && name.replace(pattern, path);
  }

  function add(name: string): void {
    if (!given.includes(name)) given.push(name);
  }

  needsLearner(test);
  return given;
}

/** Types are no imports: nothing is left of them at run time. */
function importsOf(source: string): string[] {
  return [...source.matchAll(/^(?:import|export)\s(?!type\s)(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]/gm)].map(([, name = '']) => name);
}
