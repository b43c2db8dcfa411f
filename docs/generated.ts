// Parts of pages that are made, not written: `<!-- generated decisions -->` in a text is replaced by what stands here.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WrongSolution } from '#kit/testing/wrong-solution';
import type { KnownSurvivor } from '../tools/mutation/report.ts';
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

interface Score {
  killed: number;
  survived: number;
  timeout: number;
  noCoverage: number;
  /** Percent of the changed versions that a test noticed. */
  score: number;
  date: string;
}

function mutationScores(root: string, course: Chapter[]): string {
  const path = join(root, 'docs/data/mutation.json');
  if (!existsSync(path)) return 'No scores have been measured yet.\n';
  const scores = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Score>;
  const rows = course.map(({ folder, number, title }) => {
    const score = scores[folder];
    if (!score) return `| ${number}. ${sentence(title)} | not measured yet | | | |`;
    const { killed, survived, timeout, noCoverage, date } = score;
    return `| ${number}. ${sentence(title)} | **${score.score} %** | ${killed + timeout} | ${survived + noCoverage} | ${date} |`;
  });
  return `| chapter | score | caught | not caught | measured |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function knownSurvivors(root: string, course: Chapter[]): string {
  const path = join(root, 'docs/data/survivors.json');
  if (!existsSync(path)) return 'None has been explained yet.\n';
  const survivors = JSON.parse(readFileSync(path, 'utf8')) as Record<string, KnownSurvivor[]>;
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
