// Turns package.json's `imports` into jest projects. jest resolves `#name` through a moduleNameMapper that is derived here
// for one condition (`learner-3`) or for none (the reference).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chapters } from './chapters.ts';

export const root = join(import.meta.dirname, '..');

type Target = string | { default: string; [condition: string]: string };

/** `{ '^#etcd/(.*)$': '/repo/solutions/chapter1-etcd/$1.ts', … }` for the given condition. */
export function moduleNameMapper(condition: string | undefined): Record<string, string> {
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: Record<string, Target> };
  return Object.fromEntries(
    Object.entries(imports).map(([name, target]) => {
      const path = typeof target === 'string' ? target : ((condition && target[condition]) ?? target.default);
      return [`^${name.replace('*', '(.*)')}$`, join(root, path.replace('*', '$1'))];
    }),
  );
}

/**
 * Milliseconds that jest gives a test or a hook. A wait gives up long before and tells the story so far; jest would only say that
 * time is up. It belongs at the top of a configuration: jest ignores a project's own.
 */
export const testTimeout = 30_000;

/** What jest must translate: our files, and the library that comes as ES modules alone. */
export const translated = '(\\.ts|/cel-js/lib/.+\\.js)$';

export const common = {
  rootDir: root,
  testEnvironment: join(root, 'kit/testing/failure-environment.ts'),
  transform: { [translated]: ['ts-jest', { transpilation: true, tsconfig: tsconfigForJest() }] },
  transformIgnorePatterns: ['/node_modules/(?!@marcbachmann/cel-js/)'],
  testPathIgnorePatterns: ['/node_modules/', '/tests/wrong/'],
  modulePathIgnorePatterns: ['<rootDir>/.kubekata/'],
};

/** jest runs CommonJS, so that `jest.mock` works and no flag is needed; types are `npm run typecheck`'s job. */
export function tsconfigForJest() {
  return {
    target: 'es2023',
    module: 'commonjs',
    esModuleInterop: true,
    isolatedModules: true,
    allowJs: true,
    rootDir: root,
    allowImportingTsExtensions: true,
    noEmit: true,
  };
}

export function chapterProjects({ learner }: { learner: boolean }) {
  return chapters.map((chapter, index) => ({
    ...common,
    displayName: chapter,
    testMatch: [`<rootDir>/chapters/${chapter}/tests/*.test.ts`],
    moduleNameMapper: moduleNameMapper(learner ? `learner-${index + 1}` : undefined),
    ...(learner && { testEnvironment: join(root, 'tools/kata/loop-environment.ts') }),
    setupFilesAfterEnv: learner ? ['<rootDir>/tools/kata/wait-for-go.cjs'] : [],
  }));
}

/** Chapter 1's wire tests once more, over the other way to speak gRPC. */
export function leanTransportProject() {
  const [chapter] = chapters;
  return {
    ...common,
    displayName: `${chapter} by hand`,
    testMatch: [`<rootDir>/chapters/${chapter}/tests/1.[1-7]-*.test.ts`],
    moduleNameMapper: moduleNameMapper(undefined),
    setupFiles: ['<rootDir>/tools/lean-transport.ts'],
  };
}

export function wholeProjects() {
  const project = (displayName: string, testMatch: string[], condition?: string) => ({
    ...common,
    displayName,
    testMatch,
    moduleNameMapper: moduleNameMapper(condition),
  });
  return [
    project('kit', ['<rootDir>/kit/**/*.test.ts', '<rootDir>/tools/**/*.test.ts']),
    project('repository', ['<rootDir>/tests/repository/*.test.ts']),
    project('kata', ['<rootDir>/tests/kata/*.test.ts']),
    project('cluster', ['<rootDir>/tests/cluster/*.test.ts']),
    // Only for `npm run test:clients`: it needs a Helm, which nothing else here does.
    ...(process.env.KATA_HELM ? [project('helm', ['<rootDir>/tests/helm/*.test.ts'])] : []),
    // Only for `npm run test:upstream -- control-plane`: it needs programs of a Kubernetes release.
    ...upstreamFiles().map((files) => project('upstream', files)),
    project('site', ['<rootDir>/tests/site/*.test.ts']),
    project('linearizability', ['<rootDir>/tests/linearizability/*.test.ts']),
    project('simulation', ['<rootDir>/tests/simulation/*.test.ts'], process.env.KATA_TARGET === 'mine' ? 'learner-1' : undefined),
  ];
}

/** What of tests/upstream can be run with the programs that are named; the API server alone is named for chapter 2's tests, too. */
function upstreamFiles(): string[][] {
  const { KATA_UPSTREAM_API_SERVER, KATA_UPSTREAM_CONTROLLER_MANAGER, KATA_UPSTREAM_SCHEDULER } = process.env;
  const programs = {
    'api-server': KATA_UPSTREAM_API_SERVER,
    'controller-manager': KATA_UPSTREAM_CONTROLLER_MANAGER,
    scheduler: KATA_UPSTREAM_SCHEDULER,
  };
  const named = Object.entries(programs).filter(([, program]) => program);
  return named.length > 0 ? [named.map(([name]) => `<rootDir>/tests/upstream/${name}*.test.ts`)] : [];
}
