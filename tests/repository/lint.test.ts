// The lint rules hold everywhere, and each of them sees what it is there for.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { biome, root, runNode } from './repository.ts';

const scheduler = 'solutions/chapter4-scheduler';
const apiServer = 'solutions/chapter2-api-server';
const kubelet = 'chapters/chapter5-kubelet';

/** What is refused, where, and what the message teaches. */
const bad: [path: string, code: string, message: string][] = [
  [`${scheduler}/date-now.ts`, 'export const now = Date.now();', 'call clock.now()'],
  [`${scheduler}/now-later.ts`, 'export const now = Date.now;', 'call clock.now()'],
  [`${scheduler}/new-date.ts`, 'export const now = new Date();', 'timestamp(clock)'],
  [`${scheduler}/timeout.ts`, 'setTimeout(() => {}, 5);', 'clock.after(ms, callback)'],
  [`${scheduler}/timeout-later.ts`, 'export const later = setTimeout;', 'clock.after(ms, callback)'],
  [`${scheduler}/global-timeout.ts`, 'globalThis.setTimeout(() => {}, 5);', 'it has after, every and sleep'],
  [`${scheduler}/timers.ts`, "export { setTimeout as sleep } from 'node:timers/promises';", 'it has after, every and sleep'],
  [`${scheduler}/interval.ts`, 'setInterval(() => {}, 5);', 'clock.every(ms, callback)'],
  [`${scheduler}/dice.ts`, 'export const dice = Math.random();', 'Take a Random (#kit/clock)'],
  [`${kubelet}/tests/5.1-join.test.ts`, 'export const now = Date.now();', 'call clock.now()'],
  [`${scheduler}/etcd.ts`, "export { Store } from '#etcd/store';", 'meet only through the API server'],
  [`${scheduler}/api-server.ts`, "export * from '#api-server';", 'meet only through the API server'],
  [`${scheduler}/kubelet.ts`, "export const kubelet = () => import('#kubelet');", 'meet only through the API server'],
  [`${scheduler}/controllers.ts`, "import '#controller-manager/replica-set';", 'meet only through the API server'],
  [`${apiServer}/etcd.ts`, "import '#etcd';", 'meet only through the API server'],
  [`${kubelet}/src/scheduler.ts`, "import '#scheduler';", 'meet only through the API server'],
  [`${scheduler}/etcd3.ts`, "export { Etcd3 } from 'etcd3';", 'Only the API server talks to etcd'],
  [`${kubelet}/src/etcd3.ts`, "export { Etcd3 } from 'etcd3';", 'Only the API server talks to etcd'],
  [`${scheduler}/harness.ts`, "export { eventually } from '#kit/testing/wait';", 'runs without its tests'],
  [`${scheduler}/jest.ts`, "import '@jest/globals';", 'runs without its tests'],
  [`${kubelet}/tests/path.ts`, "import '../src/index.ts';", 'A test imports by name'],
  ['cluster/solution.ts', "import '../solutions/chapter5-kubelet/index.ts';", 'A path ties this line to one version'],
  ['kit/chapter.ts', "import '#etcd';", 'The kit is given to every chapter'],
];

const good: [path: string, code: string][] = [
  ['kit/clock.ts', 'export const now = () => Date.now();'],
  [`${scheduler}/date.ts`, 'export const day = (ms: number) => new Date(ms);'],
  [`${scheduler}/socket.ts`, "import type { Socket } from 'node:net';\n\nexport const idle = (socket: Socket) => socket.setTimeout(5);"],
  [`${scheduler}/informer.ts`, "export { Informer } from '#controller-manager/informer';"],
  [`${apiServer}/storage.ts`, "export { Etcd3 } from 'etcd3';"],
  [`${kubelet}/src/starter.ts`, "import { join } from 'node:path';\n\nfunction later(pod: string): void {}"],
  [`${kubelet}/tests/5.2-pods.test.ts`, "import '#kubelet';\nimport './harness.ts';"],
  ['kit/testing/plane.ts', "import '#etcd';"],
];

describe('lint', () => {
  let folder: string;
  let findings: { path: string; message: string }[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kubekata-lint-'));
    cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    cpSync(join(root, 'tools/lint'), join(folder, 'tools/lint'), { recursive: true });
    for (const [path, code] of [...bad, ...good]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${code}\n`);
    }
    const { output } = runNode(biome, ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=concise'], folder);
    findings = output.split('\n').flatMap((line) => {
      const [, path, message] = /^[×!i] ([^:]+):\d+:\d+: (.*)$/.exec(line) ?? [];
      return path && message ? [{ path, message }] : [];
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(bad)('finds, and explains, what is wrong in %s: %s', (path, _, message) => {
    expect(findings.filter((finding) => finding.path === path)).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  it.each(good)('has nothing to say on %s: %s', (path) => {
    expect(findings.filter((finding) => finding.path === path)).toEqual([]);
  });

  it('finds nothing in the repository', () => {
    const { clean, output } = runNode(biome, ['check', '--error-on-warnings', '--max-diagnostics=none', '--reporter=concise']);
    if (!clean) throw new Error(`${output}\nRun \`npm run format\`: it repairs what can be repaired without you.`);
    expect(clean).toBe(true);
  }, 60_000);
});
