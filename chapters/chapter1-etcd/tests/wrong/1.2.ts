import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: 'takes the end of the range in',
    misunderstanding: 'A range goes from the first key to the last.',
    file: 'keys.ts',
    replace: "to === '\\0' ? undefined : to };",
    by: "to === '\\0' ? undefined : to.concat('\\0') };",
    caughtBy: 'takes the start of a range in, and leaves its end out',
  },
  {
    name: 'takes a zero byte for an ordinary end',
    misunderstanding:
      'A range end is a key. (The zero byte is the smallest key; no range could end there, so etcd gives it another meaning.)',
    file: 'keys.ts',
    replace: "return { from, to: to === '\\0' ? undefined : to };",
    by: 'return { from, to };',
    caughtBy: 'lists every key from a key on, when the range ends with a zero byte',
  },
  {
    name: 'says that there is more when the page is just full',
    misunderstanding: 'A full page means another page.',
    file: 'key-values.ts',
    replace: 'more: kvs.length > limit };',
    by: 'more: kvs.length >= limit };',
    caughtBy: 'does not claim that there is more when the limit just suffices',
  },
  {
    name: 'empties the value in the store',
    misunderstanding: 'The list is mine, so what is in the list is mine.',
    file: 'key-values.ts',
    replace: 'return { ...kv, value: Buffer.alloc(0) };',
    by: 'return Object.assign(kv, { value: Buffer.alloc(0) });',
    caughtBy: 'lists keys without their values, which stay in the store',
  },
  {
    name: 'deletes key by key',
    misunderstanding: 'Deleting a range is many deletes.',
    file: 'key-values.ts',
    replace: 'for (const { key } of found) store.delete(change, keyText(key));',
    by: 'for (const { key } of found) store.commit((own) => store.delete(own, keyText(key)));',
    caughtBy: 'deletes a range in one change',
  },
  {
    name: 'lists the deleted',
    misunderstanding: 'Every key in the index is a key in the store.',
    file: 'store.ts',
    replace: 'if (kv) found.push(kv);',
    by: 'found.push(kv ?? (history.versions.at(-1) as KeyValue));',
    caughtBy: 'lists each key once, with its latest value, and no deleted one',
  },
  {
    name: 'does not sort without a direction',
    misunderstanding: 'Order NONE means no order, whatever the target.',
    file: 'key-values.ts',
    replace: "const direction = order === 'DESCEND' ? -1 : 1;",
    by: "const direction = order === 'NONE' ? 0 : order === 'DESCEND' ? -1 : 1;",
    caughtBy: 'by VALUE, NONE: acb',
  },
];
