// Sessions at a terminal, written down as they should go: each command and what it prints, in a text file that people can read.
//
//     # What the section shows
//     $ kubectl get pod box
//     NAME   READY   STATUS    RESTARTS   AGE
//     box    1/1     Running   0          ⟨age⟩
//
// What is another each time stands in brackets (their words: below); `⟨one|other⟩` is one of them, `⋮` is any number of lines. How many
// blanks stand between two words does not matter, nor do empty lines. A command that fails ends with a line `(exit code 1)`.

import { spawn } from 'node:child_process';

export interface Step {
  command: string;
  expected: string;
}

export interface Section {
  title: string;
  steps: Step[];
}

const words: Record<string, string> = {
  age: '(?:\\d+[smhdy])+',
  date: '\\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d [+-]\\d{4}',
  hash: '[a-z0-9]+',
  id: '[a-z0-9:/-]+',
  ip: '\\d+\\.\\d+\\.\\d+\\.\\d+',
  node: 'node-\\d+',
  number: '\\d+',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z',
  word: '\\S+',
};

export function readSections(text: string): Section[] {
  const sections: Section[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const section = sections.at(-1);
    if (line.startsWith('# ')) sections.push({ title: line.slice(2), steps: [] });
    else if (line.startsWith('$ ')) section?.steps.push({ command: line.slice(2), expected: '' });
    else if (section?.steps.length) (section.steps.at(-1) as Step).expected += `${line}\n`;
    else if (line !== '') throw new Error(`"${line}" comes before the first command: a section begins with "# ", a command with "$ "`);
  }
  return sections;
}

/** Whether that is what should be printed. Throws when a word in brackets is not known. */
export function isAsWritten(expected: string, actual: string): boolean {
  const pattern = linesOf(expected).map(patternOf).join('');
  const text = linesOf(actual).map((line) => `${line}\n`);
  return new RegExp(`^${pattern}$`).test(text.join(''));
}

const linesOf = (text: string) => text.split('\n').flatMap((line) => line.trim() || []);

function patternOf(line: string): string {
  if (line === '⋮') return '(?:.*\\n)*?';
  return `${line
    .split(/(⟨[^⟩]*⟩)/)
    .map(pieceOf)
    .join('')}\\n`;
}

function pieceOf(piece: string): string {
  if (!piece.startsWith('⟨')) return spaced(piece);
  const inside = piece.slice(1, -1);
  if (inside.includes('|')) return `(?:${inside.split('|').map(spaced).join('|')})`;
  const pattern = words[inside];
  if (!pattern) throw new Error(`⟨${inside}⟩ is no word for what changes; there are: ${Object.keys(words).join(', ')}`);
  return pattern;
}

const spaced = (text: string) => text.split(/\s+/).map(literally).join('\\s+');
const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export interface Terminal {
  /** Where the commands run, and find their files. */
  folder: string;
  env: Record<string, string | undefined>;
}

/** Types the commands of a section, one after the other. Throws at the first that prints something else than is written. */
export async function follow({ steps }: Section, terminal: Terminal): Promise<void> {
  for (const { command, expected } of steps) {
    const actual = await type(command, terminal);
    if (!isAsWritten(expected, actual)) throw new Error(`$ ${command}\nprinted:\n${actual}\nand this is written:\n${expected}`);
  }
}

/** What a command prints, on both outputs, and how it ended when it failed. */
function type(command: string, { folder, env }: Terminal): Promise<string> {
  const child = spawn('sh', ['-c', command], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  child.stderr.on('data', (chunk) => (printed += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0 ? printed : `${printed.replace(/\n?$/, '\n')}(exit code ${code})\n`));
  });
}
