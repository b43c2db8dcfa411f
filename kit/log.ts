// Structured logs: one JSON object a line, so that `jq` and the dashboard can read them.
// Writing goes through a sink, so tests can collect entries instead of printing them.

import { isNativeError } from 'node:util/types';
import { type Clock, systemClock } from '#kit/clock';

export type Fields = Record<string, unknown>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A logger that adds these fields to every entry. */
  with(fields: Fields): Logger;
}

type Level = 'debug' | 'info' | 'warn' | 'error';
export type LogSink = (entry: { time: string; level: Level; component: string; message: string } & Fields) => void;

/** What the language itself throws: a mistake in the code, and only the stack says where. */
const mistakes = ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError'];

/** An Error becomes its message and its cause's; a mistake in the code its stack, which begins with the message. */
function plain(value: unknown): unknown {
  if (!isNativeError(value)) return value;
  if (mistakes.includes(value.name) && value.stack) return value.stack;
  return isNativeError(value.cause) ? `${value.message}: ${value.cause.message}` : value.message;
}

export function createLogger(component: string, sink: LogSink, clock: Clock = systemClock, always: Fields = {}): Logger {
  const write =
    (level: Level) =>
    (message: string, fields: Fields = {}) => {
      const plainFields = Object.fromEntries(Object.entries({ ...always, ...fields }).map(([key, value]) => [key, plain(value)]));
      sink({ time: new Date(clock.now()).toISOString(), level, component, message, ...plainFields });
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => createLogger(component, sink, clock, { ...always, ...fields }),
  };
}

/** Writes to standard error. `KUBEKATA_LOG=debug` shows debug entries too. */
export const stderrSink: LogSink = (entry) => {
  if (entry.level === 'debug' && process.env.KUBEKATA_LOG !== 'debug') return;
  process.stderr.write(`${JSON.stringify(entry)}\n`);
};

export const silentLogger: Logger = createLogger('silent', () => {});
