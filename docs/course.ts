// The course as its own texts tell it: chapters from chapters/*/README.md, with their stages and hints. Nothing about a
// stage is written a second time for the site: its title and time come from the map at the top of its chapter.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chapters as folders } from '../tools/chapters.ts';
import { typeset } from './html.ts';

export interface Stage {
  /** `1.10`; stable for ever. */
  id: string;
  title: string;
  /** What the map says it takes to do, in minutes; absent while the stage is still to come. */
  minutes?: number;
  /** The stage's section without its heading; absent while the stage is still to come. */
  text?: string;
  /** The three hints, graded, as Markdown with a heading each. */
  hints?: string;
}

export interface Chapter {
  folder: string;
  number: number;
  /** `etcd` */
  title: string;
  /** `the cluster's memory` */
  subtitle: string;
  /** From the repository's root. */
  source: string;
  /** What stands above the first stage, without the heading. */
  opening: string;
  stages: Stage[];
  checkpoint?: string;
}

export function readCourse(root: string): Chapter[] {
  return folders.map((folder, index) => readChapter(root, folder, index + 1));
}

function readChapter(root: string, folder: string, number: number): Chapter {
  const source = `chapters/${folder}/README.md`;
  const [opening, ...sections] = splitByHeading(readFileSync(join(root, source), 'utf8'));
  const heading = /^# Chapter \d+: (.+?) — (.+)\n/.exec(opening?.text ?? '');
  if (!opening || !heading) throw new Error(`${source}: the first line must be "# Chapter ${number}: <component> — <what it is>"`);
  const [first = '', title = '', subtitle = ''] = heading;
  const stages = [...opening.text.matchAll(/^\| (\d+\.\d+) +\| (.+?) +\| (?:(\d+) min|coming) *\|$/gm)].map(
    ([, id = '', name = '', minutes]) =>
      readStage(root, folder, { id, title: typeset(name), ...(minutes ? { minutes: Number(minutes) } : {}) }, sections),
  );
  const known = new Set(stages.map(({ id }) => id));
  const lost = sections.map(({ heading }) => /^\d+\.\d+/.exec(heading)?.[0]).find((id) => id && !known.has(id));
  if (lost) throw new Error(`${source}: stage ${lost} is missing in the table at the top: a row is "| ${lost} | title | 45 min |"`);
  const checkpoint = sections.find(({ heading }) => heading === 'Checkpoint')?.text;
  return {
    folder,
    number,
    title,
    subtitle: typeset(subtitle),
    source,
    opening: opening.text.slice(first.length),
    stages,
    ...(checkpoint ? { checkpoint } : {}),
  };
}

function readStage(root: string, folder: string, stage: Stage, sections: Section[]): Stage {
  const section = sections.find(({ heading }) => heading.startsWith(`${stage.id} `));
  if (!section) return stage;
  const hints = join(root, 'chapters', folder, 'hints', `${stage.id}.md`);
  return {
    ...stage,
    title: typeset(section.heading.slice(stage.id.length + 1)),
    text: section.text,
    ...(existsSync(hints) ? { hints: readFileSync(hints, 'utf8') } : {}),
  };
}

export interface Section {
  /** Empty for what stands above the first heading. */
  heading: string;
  text: string;
}

/** Splits Markdown at its headings of that level; a `##` in a code block is no heading. */
export function splitByHeading(markdown: string, level = 2): Section[] {
  const mark = `${'#'.repeat(level)} `;
  const sections: Section[] = [{ heading: '', text: '' }];
  let fence: string | undefined;
  for (const line of markdown.split('\n')) {
    const [, ticks] = /^\s*(```+|~~~+)/.exec(line) ?? [];
    if (ticks && (!fence || line.trim() === fence)) fence = fence ? undefined : ticks;
    if (!fence && line.startsWith(mark)) sections.push({ heading: line.slice(mark.length).trim(), text: '' });
    else (sections.at(-1) as Section).text += `${line}\n`;
  }
  return sections;
}
