// Files that no program of ours reads, but editors, containers and workflows do: they parse, and the commands they name exist.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { expectNone, filesBelow, read, root } from './repository.ts';

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Why the text does not parse, or nothing. */
function problem(path: string, parser: (text: string) => unknown): string[] {
  try {
    parser(read(path));
    return [];
  } catch (error) {
    return [`${path}: ${(error as Error).message}`];
  }
}

function parseYaml(text: string): void {
  for (const { errors } of parseAllDocuments(text)) if (errors[0]) throw errors[0];
}

/** Every text in a JSON or YAML value, however deep. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

describe('files for editors and workflows', () => {
  it('are JSON without comments, or YAML', () => {
    // A chart's templates become YAML when Helm fills them in.
    const files = filesBelow('.').filter((path) => !path.includes('/chart/templates/'));
    const findings = [
      ...files.filter((path) => path.endsWith('.json')).flatMap((path) => problem(path, JSON.parse)),
      ...files.filter((path) => /\.ya?ml$/.test(path)).flatMap((path) => problem(path, parseYaml)),
    ];
    expectNone(findings, 'Correct it: the program that reads it will not say where the mistake is.');
  });

  it('name commands that exist', () => {
    const files = filesBelow('.').filter((path) => /^\.(vscode|devcontainer|github)\/.*\.(json|ya?ml)$/.test(path));
    expect(files.length).toBeGreaterThan(5);
    const findings = files.flatMap((path) => {
      const commands = textsIn(parse(read(path)));
      const missing = commands.flatMap((text) =>
        [...text.matchAll(/npm run (?:-s )?([a-z:-]+)/g)].map(([, name = '']) => name).filter((name) => !(name in scripts)),
      );
      const programs = commands.flatMap((text) =>
        [...text.matchAll(/(?:^|\s)(\.(?:ci|devcontainer)\/[\w.-]+)/g)].map(([, name = '']) => name),
      );
      const absent = programs.filter((name) => !existsSync(join(root, name)));
      return [...missing.map((name) => `${path} names npm run ${name}`), ...absent.map((name) => `${path} names ${name}`)];
    });
    expectNone(findings, "Commands are package.json's scripts, and files that are there.");
  });
});
