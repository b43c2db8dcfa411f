// Every command of kubectl, as somebody types them: ./kubectl/session.console says what each prints. The sections build on each other.
// `npm run test:clients` follows it with other versions of kubectl.

import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TestCluster } from '#kit/testing/cluster';
import { follow, isAsWritten, readSections, type Terminal } from '#kit/testing/console';
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
    terminal = {
      folder,
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
});
