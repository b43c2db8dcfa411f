// What a stage's test loads that does not depend on the files that are about to change: it can be loaded before they are saved.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/**
 * Files and packages, in the order in which the test would load them.
 * @param nameMap jest's `moduleNameMapper`
 * @param changing files that will be saved
 */
export function givenModules(nameMap: Record<string, string>, test: string, changing: string[]): string[] {
  const names = Object.entries(nameMap).map(([name, path]) => [new RegExp(name), path] as const);
  /** What each file and package imports; what it imports itself comes before it. */
  const importsOfEach = new Map<string, string[]>();
  const seen = new Set<string>();

  function visit(name: string): void {
    if (seen.has(name)) return;
    seen.add(name);
    const imports = existsSync(name) ? importsOf(readFileSync(name, 'utf8')).map((wanted) => locate(wanted, name) ?? wanted) : [];
    const targets = imports.filter((target) => !isBuiltin(target));
    targets.forEach(visit);
    importsOfEach.set(name, targets);
  }

  function locate(name: string, from: string): string | undefined {
    if (name.startsWith('.')) return resolve(dirname(from), name);
    const [pattern, path] = names.find(([pattern]) => pattern.test(name)) ?? [];
    return pattern && path && name.replace(pattern, path);
  }

  visit(test);
  const needsThem = new Set([test, ...changing]);
  for (let before = -1; before !== needsThem.size; ) {
    before = needsThem.size;
    for (const [name, targets] of importsOfEach) if (targets.some((target) => needsThem.has(target))) needsThem.add(name);
  }
  return [...importsOfEach.keys()].filter((name) => !needsThem.has(name));
}

/** Where the learner writes: the files that hold the stage's functions, as the solution has them. */
export function filesToWrite(root: string, chapter: string, stage: string): string[] {
  const solution = join(root, 'solutions', chapter);
  const paths = readdirSync(solution, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return paths
    .filter((path) => readFileSync(join(solution, path), 'utf8').includes(`@exercise ${stage} `))
    .map((path) => join(root, 'chapters', chapter, 'src', path));
}

/** Types are no imports: nothing is left of them at run time. */
function importsOf(source: string): string[] {
  return [...source.matchAll(/^(?:import|export)\s(?!type\s)(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]/gm)].map(([, name = '']) => name);
}
