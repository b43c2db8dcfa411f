import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: 'lists the present, whatever revision was asked for',
    misunderstanding: 'A list is a list of now. (Pages of one list must all be of the same moment.)',
    file: 'key-values.ts',
    replace: 'return store.list(keyRange(request.key, request.rangeEnd), revision);',
    by: 'return store.list(keyRange(request.key, request.rangeEnd), revision && undefined);',
    caughtBy: 'lists page after page without losing, doubling or renaming a key, whatever is written in between',
  },
  {
    name: 'forgets all that is old',
    misunderstanding: 'Compacting at a revision drops every version below it. (What nobody has changed since is still the present value.)',
    file: 'store.ts',
    replace: 'revisions.splice(0, isTombstone ? last + 1 : last);',
    by: 'revisions.splice(0, last + 1);',
    caughtBy: 'keeps what is alive at the compacted revision, however old it is',
  },
  {
    name: 'does not answer at the compacted revision itself',
    misunderstanding: 'Compacting up to a revision takes that revision with it.',
    file: 'store.ts',
    replace: 'if (revision < this.#compactedRevision) throw compacted();',
    by: 'if (revision <= this.#compactedRevision) throw compacted();',
    caughtBy: 'answers at the compacted revision and after it, and not before',
  },
  {
    name: 'takes the future for the present',
    misunderstanding: 'The latest version is the best answer there is. (The client would take it for the truth about a revision.)',
    file: 'store.ts',
    replace: `checkReadable(revision: number): void {
    if (revision > this.#revision) throw futureRevision();`,
    by: `checkReadable(revision: number): void {
    if (revision > this.#revision) return;`,
    caughtBy: 'refuses to tell the future',
  },
  {
    name: 'compacts the same revision twice',
    misunderstanding: 'Nothing is left to do, so nothing is wrong. (Two cleaners that compact in turns would not notice each other.)',
    file: 'store.ts',
    replace: 'if (revision <= this.#compactedRevision) throw compacted();',
    by: 'if (revision < this.#compactedRevision) throw compacted();',
    caughtBy: 'refuses a compaction that was made already, and one of the future',
  },
  {
    name: 'hides the past, and keeps it',
    misunderstanding: 'Compaction is about what can be read. (It is about memory: history would grow until the server dies.)',
    file: 'store.ts',
    replace: 'this.#changes.dropBelow(revision);',
    by: '',
    caughtBy: 'gives the memory back',
  },
  {
    name: 'sees what was before the revision',
    misunderstanding: 'At a revision the store is as it was before that change.',
    file: 'store.ts',
    replace: 'if ((revisions[middle] as number) <= revision) low = middle;',
    by: 'if ((revisions[middle] as number) < revision) low = middle;',
    caughtBy: 'shows a key as it was at each revision',
  },
  {
    name: 'lets the past be read when there is nothing but the present',
    misunderstanding: 'When all is compacted, there is no boundary any more.',
    file: 'store.ts',
    replace: 'if (revision < this.#compactedRevision) throw compacted();',
    by: 'if (revision < this.#compactedRevision && this.#compactedRevision < this.#revision) throw compacted();',
    caughtBy: 'forgets all that was before the present, if that is asked for',
  },
  {
    name: 'keeps the names of the dead',
    misunderstanding: 'A key without versions takes no room.',
    file: 'store.ts',
    replace: 'if (revisions.length === 0) this.#keys.remove(kv.keyText);',
    by: '',
    caughtBy: 'forgets the very names of keys that are gone',
  },
  {
    name: 'drops the change at the compacted revision',
    misunderstanding:
      'What is compacted is over. (A watch may still begin there: the reads at that revision work, and the changes after it follow.)',
    file: 'store.ts',
    replace: 'this.#changes.dropBelow(revision);',
    by: 'this.#changes.dropBelow(revision + 1);',
    caughtBy: 'keeps that change, which a watch can still ask for, and none before it',
  },
  {
    name: 'forgets one change too few',
    misunderstanding:
      'The change at the compacted revision stays, so there is nothing to forget about it. (It has hidden the version before it.)',
    file: 'store.ts',
    replace: 'if (change.revision > revision) break;',
    by: 'if (change.revision >= revision) break;',
    caughtBy: 'keeps no version that the change at that very revision has hidden',
  },
  {
    name: 'keeps the tombstones',
    misunderstanding: 'The last version before the compaction is what is seen there, so it stays. (Of a tombstone nothing is seen.)',
    file: 'store.ts',
    replace: 'revisions.splice(0, isTombstone ? last + 1 : last);',
    by: 'revisions.splice(0, last);',
    caughtBy: 'keeps no version that the change at that very revision has hidden',
  },
];
