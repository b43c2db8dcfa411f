// The pages beside the chapters say nothing that the chapters contradict.

import { describe, it } from '@jest/globals';
import { chapters, expectNone, read } from './repository.ts';

const guide = 'docs/pages/facilitators-guide.md';

/** Minutes of each stage, as the table of its chapter has them. */
function minutesOfStages(): Map<string, number> {
  const tables = chapters.flatMap((chapter) => [...read(`chapters/${chapter}/README.md`).matchAll(/^\| (\d+\.\d+) +\|.*\| (\d+) min/gm)]);
  return new Map(tables.map(([, stage = '', minutes]) => [stage, Number(minutes)]));
}

interface Row {
  /** Minutes since midnight. */
  from: number;
  what: string;
  minutes: number;
}

/** The plans of the guide: each a table of what begins when, and how long it takes. */
function plans(): Row[][] {
  const [, ...tables] = read(guide).split('| from | what | minutes |\n| --- | --- | --- |\n');
  return tables.map((table) =>
    [...table.matchAll(/^\| (\d+):(\d\d) \| (.*) \| (\d*) ?\|$/gm)].map(([, hours, minutes, what = '', length]) => ({
      from: Number(hours) * 60 + Number(minutes),
      what,
      minutes: Number(length),
    })),
  );
}

describe("the facilitator's guide", () => {
  it('gives each stage the time that its chapter gives it', () => {
    const known = minutesOfStages();
    const findings = plans()
      .flat()
      .flatMap(({ what, minutes }) => {
        const [, stage = ''] = /^\[(\d+\.\d+) /.exec(what) ?? [];
        return stage && known.get(stage) !== minutes
          ? [`stage ${stage}: ${minutes} minutes in the plan, ${known.get(stage)} in its chapter`]
          : [];
      });
    expectNone(findings, `Correct the plans in ${guide}, and move what comes after.`);
  });

  it('has plans whose times add up', () => {
    const findings = plans().flatMap((rows) =>
      rows.slice(1).flatMap(({ from, what }, index) => {
        const before = rows[index] as Row;
        return before.from + before.minutes === from
          ? []
          : [`"${what}" begins ${from - before.from} minutes after "${before.what}", which takes ${before.minutes}`];
      }),
    );
    expectNone(plans().length > 0 ? findings : ['no plan was found'], `Correct the times in ${guide}.`);
  });
});
