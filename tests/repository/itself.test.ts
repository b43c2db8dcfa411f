// The project speaks of itself alone, and stands on no machine in particular.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from '@jest/globals';
import { expectNone, filesBelow, read, root } from './repository.ts';

const binary = /\.(png|jpe?g|gif|ico|woff2?|zip|tgz|tar)$/;

/** What never belongs in a file of this repository, and why. Written so that this file does not find itself. */
const forbidden: [pattern: RegExp, why: string][] = [
  [/(?<![\w.$})*/-])\/(?:home|Users|work|root|tmp)\/[\w.-]/, 'a path of one machine: make it relative, or ask the system (os.tmpdir())'],
  [/\bas an (?:AI|artificial)\b|\blarge language [m]odel\b/i, 'not the voice of this project'],
  [/\b(?:XXX|FIXME|HACK)\b/, 'unfinished business: finish it, or write down in CHANGELOG.md what is missing'],
];

describe('the repository', () => {
  it('speaks of itself alone', () => {
    const findings = filesBelow('.')
      .filter((path) => !binary.test(path) && path !== 'package-lock.json' && path !== 'tests/repository/itself.test.ts')
      .flatMap((path) =>
        read(path)
          .split('\n')
          .flatMap((line, index) =>
            forbidden
              .filter(([pattern]) => pattern.test(line))
              .map(([, why]) => `${path}:${index + 1}: ${why}\n    ${line.trim().slice(0, 120)}`),
          ),
      );
    expectNone(findings, 'Say it in another way.');
  });

  it('takes packages from where the reader takes them', () => {
    const resolved = [...read('package-lock.json').matchAll(/"resolved": "([^"]+)"/g)].map(([, url]) => url ?? '');
    expectNone(
      resolved.filter((url) => !url.startsWith('https://registry.npmjs.org/')),
      'package-lock.json names a registry of its own: set `omit-lockfile-registry-resolved` and write it anew.',
    );
  });

  it("knows every platform's binaries, so that `npm ci` works on each", () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const known = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
    const findings = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.entries(optionalDependencies)
        .filter(([name]) => !known.has(name))
        .map(([name, version]) => `${path} needs ${name} ${version} on some platform`),
    );
    expectNone(
      findings,
      'package-lock.json must name it, or `npm ci` refuses to work: take a version that is published for all platforms.',
    );
  });

  it('links to what is there', () => {
    const findings = texts().flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(root, dirname(path), target)))
        .map((target) => `${path} links to ${target}`),
    );
    expectNone(findings, 'Correct the link, or write what it promises.');
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const findings = texts().flatMap((path) =>
      [...read(path).matchAll(/npm run (?:-s )?([a-z:-]+)/g)]
        .map(([, name = '']) => name)
        .filter((name) => !existsSync(join(root, scripts[name]?.match(/^node (?:--import \S+ )?(\S+)/)?.[1] ?? '.')) || !(name in scripts))
        .map((name) => `${path} names npm run ${name}`),
    );
    expectNone(findings, 'Commands are the scripts of package.json, and the files that they start.');
  });
});

function texts(): string[] {
  return filesBelow('.').filter((path) => path.endsWith('.md'));
}
