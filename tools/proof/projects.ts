// Proofs of the tests themselves, as jest projects over the stages' own test files. For each stage: its file is red on the
// starter, because of NotImplemented and nothing else; and green on the way, when only the stages up to it are written: there
// transform.ts changes the solution's text on its way into jest, and judge.ts turns the outcome around. For each wrong solution in
// the gallery the test that it names goes red: gallery-runner.ts. Nothing is copied.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chapters } from '../chapters.ts';
import { common, moduleNameMapper, root, translated } from '../jest-projects.ts';
import { stagesWithWrongSolutions } from './gallery.ts';
import type { Proof } from './outcome.ts';
import type { Change } from './transform.ts';

export function proofProjects() {
  return [...chapters.flatMap(redOnStarter), ...chapters.flatMap(greenOnTheWay), gallery()];
}

function redOnStarter(chapter: string) {
  const stages = stagesOf(chapter);
  if (stages.length === 0) return [];
  const proof: Proof = { kind: 'red on the starter' };
  return [project('starter', chapter, `*.test.ts`, proof, { chapter, starter: { stages } })];
}

/** The last stage has nothing behind it: there the way is the solution itself. */
function greenOnTheWay(chapter: string) {
  const stages = stagesOf(chapter);
  return stages.slice(0, -1).map((upTo) => {
    return project('on-the-way', chapter, `${upTo}-*.test.ts`, { kind: 'green on the way' }, { chapter, starter: { stages, upTo } });
  });
}

/** Its runner starts processes of its own: jest has nothing to transform. */
function gallery() {
  const stages = chapters.flatMap((chapter) =>
    stagesWithWrongSolutions(root, chapter).map((stage) => `<rootDir>/chapters/${chapter}/tests/${stage}-*.test.ts`),
  );
  return {
    ...common,
    displayName: 'gallery',
    roots: ['<rootDir>/chapters'],
    testMatch: stages,
    testEnvironment: 'node',
    testRunner: join(root, 'tools/proof/gallery-runner.ts'),
  };
}

function project(displayName: string, chapter: string, testFile: string, proof: Proof, change: Change) {
  return {
    ...common,
    displayName,
    roots: [`<rootDir>/chapters/${chapter}/tests`],
    testMatch: [`<rootDir>/chapters/${chapter}/tests/${testFile}`],
    moduleNameMapper: moduleNameMapper(undefined),
    transform: { [translated]: [join(root, 'tools/proof/transform.ts'), change] },
    testRunner: join(root, 'tools/proof/judge.ts'),
    testEnvironmentOptions: { proof },
  };
}

/** In the order of the course: 2.9 before 2.10. */
function stagesOf(chapter: string): string[] {
  const numbers = (stage: string) => stage.split('.').map(Number) as [number, number];
  return testFiles(chapter)
    .flatMap((name) => /^\d+\.\d+/.exec(name)?.[0] ?? [])
    .sort((one, other) => numbers(one)[1] - numbers(other)[1]);
}

function testFiles(chapter: string): string[] {
  try {
    return readdirSync(join(root, 'chapters', chapter, 'tests'));
  } catch {
    return [];
  }
}
