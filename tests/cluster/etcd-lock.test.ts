// One server a data directory, also when several start at the same moment where one was killed.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withDeadline } from '#kit/testing/wait';

const rounds = 40;
const contenders = 4;

describe('an etcd data directory', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    await rm(folder, { recursive: true, force: true });
  });
  const start = async () => {
    const child = fork(join(process.cwd(), 'tests/cluster/lock-process.ts'), [], { execArgv: [] });
    children.push(child);
    await answerOf(child);
    return child;
  };

  it(`is taken by one of ${contenders} processes that find a killed one's lock, ${rounds} times`, async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: contenders + 1 }, start));
    const stale = join(folder, 'stale');
    expect(await ask(first as ChildProcess, { lock: stale })).toBe('taken');
    await kill(first as ChildProcess);
    for (let round = 0; round < rounds; round++) {
      const directory = join(folder, `round-${round}`);
      await cp(stale, directory, { recursive: true });
      const answers = await Promise.all(others.map((child) => ask(child, { lock: directory })));
      const winners = others.filter((_, index) => answers[index] === 'taken');
      expect({ round, answers, winners: winners.length }).toMatchObject({ round, winners: 1 });
      for (const answer of answers)
        if (answer !== 'taken') expect(answer).toContain(`is in use by process ${winners[0]?.pid}. Stop it first`);
      await ask(winners[0] as ChildProcess, { unlock: directory });
      expect(await ask(others.find((child) => child !== winners[0]) as ChildProcess, { lock: directory })).toBe('taken');
    }
  });

  it('never has two holders while processes come and go', async () => {
    const directory = join(folder, 'busy');
    const all = await Promise.all(Array.from({ length: contenders }, start));
    let holders = 0;
    const visits = all.map(async (child) => {
      for (let taken = 0; taken < 10; ) {
        const answer = await ask(child, { lock: directory });
        if (answer !== 'taken') continue;
        taken += 1;
        holders += 1;
        expect(await ask(child, { lock: directory })).toContain(`is in use by process ${child.pid}.`);
        expect(holders).toBe(1);
        // Counted out before it leaves: whoever comes next may be told of it first.
        holders -= 1;
        await ask(child, { unlock: directory });
      }
    });
    await withDeadline('every process had its turns', Promise.all(visits), { within: 20_000 });
  });
});

async function ask(child: ChildProcess, question: object): Promise<string> {
  const answer = answerOf(child);
  child.send(question);
  return answer;
}

async function answerOf(child: ChildProcess): Promise<string> {
  const [answer] = await withDeadline('the answer of a process', once(child, 'message') as Promise<[string]>);
  return answer;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
