// What the components under test complained of: their logs' warnings and errors, each once, with how often. A wait that gives
// up tells them below the timeline: an exception in a loop that goes on is seen there, and nowhere else.

import type { LogSink } from '#kit/log';
import { isFrame, placesIn } from '#kit/places';

type Entry = Parameters<LogSink>[0];

const complaintsToTell = 6;
/** The place, and who called it: more of a stack says nothing. */
const framesToTell = 4;

export class Complaints {
  /** By what is complained of, and the place; the latest is last. */
  readonly #entries = new Map<string, { entry: Entry; times: number }>();

  readonly sink: LogSink = (entry) => {
    if (entry.level !== 'warn' && entry.level !== 'error') return;
    const what = [entry.message, ...linesOf(String(entry.error))].slice(0, 3).join('\n');
    const times = (this.#entries.get(what)?.times ?? 0) + 1;
    this.#entries.delete(what);
    this.#entries.set(what, { entry, times });
  };

  /** Forgets what was said until now. */
  begin(): void {
    this.#entries.clear();
  }

  /** The last complaints, newest last; empty when there were none. */
  story(): string {
    return [...this.#entries.values()].slice(-complaintsToTell).map(tell).join('\n');
  }
}

function tell({ entry, times }: { entry: Entry; times: number }): string {
  const { time, level, component, message, error, ...fields } = entry;
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const said = [level, ...(times > 1 ? [`(${times} times)`] : []), message, ...facts].join(' ');
  return [`  ${said}`, ...(error === undefined ? [] : linesOf(String(error)))].join('\n');
}

/** The error's message, and where in our own code it was thrown. jest would take lines that begin with `at` for its own stack. */
function linesOf(error: string): string[] {
  const lines = error.split('\n');
  const places = placesIn(error)
    .slice(0, framesToTell)
    .map(({ name, file, line }) => `  in ${name ? `${name} (${file}:${line})` : `${file}:${line}`}`);
  return [...lines.filter((line) => !isFrame(line)), ...places].map((line) => `    ${line}`);
}
