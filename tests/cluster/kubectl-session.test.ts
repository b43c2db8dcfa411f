// Every command of kubectl, as somebody types them: ./kubectl/session.console says what each prints. The sections build on each other.
// `npm run test:clients` follows it with other versions of kubectl.

import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runProgram, TestCluster } from '#kit/testing/cluster';
import { expectedOf, follow, isAsWritten, readSections, type Step, type Terminal } from '#kit/testing/console';
import { kubectlPath } from '#kit/testing/kubectl';

jest.setTimeout(60_000);

const folder = 'tests/cluster/kubectl';
const sections = readSections(readFileSync(join(folder, 'session.console'), 'utf8'));

describe('kubectl, a session', () => {
  let cluster: TestCluster;
  let terminal: Terminal;

  beforeAll(async () => {
    cluster = await TestCluster.start(['--nodes', '2']);
    const home = join(cluster.folder, 'home');
    await mkdir(home);
    const path = kubectlPath() === 'kubectl' ? [] : [dirname(kubectlPath())];
    const searched = [...path, process.env.PATH].join(delimiter);
    const { stdout } = await runProgram(kubectlPath(), ['version', '--client', '-o', 'json']);
    terminal = {
      folder,
      minor: Number.parseInt(JSON.parse(stdout).clientVersion.minor, 10),
      env: { PATH: searched, HOME: home, TMPDIR: home, KUBECONFIG: cluster.kubeconfig, KUBECACHEDIR: join(home, 'cache') },
    };
  });
  afterAll(() => cluster?.stop());

  it.each(sections.map((section) => [section.title, section] as const))('%s', (_, section) => follow(section, terminal));
});

describe('what a session prints', () => {
  it.each([
    ['a   b\n', 'a b\n', true],
    ['a\n', 'a\nb\n', false],
    ['box ⟨age⟩\n', 'box 3m12s\n', true],
    ['box ⟨age⟩\n', 'box <unknown>\n', false],
    ['gone⟨| from lab⟩\n', 'gone from lab\n', true],
    ['gone⟨| from lab⟩\n', 'gone from home\n', false],
    ['a\n⋮\nd\n', 'a\nb\nc\nd\n', true],
    ['(a.c)\n', '(abc)\n', false],
    ['', '', true],
    ['', 'a\n', false],
  ])('%j is how %j may look: %p', (expected, actual, is) => {
    expect(isAsWritten(expected, actual)).toBe(is);
  });

  it('is, of an older client, what is written below its version', () => {
    const [section] = readSections('# Some\n$ greet\nhello\n(up to 1.2)\nhi\n(up to 1.4)\nhey\n');
    const step = section?.steps[0] as Step;
    expect([1, 2, 3, 4, 5].map((minor) => expectedOf(step, minor))).toEqual(['hi\n', 'hi\n', 'hey\n', 'hey\n', 'hello\n']);
  });

  it('comes from a command that goes on, until it is interrupted', async () => {
    const [section] = readSections('# Some\n$ echo one; read word < pipe; echo $word; sleep 1000 &\none\n$ echo two > pipe\n$ fg\ntwo\n');
    const home = await mkdtemp(join(tmpdir(), 'kubekata-console-'));
    const here: Terminal = { folder: home, env: { PATH: process.env.PATH }, minor: 32 };
    try {
      await follow({ title: '', steps: [{ command: 'mkfifo pipe', expected: '', older: [] }, ...(section?.steps ?? [])] }, here);
      await expect(follow({ title: '', steps: [{ command: 'echo three', expected: 'four', older: [] }] }, here)).rejects.toThrow('three');
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
