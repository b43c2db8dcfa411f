// npm run kata -- update: the course's news by git, merged into your work. Starters are generated files, so git's three-way merge is
// the right one: the old starter is the common ancestor, yours and the new starter are the two sides. Nothing is ever lost: all of
// chapters/*/src is copied first, uncommitted work is committed before the merge, and the merge can be taken back.

import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#cluster/flags';
import { systemClock, timestamp } from '#kit/clock';
import { chapters } from '../chapters.ts';

class Git {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  try(...args: string[]): { clean: boolean; output: string } {
    const { status, stdout, stderr, error } = spawnSync('git', args, { cwd: this.#root, encoding: 'utf8' });
    if (error) throw new UsageError(`The update needs git: ${error.message}.`);
    return { clean: status === 0, output: (status === 0 ? stdout : stdout + stderr).trim() };
  }

  /** @throws UsageError with what git said */
  do(...args: string[]): string {
    const { clean, output } = this.try(...args);
    if (!clean) throw new UsageError(`\`git ${args.join(' ')}\` failed:\n${output}`);
    return output;
  }
}

/** @returns the exit code: 1 when something is left to do for the learner */
export async function update(root: string, confirm: (question: string) => Promise<boolean>): Promise<number> {
  const git = new Git(root);
  if (!git.try('rev-parse', '--is-inside-work-tree').clean)
    throw new UsageError('This folder is no git repository: clone the course anew, and copy chapters/*/src into it.');
  if (git.try('rev-parse', '-q', '--verify', 'MERGE_HEAD').clean) throw new UsageError(`A merge is under way.\n\n${howToMerge}`);
  const source = courseBranch(git);
  console.log(`Looking for news of the course (git fetch ${source.remote}) …`);
  git.do('fetch', source.remote, source.branch);
  const news = git.do('log', '--oneline', '--no-decorate', `HEAD..${source.ref}`).split('\n').filter(Boolean);
  if (news.length === 0) {
    console.log('The course has nothing new.');
    return 0;
  }
  console.log(`\n${news.length} ${news.length === 1 ? 'change' : 'changes'} of the course:`);
  for (const line of news.slice(0, 12)) console.log(`  ${line}`);
  if (news.length > 12) console.log(`  … and ${news.length - 12} more`);
  const unsaved = git.do('status', '--porcelain', '--untracked-files=normal').split('\n').filter(Boolean);
  console.log(
    `\nWhat happens now: your chapters/*/src are copied to .kubekata/backup/;${unsaved.length > 0 ? ` your ${unsaved.length} changed files are committed;` : ''} then git merges.`,
  );
  if (!(await confirm('Go on?'))) return 1;
  const backup = join('.kubekata/backup', timestamp(systemClock).replaceAll(':', '-'));
  for (const chapter of chapters)
    cpSync(join(root, 'chapters', chapter, 'src'), join(root, backup, 'chapters', chapter, 'src'), { recursive: true });
  console.log(`A copy of your work is in ${backup}/.`);
  const who = git.try('config', 'user.email').clean ? [] : ['-c', 'user.name=Learner', '-c', 'user.email=learner@localhost'];
  if (unsaved.length > 0) {
    git.do('add', '--all');
    git.do(...who, 'commit', '--quiet', '-m', 'My work before an update of the course');
    console.log('Your changes are committed.');
  }
  return merge(git, who, source.ref);
}

/** Where the course comes from: the remote `upstream` if you have a fork, else `origin`. */
function courseBranch(git: Git): { remote: string; branch: string; ref: string } {
  const remotes = git.do('remote').split('\n').filter(Boolean);
  const remote = ['upstream', 'origin'].find((name) => remotes.includes(name));
  if (!remote)
    throw new UsageError('git knows no place to get news from: `git remote add upstream <the address that the course was cloned from>`.');
  const head = git.try('ls-remote', '--symref', remote, 'HEAD');
  if (!head.clean)
    throw new UsageError(`${remote} does not answer:\n${head.output}\nIs the network there? \`git remote -v\` shows the address.`);
  const branch = /^ref: refs\/heads\/(\S+)/m.exec(head.output)?.[1] ?? 'main';
  return { remote, branch, ref: `${remote}/${branch}` };
}

function merge(git: Git, who: string[], ref: string): number {
  const before = git.do('rev-parse', 'HEAD');
  const { clean, output } = git.try(...who, 'merge', '--no-edit', ref);
  if (clean) {
    console.log('Merged: your functions are as you wrote them, everything else is as new.');
    if (git.do('diff', '--name-only', before, 'HEAD', '--', 'package-lock.json')) console.log('The packages changed: run npm run setup.');
    return 0;
  }
  const conflicts = git.do('diff', '--name-only', '--diff-filter=U').split('\n').filter(Boolean);
  if (conflicts.length === 0) throw new UsageError(`git could not merge:\n${output}\nYour work is as it was.`);
  console.log(`\nIn ${conflicts.length === 1 ? 'one file' : `${conflicts.length} files`} the course changed what you changed too:\n`);
  for (const path of conflicts) console.log(`  ${path}`);
  console.log(`\n${howToMerge}`);
  return 1;
}

const howToMerge = `In each such file stand both versions, one above the other:

  <<<<<<< HEAD
  your code
  =======
  the course's new starter
  >>>>>>>

Keep what should stay (mostly: your body under the new signature), and delete the three marker lines.
Then: git add --all && git commit --no-edit
Or, to be where you were before: git merge --abort`;
