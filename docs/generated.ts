// Parts of pages that are made, not written: `<!-- generated decisions -->` in a text is replaced by what stands here.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WrongSolution } from '#kit/testing/wrong-solution';
import { type Counts, type KnownSurvivor, percentOf, type Score } from '../tools/mutation/report.ts';
import { readGallery } from '../tools/proof/gallery.ts';
import { type Chapter, splitByHeading } from './course.ts';
import { slugify } from './html.ts';
import { sentence } from './pages.ts';

/** Markdown for each name. Headings in it are of the level that is right below the page's title. */
export async function generatedParts(root: string, course: Chapter[]): Promise<Record<string, string>> {
  return {
    decisions: decisions(root),
    'in-real-kubernetes': inRealKubernetes(course),
    'mutation-scores': mutationScores(root, course),
    'known-survivors': knownSurvivors(root, course),
    'wrong-solutions': await wrongSolutions(root, course),
  };
}

function decisions(root: string): string {
  const folder = join(root, 'docs/decisions');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => {
      const [, number, title, text] = /^# (\d+)\. (.*)\n([\s\S]*)$/.exec(readFileSync(join(folder, name), 'utf8')) ?? [];
      if (!number) throw new Error(`docs/decisions/${name} must begin with "# <number>. <what was decided>"`);
      return `## ${number}. ${title}\n\n${text?.trim()}\n`;
    })
    .join('\n');
}

function inRealKubernetes(course: Chapter[]): string {
  return course
    .map(({ folder, title, stages }) => {
      const parts = stages.flatMap(({ id, title, text = '' }) => {
        const part = splitByHeading(text, 3).find(({ heading }) => heading === 'In real Kubernetes');
        return part
          ? [
              `### ${id} ${title}\n\n${part.text.trim()}\n\n[Read the stage](../../chapters/${folder}/README.md#${slugify(`${id} ${title}`)})\n`,
            ]
          : [];
      });
      return `## ${sentence(title)}\n\n${parts.join('\n')}`;
    })
    .join('\n');
}

/** Each chapter with its stages. Where nothing was measured, the table says why. */
function mutationScores(root: string, course: Chapter[]): string {
  const scores = readData<Record<string, Score>>(root, 'mutation.json');
  const reasons = readData<Record<string, string>>(root, 'not-measured.json');
  const cells = ({ killed, timeout, survived, noCoverage }: Counts) => `${killed + timeout} | ${survived + noCoverage}`;
  const rows = course.flatMap(({ folder, number, title, stages }) => {
    const score = scores[folder];
    const whole = score ? `**${score.score} %** | ${cells(score)} | ${score.date}` : '– | | |';
    const ofStages = stages.filter(({ minutes }) => minutes !== undefined);
    return [
      `| **${number}. ${sentence(title)}** | ${whole} |`,
      ...ofStages.map(({ id, title }) => {
        const counts = score?.stages[id];
        const measured = counts
          ? `${percentOf(counts)} % | ${cells(counts)} | |`
          : `${reasons[id] ? `not measured: ${reasons[id]}` : 'not measured yet'} | | | |`;
        return `| ${id} ${title} | ${measured}`;
      }),
    ];
  });
  return `| chapter, stage | score | caught | not caught | measured |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function readData<T>(root: string, name: string): T {
  return JSON.parse(readFileSync(join(root, 'docs/data', name), 'utf8')) as T;
}

function knownSurvivors(root: string, course: Chapter[]): string {
  const survivors = readData<Record<string, KnownSurvivor[]>>(root, 'survivors.json');
  const rows = course.flatMap(({ folder }) =>
    (survivors[folder] ?? []).map(
      ({ file, from, to, reason }) => `| \`${file.replace('solutions/', '')}\` | ${code(from)} | ${code(to)} | ${reason} |`,
    ),
  );
  return `| file | reference | changed | why no test notices |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

/** Code in a table's cell, where a bar would end the cell. */
function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

async function wrongSolutions(root: string, course: Chapter[]): Promise<string> {
  const chapters = await Promise.all(
    course.map(async ({ folder, title, stages }) => {
      const gallery = await readGallery(root, folder, (path) => import(path) as Promise<{ wrong: WrongSolution[] }>);
      const lists = stages.flatMap((stage) => {
        const wrong = gallery.filter((exhibit) => exhibit.stage === stage.id);
        if (wrong.length === 0) return [];
        const items = wrong.map(
          ({ name, misunderstanding, caughtBy }) =>
            `- **${literally(name)}**: ${literally(misunderstanding)} Caught by “${literally(caughtBy)}”.`,
        );
        return [
          `<details><summary>${stage.id} ${stage.title} <span class="count">${wrong.length}</span></summary>\n\n${items.join('\n')}\n\n</details>`,
        ];
      });
      return `### ${sentence(title)}\n\n${lists.join('\n')}\n`;
    }),
  );
  return chapters.join('\n');
}

/** Text of which nothing is Markdown but code. */
function literally(text: string): string {
  return text.replace(/[\\*_[\]<>]/g, '\\$&');
}
