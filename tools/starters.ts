// npm run starters [chapter3 …]: writes chapters/*/src from solutions/*. `--check` only says what differs and exits 1.
// It writes over a file only if that is what git has or what it wrote itself the last time; anything else may be a
// learner's work, and is left alone unless `--force` says otherwise (a copy then goes to .kubekata/backup/).

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock, timestamp } from '#kit/clock';
import { chapters } from './chapters.ts';
import { type Problem, toStarter } from './starter.ts';

/** What is in a chapter's src: path → content. */
export type Files = Map<string, Buffer>;

export class StarterProblems extends Error {
  constructor(problems: Problem[]) {
    super(problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'));
    this.name = 'StarterProblems';
  }
}

const root = process.cwd();
const lastTime = join(root, '.kubekata/starters');

/** The chapter's starter, made from its solution. */
function starterOf(chapter: string): { files: Files; problems: Problem[] } {
  const solution = readFiles(join(root, 'solutions', chapter));
  const options = { stages: stagesOf(chapter) };
  const problems: Problem[] = [];
  const removed = new Set<string>();
  for (const [path, content] of solution) {
    if (!path.endsWith('.ts')) continue;
    const starter = toStarter(content.toString('utf8'), { ...options, file: `solutions/${chapter}/${path}` });
    problems.push(...starter.problems);
    for (const name of starter.removed) removed.add(`${path} ${name}`);
  }
  const files = new Map(
    [...solution].map(([path, content]) => {
      if (!path.endsWith('.ts')) return [path, content];
      const isRemoved = (specifier: string, name: string) => removed.has(`${join(dirname(path), specifier)} ${name}`);
      return [path, Buffer.from(toStarter(content.toString('utf8'), { ...options, file: path, isRemoved }).text)];
    }),
  );
  return { files, problems };
}

/** Lays the starters of these chapters out under `folder/<chapter>/`, formatted as everything else here is. @throws StarterProblems */
export function layOut(folder: string, names: readonly string[] = chapters): void {
  const problems: Problem[] = [];
  for (const chapter of names) {
    const starter = starterOf(chapter);
    problems.push(...starter.problems);
    rmSync(join(folder, chapter), { recursive: true, force: true });
    writeFiles(join(folder, chapter), starter.files);
  }
  if (problems.length > 0) throw new StarterProblems(problems);
  if (readFiles(folder).size === 0) return;
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const how = ['check', '--write', '--linter-enabled=false', '--vcs-enabled=false', '--no-errors-on-unmatched'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [biome, ...how, folder], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Biome could not format the starters in ${relative(root, folder)}:\n${stdout}${stderr}`);
}

/** Paths of the chapter's src that are not what `generated` holds, with what is wrong. */
export function differences(chapter: string, generated: Files): string[] {
  const present = readFiles(join(root, 'chapters', chapter, 'src'));
  const paths = [...new Set([...generated.keys(), ...present.keys()])].sort();
  return paths.flatMap((path) => {
    const is = present.get(path);
    const wanted = generated.get(path);
    if (is && wanted?.equals(is)) return [];
    return [`chapters/${chapter}/src/${path} ${is ? (wanted ? 'differs' : 'is not of the starter') : 'is missing'}`];
  });
}

export function readFiles(folder: string): Files {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  return new Map(paths.sort().map((path) => [path, readFileSync(join(folder, path))]));
}

export function stagesOf(chapter: string): Set<string> {
  const tests = join(root, 'chapters', chapter, 'tests');
  if (!existsSync(tests)) return new Set();
  return new Set(readdirSync(tests).flatMap((name) => /^(\d+\.\d+)-.*\.test\.ts$/.exec(name)?.[1] ?? []));
}

function writeFiles(folder: string, files: Files): void {
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Files whose content neither git nor the last run of this command knows. */
function workOfSomebody(chapter: string, previous: Files, generated: Files): string[] {
  const src = join('chapters', chapter, 'src');
  return [...readFiles(join(root, src))].flatMap(([path, content]) => {
    const known =
      generated.get(path)?.equals(content) || previous.get(path)?.equals(content) || committed(`${src}/${path}`)?.equals(content);
    return known ? [] : [`${src}/${path}`];
  });
}

function committed(path: string): Buffer | undefined {
  const { status, stdout } = spawnSync('git', ['show', `HEAD:./${path.replaceAll('\\', '/')}`], { cwd: root });
  return status === 0 ? stdout : undefined;
}

function main(): number {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean', default: false }, force: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const names = chapters.filter((chapter) => positionals.length === 0 || positionals.some((part) => chapter.startsWith(part)));
  if (names.length === 0) throw new Error(`no chapter is called ${positionals.join(' or ')}: there are ${chapters.join(', ')}`);

  const previous = new Map(names.map((chapter) => [chapter, readFiles(join(lastTime, chapter))]));
  const fresh = join(root, '.kubekata/starters-new');
  layOut(fresh, names);
  const generated = new Map(names.map((chapter) => [chapter, readFiles(join(fresh, chapter))]));
  const differing = [...generated].flatMap(([chapter, files]) => differences(chapter, files));
  if (values.check) {
    for (const line of differing) console.log(line);
    if (differing.length > 0) console.log('Run `npm run starters` to bring the starters up to date with the solutions.');
    rmSync(fresh, { recursive: true, force: true });
    return differing.length > 0 ? 1 : 0;
  }

  const precious = names.flatMap((chapter) =>
    workOfSomebody(chapter, previous.get(chapter) ?? new Map(), generated.get(chapter) ?? new Map()),
  );
  if (precious.length > 0 && !values.force) {
    console.error('These files hold work that is committed nowhere:');
    for (const path of precious) console.error(`  ${path}`);
    console.error('Nothing was changed. Commit it (git), or run `npm run starters -- --force`: that keeps a copy under .kubekata/backup/.');
    rmSync(fresh, { recursive: true, force: true });
    return 1;
  }
  if (precious.length > 0) {
    const backup = join('.kubekata/backup', timestamp(systemClock).replaceAll(':', '-'));
    for (const path of precious) cpSync(join(root, path), join(root, backup, path));
    console.log(`${precious.length} files were copied to ${backup}/.`);
  }
  for (const [chapter, files] of generated) {
    rmSync(join(root, 'chapters', chapter, 'src'), { recursive: true, force: true });
    writeFiles(join(root, 'chapters', chapter, 'src'), files);
    rmSync(join(lastTime, chapter), { recursive: true, force: true });
    writeFiles(join(lastTime, chapter), files);
  }
  rmSync(fresh, { recursive: true, force: true });
  for (const line of differing)
    console.log(line.replace(/ (differs|is missing)$/, ' written').replace(/ is not of the starter$/, ' removed'));
  console.log(differing.length === 0 ? 'The starters are up to date.' : `${differing.length} files changed.`);
  return 0;
}

if (process.argv[1] && resolve(process.argv[1]) === join(root, 'tools/starters.ts')) {
  try {
    process.exitCode = main();
  } catch (error) {
    if (!(error instanceof StarterProblems)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
