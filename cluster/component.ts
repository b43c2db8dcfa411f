// `npm run component -- scheduler --kubeconfig …`: one component as this process, until TERM or Ctrl-C.
// Under `npm start` (`--of <cluster>`) it loads its modules while others start, gets its flags over IPC when all that they name is
// there, and tells where it serves, or why it can't. When the parent is gone, so is the component.

import { flushCompileCache } from 'node:module';
import { type ComponentCommand, componentTable } from '#cluster/component-table';
import { readFlags, runCommand, UsageError } from '#cluster/flags';
import { watchForHangs } from '#cluster/hang-watch';
import { systemClock, systemRandom } from '#kit/clock';
import { createLogger, type LogSink, stderrSink } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { isFrame, learnersPlace } from '#kit/places';

/** What a component's process tells the one that started it: where it serves, why it ends, or what goes wrong while it goes on. */
export type ComponentMessage = { ready: string } | { failed: string } | { complaint: string };
/** What that one tells it, once. */
export type ComponentFlags = { flags: string[] };

const stopWithinMs = 5_000;

/** Your code, not the reference's. */
const isLearners = process.execArgv.some((flag) => flag.startsWith('--conditions=learner-'));
const isDebugged = process.execArgv.some((flag) => flag.startsWith('--inspect'));

function tell(message: ComponentMessage): void {
  if (process.connected) process.send?.(message);
}

/** Tells what is logged about a mistake in your code, also where the component goes on. */
const learnersSink: LogSink = (entry) => {
  stderrSink(entry);
  const error = String(entry.error ?? '');
  if (learnersPlace(error)) tell({ complaint: `${entry.message}: ${withPlace(error)}` });
};

/** Tells which functions are not written yet, also where that is only an answer to somebody else. */
function tellWhatIsNotWritten(): void {
  systemClock.every(200, () => {
    if (NotImplemented.first) tell({ complaint: NotImplemented.first.message });
    NotImplemented.forget();
  });
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
  const log = createLogger(name, isLearners ? learnersSink : stderrSink);
  const end = (message: string) => {
    log.error(message);
    tell({ failed: message });
    process.kill(process.pid, 'SIGKILL');
  };
  if (isLearners) {
    process.on('uncaughtException', (error) => end(explain(error)));
    tellWhatIsNotWritten();
    if (!isDebugged) watchForHangs((place) => end(`goes round in circles in ${place}: it answers nobody, so it is ended`));
  }
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
  return isLearners ? withPlace(error.stack ?? error.message) : error.message;
}

/** Without the stack, but for the line of yours that it goes through. What doesn't compile shows its line itself. */
function withPlace(stack: string): string {
  const said = stack
    .split('\n')
    .filter((line) => !isFrame(line))
    .join('\n')
    .replace(/^file:\/\//, '')
    .replaceAll(`${process.cwd()}/`, '')
    .replace(/^Error: /, '');
  const place = learnersPlace(stack);
  if (!place || said.includes(place.file)) return said;
  return `${said}\n  in ${place.name ? `${place.name} (${place.file}:${place.line})` : `${place.file}:${place.line}`}`;
}

await runCommand(main);
process.exit();
