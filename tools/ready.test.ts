import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const entry = 'node --import ./tools/ready.mjs ';
const free = ['setup', 'doctor'];

let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'kubekata-ready-'));
  for (const path of ['package.json', 'package-lock.json', 'tools/ready.mjs', 'tools/machine.mjs']) cpSync(path, join(copy, path));
  writeFileSync(join(copy, 'command.ts'), "import missing from 'missing'; const text: string = missing;");
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

function run() {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', './tools/ready.mjs', 'command.ts'], {
    cwd: copy,
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

describe('a command without packages', () => {
  it('says so in a sentence with its remedy', () => {
    expect(run()).toEqual({ status: 1, said: 'The npm packages are not installed. Run `npm run setup`.\n' });
  });

  it('says what an interrupted installation left out', () => {
    mkdirSync(join(copy, 'node_modules'));
    cpSync('package-lock.json', join(copy, 'node_modules/.package-lock.json'));
    const { status, said } = run();
    expect(status).toBe(1);
    expect(said).toMatch(/^The npm packages are not those of package-lock\.json: Node is not among them\. Run `npm run setup`\.\n$/);
  });

  it('is every command but those that run without any', () => {
    const others = Object.keys(scripts).filter((name) => !free.includes(name));
    expect(others.filter((name) => !scripts[name]?.startsWith(entry))).toEqual([]);
  });
});
