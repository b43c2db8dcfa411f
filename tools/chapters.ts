// The chapters, in order: chapter N is resolved with the condition `learner-N`.

import { UsageError } from '#cluster/flags';

export const chapters = [
  'chapter1-etcd',
  'chapter2-api-server',
  'chapter3-controller-manager',
  'chapter4-scheduler',
  'chapter5-kubelet',
  'chapter6-kube-proxy',
] as const;

/** `chapter4`, `4`, `scheduler` or `chapter4-scheduler` → `chapter4-scheduler`. @throws UsageError that lists them */
export function chapterNamed(text: string): (typeof chapters)[number] {
  const chapter = chapters.find((name) =>
    [name, name.replace(/-.*/, ''), name.replace(/\D+(\d).*/, '$1'), name.replace(/^\w+?-/, '')].includes(text),
  );
  if (chapter) return chapter;
  throw new UsageError(`${text ? `no chapter is called "${text}"` : 'which chapter?'} There are ${chapters.join(', ')}`);
}
