import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: 'does not wait for the sync',
    misunderstanding: 'What is written is on the disk. (It is in memory that belongs to the system, and that needs power.)',
    file: 'log-file.ts',
    replace: `    await this.#file.sync();
    this.#size += records.length;`,
    by: `    this.#file.sync().catch(() => {});
    this.#size += records.length;`,
    caughtBy: 'is safe when append resolves, whatever the power does',
  },
  {
    name: 'does not sync the directory',
    misunderstanding: 'A file that is synced is safe. (Its content is. Its name lies in the directory.)',
    file: 'log-file.ts',
    replace: 'await disk.syncDirectory(dirname(path));',
    by: 'await disk.list(dirname(path));',
    caughtBy: 'is safe when append resolves, whatever the power does',
  },
  {
    name: 'takes a turn of the disk for each command',
    misunderstanding: 'Commands are written one after the other, so they are synced one after the other.',
    file: 'journal.ts',
    replace: `      const turn = this.#waiting;
      this.#waiting = [];`,
    by: '      const turn = this.#waiting.splice(0, 1);',
    caughtBy: 'shares a turn of the disk among all who wait, and answers them in order',
  },
  {
    name: 'leaves the torn record where it is',
    misunderstanding: 'The torn record is not read, so it does no harm. (The next one stands behind it, where nobody finds it.)',
    file: 'log-file.ts',
    replace: 'if (end < content.length) await file.truncate(end);',
    by: 'if (end > content.length) await file.truncate(end);',
    caughtBy: 'goes on behind the last whole record when the one behind it was cut short',
  },
  {
    name: 'takes all damage for a torn end',
    misunderstanding: 'Where the checksum is wrong, the log ends. (Everything behind it was acknowledged, and is gone without a word.)',
    file: 'records.ts',
    replace: "return stop(next === content.length && hasLostSector(content, start, next) ? 'torn' : 'damaged');",
    by: "return stop('torn');",
    caughtBy: 'are damaged by any bit that flips',
  },
  {
    name: 'trusts the length',
    misunderstanding: "The payload's checksum covers the record. (With a wrong length the rest of the file looks like one torn record.)",
    file: 'records.ts',
    replace: 'if (content.readUInt32LE(end + 8) !== crc32(content.subarray(end, end + 8)))',
    by: 'if (content.length === headerSize && payloads.length < 0)',
    caughtBy: 'are damaged by any bit that flips',
  },
  {
    name: 'renames first, and syncs never',
    misunderstanding: 'A rename happens as a whole, so the file is whole. (The name may be on the disk before the content is.)',
    file: 'snapshot-file.ts',
    replace: 'await file.sync();',
    by: 'await breath();',
    caughtBy: 'is the old one or the new one, at whatever moment the power fails',
  },
  {
    name: 'believes its own snapshot',
    misunderstanding: 'Nobody else writes there. (Disks do forget, and people copy files halfway.)',
    file: 'snapshot-file.ts',
    replace: 'if (!hash.equals(content.subarray(body.length))) {',
    by: 'if (body.length === 0 && !hash.equals(content)) {',
    caughtBy: 'is refused when any byte of it has changed',
  },
  {
    name: 'cuts off the torn record, and goes on at once',
    misunderstanding:
      'What is cut off is gone. (Until a sync, a power failure brings it back: behind a new record, or in the middle of one.)',
    file: 'log-file.ts',
    replace: '      await file.sync();\n',
    by: '',
    caughtBy: 'can be opened again when the power fails after a torn record was cut off',
  },
  {
    name: 'leaves those who wait without an answer',
    misunderstanding: 'A turn that fails is the affair of those who are in it. (The others wait for a turn that never comes.)',
    file: 'journal.ts',
    replace: '        for (const { reject } of this.#waiting) reject(error);\n',
    by: '',
    caughtBy: 'is over when a sync fails, for those who wait and for all who come later',
  },
  {
    name: 'goes on after a failed sync',
    misunderstanding:
      'The next sync may work. (It may, and say nothing of what the failed one has lost: nobody knows what is on the disk.)',
    file: 'journal.ts',
    replace: 'if (this.#failure) return Promise.reject(this.#failure);',
    by: '',
    caughtBy: 'is over when a sync fails, for those who wait and for all who come later',
  },
  {
    name: 'writes behind what was begun before',
    misunderstanding:
      'A file that is opened for writing is empty. (It was begun before a crash, and has the half of another snapshot in it.)',
    file: 'snapshot-file.ts',
    replace: '  await disk.remove(path + unfinished);\n',
    by: '',
    caughtBy: 'has nothing in it of one that was begun before and never finished',
  },
];
