// Command-line flags: declared as a table, read strictly. A flag that isn't in the table, or a value of the wrong kind, ends in
// one sentence that says which flags there are.

import { parseArgs } from 'node:util';
import type { ListenAddress } from '#kit/component';

/** A mistake in what the user typed or in what the machine offers: shown as it is, without a stack. */
export class UsageError extends Error {}

export interface Flag {
  description: string;
  /** Absent: the flag must be given; '' and other texts: its default; false: a switch. */
  default?: string | false;
}

export type FlagValues<T extends Record<string, Flag>> = { [Name in keyof T]: T[Name] extends { default: false } ? boolean : string };

export function readFlags<T extends Record<string, Flag>>(command: string, flags: T, args: string[]): FlagValues<T> {
  const options = Object.fromEntries(
    Object.entries({ ...flags, help: { description: 'prints this', default: false as const } }).map(([name, flag]) => [
      name,
      { type: flag.default === false ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({ args, options, strict: true }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}.\n\n${usage(command, flags)}`);
  }
  if (values.help) throw new UsageError(usage(command, flags));
  const missing = Object.keys(flags).filter((name) => values[name] === undefined && flags[name]?.default === undefined);
  if (missing.length > 0) throw new UsageError(`missing: ${missing.map((name) => `--${name}`).join(', ')}\n\n${usage(command, flags)}`);
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, values[name] ?? flag.default])) as FlagValues<T>;
}

export function usage(command: string, flags: Record<string, Flag>): string {
  const width = Math.max(...Object.keys(flags).map((name) => name.length));
  const lines = Object.entries(flags).map(([name, { description, default: value }]) => {
    const note = value === undefined ? ' (required)' : value ? ` (default ${value})` : '';
    return `  --${name.padEnd(width)}  ${description}${note}`;
  });
  return `${command}\n${lines.join('\n')}`;
}

/** A whole number within bounds, or a UsageError that names the flag. */
export function wholeNumber(flag: string, value: string, { min, max }: { min: number; max: number }): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new UsageError(`--${flag} is "${value}": it must be a whole number from ${min} to ${max}`);
}

/** `a,b` */
export function split(list: string): string[] {
  return list.split(',').filter(Boolean);
}

/** A URL or HOST:PORT. */
export function listenAddress(text: string): ListenAddress {
  const { hostname, port } = new URL(text.includes('://') ? text : `tcp://${text}`);
  if (!hostname) throw new UsageError(`"${text}" is no HOST:PORT`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** Runs a command's main function: a UsageError is printed as it is and ends with 1. */
export async function runCommand(main: () => Promise<number | undefined>): Promise<void> {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
