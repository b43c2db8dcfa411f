// A stage's wrong solutions, one after the other, in one process that stays warm: node tools/proof/gallery-process.ts TEST INDEX…,
// started by gallery-runner.ts with a channel. The stage's test and what it needs are loaded once. For each wrong solution only the
// changed file is loaded anew, and the files that import it, one through the other. Then the named test runs.
//
// What one wrong solution leaves behind could fail the next one's test. So it counts as caught only if the same test is green
// without the change, straight afterwards. If it is not, the runner tries again in a process of its own.

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Circus } from '@jest/types';
import { addEventHandler, getState, removeEventHandler, resetState, run } from 'jest-circus';
import { root, testTimeout } from '../jest-projects.ts';
import { type Exhibit, exhibitsOf } from './gallery.ts';
import type { Outcome } from './outcome.ts';

/** What it tells of each wrong solution. */
export interface Told {
  index: number;
  outcome: Outcome;
  /** Why the failure may be somebody else's: the named test's, without the change. */
  without: string | undefined;
  ms: number;
}

const globals = pathToFileURL(join(root, 'tools/mutation/jest-globals.ts')).href;
/** Of each file of the repository, by its path: the files that import it. */
const importers = new Map<string, Set<string>>();
/** The wrong solution that is being loaded: what is appended to the addresses of its files, the file that it changes, and that file's text. */
let loading: { query: string; changed: string; text: string; files: Set<string> } | undefined;

registerHooks({
  resolve(name, context, next) {
    if (name === '@jest/globals') return { url: globals, shortCircuit: true };
    const found = next(name, context);
    const path = pathOf(found.url);
    if (path === undefined) return found;
    const from = pathOf(context.parentURL);
    if (from !== undefined) importers.set(path, (importers.get(path) ?? new Set()).add(from));
    return loading?.files.has(path) ? { ...found, url: `${pathToFileURL(path).href}${loading.query}` } : found;
  },
  load(url, context, next) {
    if (!loading || pathOf(url) !== loading.changed || !url.endsWith(loading.query)) return next(url, context);
    return { format: 'module-typescript', source: loading.text, shortCircuit: true };
  },
});

/** Of a file that may change; packages don't. */
function pathOf(url: string | undefined): string | undefined {
  return url?.startsWith('file:') && !url.includes('/node_modules/') ? fileURLToPath(url.replace(/\?.*/, '')) : undefined;
}

function withImporters(path: string, files = new Set<string>()): Set<string> {
  if (files.has(path)) return files;
  files.add(path);
  for (const importer of importers.get(path) ?? []) withImporters(importer, files);
  return files;
}

function load(exhibit: Exhibit, query: string): void {
  const changed = join(root, 'solutions', exhibit.chapter, exhibit.file);
  const text = readFileSync(changed, 'utf8').replace(exhibit.replace, () => exhibit.by);
  loading = { query, changed, text, files: withImporters(changed) };
}

/** Runs the tests of that title. */
async function runNamed(test: string, query: string, title: string): Promise<Outcome> {
  const testResults: Outcome['testResults'] = [];
  const listen = ({ name, ...event }: Circus.Event): void => {
    if (name !== 'test_done') return;
    const { test } = event as { test: Circus.TestEntry };
    if (test.name !== title) return;
    const failureMessages = test.errors.map((error) => messageOf(Array.isArray(error) ? error[0] : error));
    const status = failureMessages.length > 0 ? 'failed' : 'passed';
    testResults.push({ title: test.name, fullName: test.name, status, failureMessages });
  };
  resetState();
  getState().testTimeout = testTimeout;
  try {
    await import(`${pathToFileURL(test).href}${query}`);
  } catch (error) {
    return { testResults: [], testExecError: { message: messageOf(error), stack: '' } };
  }
  getState().testNamePattern = new RegExp(`${title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
  addEventHandler(listen);
  await run().finally(() => removeEventHandler(listen));
  return { testResults };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function main(): Promise<void> {
  const [test = '', ...indices] = process.argv.slice(2);
  // What has no owner is of a wrong solution that was judged before.
  process.on('uncaughtException', () => undefined);
  const exhibits = await exhibitsOf(root, test, (path) => import(path));
  resetState();
  await import(`${pathToFileURL(test).href}?imports`);
  for (const index of indices.map(Number)) {
    const exhibit = exhibits[index] as Exhibit;
    const started = performance.now();
    load(exhibit, `?wrong=${index}`);
    const outcome = await runNamed(test, `?wrong=${index}`, exhibit.caughtBy);
    loading = undefined;
    const { testResults, testExecError } = await runNamed(test, `?right=${index}`, exhibit.caughtBy);
    const without = testExecError?.message ?? testResults.find(({ status }) => status === 'failed')?.failureMessages.join('\n');
    process.send?.({ index, outcome, without, ms: Math.round(performance.now() - started) } satisfies Told);
  }
  process.exit(0);
}

await main();
