// Sessions at a terminal, written down as they should go: each command and what it prints, in a text file that people can read.
//
//     # What the section shows
//     $ kubectl get pod box
//     NAME   READY   STATUS    RESTARTS   AGE
//     box    1/1     Running   0          ⟨age⟩
//
// What is another each time stands in brackets (their words: below); `⟨one|other⟩` is one of them, `⋮` is any number of lines. How many
// blanks stand between two words does not matter, nor do empty lines. A command that fails ends with a line `(exit code 1)`.
//
// A command that ends with `&` goes on once it has printed what is written; `fg` is what it prints after that, until it is interrupted. What
// older clients print in place of it comes last, below a line `(up to 1.27)`.

import { type ChildProcess, spawn } from 'node:child_process';
import { systemClock } from '#kit/clock';
import { eventually } from '#kit/testing/wait';

export interface Step {
  command: string;
  expected: string;
  /** The oldest first: the last minor version that prints so, and what. */
  older: { upTo: number; expected: string }[];
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
    else if (line.startsWith('$ ')) section?.steps.push({ command: line.slice(2), expected: '', older: [] });
    else if (section?.steps.length) addTo(section.steps.at(-1) as Step, line);
    else if (line !== '') throw new Error(`"${line}" comes before the first command: a section begins with "# ", a command with "$ "`);
  }
  return sections;
}

function addTo(step: Step, line: string): void {
  const [, minor] = /^\(up to 1\.(\d+)\)$/.exec(line) ?? [];
  if (minor) step.older.push({ upTo: Number(minor), expected: '' });
  else (step.older.at(-1) ?? step).expected += `${line}\n`;
}

/** What a client of this minor version prints. */
export function expectedOf({ expected, older }: Step, minor: number): string {
  return older.find(({ upTo }) => minor <= upTo)?.expected ?? expected;
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
  /** Of the client that is typed, the minor version: what older ones print is written beside what it prints. */
  minor: number;
}

/** Types the commands of a section, one after the other. Throws at the first that prints something else than is written. */
export async function follow({ steps }: Section, terminal: Terminal): Promise<void> {
  let behind: Running | undefined;
  try {
    for (const step of steps) {
      const { command } = step;
      const expected = expectedOf(step, terminal.minor);
      const running = command === 'fg' && behind ? behind : new Running(command.replace(/ &$/, ''), terminal);
      if (command.endsWith(' &')) behind = running;
      if (running === behind) await running.hasPrinted(expected);
      if (command === 'fg') await running.interrupt();
      const actual = running === behind ? running.taken() : await running.ended;
      if (!isAsWritten(expected, actual)) throw new Error(`$ ${command}\nprinted:\n${actual}\nand this is written:\n${expected}`);
    }
  } finally {
    await behind?.interrupt();
  }
}

class Running {
  /** What it printed, on both outputs, and how it ended when it failed. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #printed = '';

  constructor(command: string, { folder, env }: Terminal) {
    // Both outputs through one pipe, or what was printed last might be read first.
    // A group of its own, as a terminal makes one: an interrupt is for all that the shell started.
    const child = spawn('sh', ['-c', `exec 2>&1\n${command}`], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    this.#child = child;
    child.stdout.on('data', (chunk) => (this.#printed += chunk));
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code === 0 ? this.#printed : `${this.#printed.replace(/\n?$/, '\n')}(exit code ${code})\n`));
    });
  }

  hasPrinted(expected: string): Promise<boolean> {
    const story = () => `printed:\n${this.#printed}\nand this is written:\n${expected}`;
    return eventually('a command that goes on prints what is written', () => isAsWritten(expected, this.#printed), {
      within: 30_000,
      story,
    });
  }

  /** What it has printed since. */
  taken(): string {
    const printed = this.#printed;
    this.#printed = '';
    return printed;
  }

  /** As somebody does: again and again. A shell that is just starting its next program misses one, and so does that program. */
  async interrupt(): Promise<void> {
    const press = () => {
      const { pid, exitCode, signalCode } = this.#child;
      if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGINT');
    };
    press();
    const again = systemClock.every(500, press);
    await this.ended.finally(() => again.cancel());
  }
}
