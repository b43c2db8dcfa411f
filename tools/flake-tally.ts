// What many runs of one suite come to: which tests failed, how often, and how they failed first.

/** The part of jest's JSON report that is read. */
export interface RunReport {
  numTotalTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: {
    name: string;
    /** Of a file that did not run. */
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

export interface Failures {
  test: string;
  times: number;
  first: string;
}

export class Tally {
  runs = 0;
  tests = 0;
  readonly #failures = new Map<string, Failures>();

  /** Often first. */
  get failures(): Failures[] {
    return [...this.#failures.values()].sort((a, b) => b.times - a.times || a.test.localeCompare(b.test, 'en'));
  }

  /** @returns how many failed in this run */
  add(report: RunReport): number {
    this.runs += 1;
    this.tests = Math.max(this.tests, report.numTotalTests);
    const failed = report.testResults.flatMap(({ name, message, assertionResults }) => {
      // A file that did not run has no tests, and a message.
      if (assertionResults.length === 0 && message) return [{ test: name.replace(/.*[\\/]/, ''), text: message }];
      return assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName, failureMessages }) => ({ test: fullName, text: failureMessages.join('\n') }));
    });
    for (const { test, text } of failed) {
      const known = this.#failures.get(test);
      if (known) known.times += 1;
      else this.#failures.set(test, { test, times: 1, first: text });
    }
    return failed.length;
  }
}

export function describeTally({ runs, tests, failures }: Tally): string {
  const often = `${runs} ${runs === 1 ? 'run' : 'runs'} of ${tests} tests`;
  if (runs === 0) return 'No run came to its end.';
  if (failures.length === 0) return `${often}: every test passed every time.`;
  const table = failures.map(({ test, times }) => `${String(times).padStart(5)} of ${runs}  ${test}`);
  const firsts = failures.map(({ test, first }) => `● ${test}, the first time:\n\n${first.replace(/^/gm, '    ')}`);
  return [`${often}: ${failures.length} failed at least once`, '', ...table, '', ...firsts].join('\n');
}
