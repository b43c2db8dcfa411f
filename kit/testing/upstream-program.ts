// A program of the real Kubernetes or etcd that a test runs: what it writes is kept for the story, and it is gone when the test is.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { systemClock } from '#kit/clock';
import { patience } from '#kit/testing/wait';

export interface UpstreamProgram {
  /** undefined when it could not be started */
  readonly pid: number | undefined;
  /** It ended by itself, or could not be started. */
  hasEnded(): boolean;
  /** The end of what it wrote. */
  story(): string;
  /** The lines that it logged as errors and warnings, without when and where: `E Failed to watch …`. */
  complaints(): string[];
  stop(): Promise<void>;
  /** Ends it without a chance to say good-bye. */
  kill(): Promise<void>;
}

const stopsWithinMs = 10_000;
const keptCharacters = 8000;
/** As Kubernetes' components log: `E1123 22:14:03.123456   4711 reflector.go:166] "Unhandled Error" …` */
const complaint = /^([EWF])\d{4} [\d:.]+ +\d+ [^\]]+\] (.*)$/;

export function startProgram(program: string, flags: Record<string, string>): UpstreamProgram {
  const child = spawn(program, asArguments(flags), { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  let isOver = false;
  const complaints: string[] = [];
  child.stderr.on('data', (chunk) => {
    output = `${output}${chunk}`.slice(-keptCharacters);
  });
  createInterface(child.stderr).on('line', (line) => {
    const [, level, text] = complaint.exec(line) ?? [];
    if (level) complaints.push(`${level} ${text}`);
  });
  const ended = once(child, 'exit').then(
    () => {
      isOver = true;
    },
    (error) => {
      isOver = true;
      output += error;
    },
  );
  const stop = async () => {
    if (isOver) return;
    child.kill('SIGTERM');
    const over = new AbortController();
    // It may wait for its clients: for their watches to end.
    await Promise.race([ended, systemClock.sleep(patience(stopsWithinMs), over.signal)]);
    over.abort();
    if (!isOver) child.kill('SIGKILL');
    await ended;
  };
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { pid: child.pid, hasEnded: () => isOver, story: () => output, complaints: () => complaints, stop, kill };
}

/**
 * Such programs cannot choose their ports themselves, and a free one may be taken by somebody else in the meantime: then others are tried.
 * @throws Error if a start fails for another reason, or for the third time
 */
export async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 3 || !String(error).includes('address already in use')) throw error;
    }
  }
}

export function asArguments(flags: Record<string, string>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
