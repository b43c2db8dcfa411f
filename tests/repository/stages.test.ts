// A stage is whole: text, tests, hints, wrong solutions, and something to write. And nothing lies about that is no part of one.

import { describe, it } from '@jest/globals';
import { chapters, expectNone, filesBelow, list, read } from './repository.ts';

const parts = ['What you will be able to do', 'Predict', 'The idea', 'Build it', 'See it', 'Check yourself', 'In real Kubernetes'];
const hintGrades = ['Nudge', 'Idea', 'Sketch'];

/** What stands under each heading of that level. */
function sections(markdown: string, level: number): Map<string, string> {
  const withoutCode = markdown.replace(/^```[\s\S]*?^```/gm, (code) => code.replace(/^#/gm, ' #'));
  const [, ...rest] = withoutCode.split(new RegExp(`^#{${level}} `, 'm'));
  return new Map(
    rest.map((section) => {
      const [heading = '', ...body] = section.split('\n');
      return [heading.trim(), body.join('\n').trim()];
    }),
  );
}

interface Stage {
  chapter: string;
  id: string;
}

/** Every stage that anything in the chapter speaks of as being there. */
function stagesOf(chapter: string): Stage[] {
  const folder = `chapters/${chapter}`;
  const names = [...list(`${folder}/tests`), ...list(`${folder}/hints`), ...list(`${folder}/tests/wrong`)];
  const tags = filesBelow(`solutions/${chapter}`).flatMap((path) => [...read(path).matchAll(/@exercise (\d+\.\d+)/g)].map(([, id]) => id));
  const headings = [...sections(text(chapter), 2).keys()];
  const ids = [...names, ...headings, ...tags].flatMap((name) => /^\d+\.\d+(?=[-. ]|$)/.exec(name ?? '')?.[0] ?? []);
  return [...new Set(ids)].map((id) => ({ chapter, id }));
}

function text(chapter: string): string {
  return list(`chapters/${chapter}`).includes('README.md') ? read(`chapters/${chapter}/README.md`) : '';
}

describe.each(chapters)('%s', (chapter) => {
  const stages = stagesOf(chapter);
  const folder = `chapters/${chapter}`;

  it('tests every stage in one file', () => {
    const missing = stages.filter(({ id }) => list(`${folder}/tests`).filter((name) => name.startsWith(`${id}-`)).length !== 1);
    expectNone(
      missing.map(({ id }) => `stage ${id} has no test file, or several`),
      `A stage's tests are ${folder}/tests/<stage>-<slug>.test.ts.`,
    );
  });

  it('leaves something to write in every stage', () => {
    const code = filesBelow(`solutions/${chapter}`).map(read).join('\n');
    const missing = stages.filter(({ id }) => !code.includes(`@exercise ${id} `));
    expectNone(
      missing.map(({ id }) => `stage ${id} has no exercise`),
      `Tag the functions that a learner writes with @exercise <stage> <task> in solutions/${chapter}.`,
    );
  });

  it('explains every stage', () => {
    const texts = sections(text(chapter), 2);
    const findings = stages.flatMap(({ id }) => {
      const [, section] = [...texts].find(([heading]) => heading.startsWith(`${id} `)) ?? [];
      if (section === undefined) return [`stage ${id} has no section`];
      const found = sections(section, 3);
      return parts.filter((part) => !found.get(part)).map((part) => `stage ${id} has no part "${part}"`);
    });
    expectNone(findings, `The text of a stage is a section "## <stage> <title>" of ${folder}/README.md with ${parts.length} parts (###).`);
  });

  it('gives hints of three grades for every stage', () => {
    const findings = stages.flatMap(({ id }) => {
      if (!list(`${folder}/hints`).includes(`${id}.md`)) return [`stage ${id} has no hints`];
      const grades = sections(read(`${folder}/hints/${id}.md`), 2);
      return hintGrades.filter((grade) => !grades.get(grade)).map((grade) => `the hints of stage ${id} have no "${grade}"`);
    });
    expectNone(
      findings,
      `Hints are ${folder}/hints/<stage>.md with the headings ${hintGrades.map((grade) => `"## ${grade}"`).join(', ')}.`,
    );
  });

  it('shows at least three wrong solutions of every stage', () => {
    const findings = stages.flatMap(({ id }) => {
      const path = `${folder}/tests/wrong/${id}.ts`;
      const count = list(`${folder}/tests/wrong`).includes(`${id}.ts`) ? read(path).split('caughtBy:').length - 1 : 0;
      return count < 3 ? [`stage ${id} has ${count}`] : [];
    });
    expectNone(findings, `Wrong solutions are ${folder}/tests/wrong/<stage>.ts; kit/testing/wrong-solution.ts says how one looks.`);
  });

  it('holds no stray file', () => {
    const belongs = [
      /^README\.md$/,
      /^src\//,
      /^tests\/\d+\.\d+-[a-z0-9-]+\.test\.ts$/,
      /^tests\/(?!.*\.test\.)[a-z-]+\.ts$/,
      /^tests\/wrong\/\d+\.\d+\.ts$/,
      /^hints\/\d+\.\d+\.md$/,
      /^pictures\/\d+\.\d+-[a-z0-9-]+\.svg$/,
    ];
    const paths = filesBelow(folder).map((path) => path.slice(folder.length + 1));
    expectNone(
      paths.filter((path) => !belongs.some((pattern) => pattern.test(path))).map((path) => `${folder}/${path}`),
      'These files are no part of a chapter. A chapter has README.md, src/, tests/, tests/wrong/, hints/ and pictures/.',
    );
  });

  it('keeps tests out of its solution', () => {
    expectNone(
      filesBelow(`solutions/${chapter}`).filter((path) => /\.test\.|\/tests?\//.test(path)),
      `Tests of a chapter are in ${folder}/tests: there they judge the learner's code too.`,
    );
  });
});
