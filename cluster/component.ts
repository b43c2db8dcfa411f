// `npm run component -- scheduler --kubeconfig …`: one component as this process, until TERM or Ctrl-C.
// Under `npm start` (`--of <cluster>`) it loads its modules while others start, gets its flags over IPC when all that they name is
// there, and tells where it serves, or why it can't. When the parent is gone, so is the component.

import { flushCompileCache } from 'node:module';
import { type ComponentCommand, componentTable } from '#cluster/component-table';
import { readFlags, runCommand, UsageError } from '#cluster/flags';
import { systemClock, systemRandom } from '#kit/clock';
import { createLogger, stderrSink } from '#kit/log';

/** What a component's process tells the one that started it. */
export type ComponentMessage = { ready: string } | { failed: string };
/** What that one tells it, once. */
export type ComponentFlags = { flags: string[] };

const stopWithinMs = 5_000;

function tell(message: ComponentMessage): void {
  if (process.connected) process.send?.(message);
}

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const component = componentTable[name] ?? componentTable[`kube-${name}`];
  if (!component) throw new UsageError(`npm run component -- NAME [flags]: NAME is one of ${Object.keys(componentTable).join(', ')}`);
  const stopping = new Promise<void>((resolve) => {
    process.on('SIGTERM', () => resolve());
    process.on('disconnect', () => resolve());
    // Ctrl-C reaches every process of the terminal; under `npm start` the order of stopping is the parent's.
    process.on('SIGINT', () => process.connected || resolve());
  });
  const log = createLogger(name, stderrSink);
  try {
    const starting = (async () => {
      const given = args[0] === '--of' ? await flagsFromParent(component) : args;
      const values = readFlags(`npm run component -- ${name}`, component.flags, given);
      return component.start(values, { clock: systemClock, random: systemRandom, log });
    })();
    // Told to stop before it serves, it has nothing to put in order yet.
    const running = await Promise.race([starting, stopping]);
    if (!running) return 0;
    tell({ ready: running.url });
    flushCompileCache();
    log.info('started', { url: running.url });
    await stopping;
    await Promise.race([running.stop(), systemClock.sleep(stopWithinMs).then(() => log.warn('did not stop in time', { stopWithinMs }))]);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const message = explain(error as NodeJS.ErrnoException);
    tell({ failed: message });
    log.error(`can't start: ${message}`);
    return 1;
  }
}

async function flagsFromParent(component: ComponentCommand): Promise<string[]> {
  const message = new Promise<ComponentFlags>((resolve) => process.once('message', resolve as (message: unknown) => void));
  await component.load();
  return (await message).flags;
}

function explain(error: NodeJS.ErrnoException & { port?: number }): string {
  if (error.code === 'EADDRINUSE') return `port ${error.port} is in use by another program: stop that one, or choose another port`;
  if (error.code === 'EACCES' && error.port) return `port ${error.port} needs root: choose one above 1023`;
  return error.message;
}

await runCommand(main);
process.exit();
