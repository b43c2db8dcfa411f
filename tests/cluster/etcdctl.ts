// The real etcdctl, unmodified, against a server of a test. `etcdctl('get', 'a')` resolves with what it printed; a failure is
// thrown with what it complained of.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { eventually, withDeadline } from '#kit/testing/wait';

export interface RunningEtcdctl {
  /** What it has printed so far. */
  printed(): string;
  /** Waits for that, and says what there was instead. */
  prints(expected: string): Promise<void>;
  type(input: string): void;
  stop(): Promise<void>;
}

/**
 * The address without `http://`: with it, etcdctl 3.4 asks for status, hashes and defragmentation with an `:authority` that HTTP/2
 * forbids. The real etcd and our lean transport take that; node:http2, and so grpc-js, ends the stream.
 */
export function etcdctlFor(url: string, { withScheme = false } = {}) {
  const endpoint = withScheme ? url : new URL(url).host;
  const begin = (args: string[]) => {
    const environment = { PATH: process.env.PATH, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: endpoint, ETCDCTL_DIAL_TIMEOUT: '10s' };
    return spawn('etcdctl', args, { env: environment, stdio: 'pipe' });
  };

  async function etcdctl(args: string[], input = ''): Promise<string> {
    const child = begin(args);
    child.stdin.on('error', () => {}); // It may have ended without reading; its exit code says why.
    child.stdin.end(input);
    const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
    try {
      const [[code], stdout, stderr] = await withDeadline(`etcdctl ${args.join(' ')}`, ended, { within: 20_000 });
      if (code !== 0) throw new Error(`etcdctl ${args.join(' ')} ended with ${code}: ${stderr}`);
      return stdout;
    } finally {
      child.kill('SIGKILL');
    }
  }

  /** One that goes on until it is stopped. */
  function start(args: string[]): RunningEtcdctl {
    const child = begin(args);
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
    const ended = once(child, 'exit');
    return {
      printed: () => printed,
      prints: async (expected) => {
        await eventually(`etcdctl ${args.join(' ')} prints ${JSON.stringify(expected)}`, () => printed.includes(expected), {
          story: () => printed,
        });
      },
      type: (input) => child.stdin.write(input),
      stop: async () => {
        child.kill('SIGKILL');
        await ended;
      },
    };
  }

  return Object.assign(etcdctl, { start });
}
