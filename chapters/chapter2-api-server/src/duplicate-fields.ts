// Fields that a text says twice. JSON.parse takes the last one and tells nobody; the author meant one of them, and may not know which
// it is. In JSON they are told by their path, in YAML by their line.
// Kubernetes: sigs.k8s.io/json, internal/golang/encoding/json/kubernetes_patch.go; sigs.k8s.io/yaml, UnmarshalStrict

import { isScalar, LineCounter, parseDocument, visit } from 'yaml';

/** An object or list that the reader is in. */
interface Place {
  /** Of an object, the fields so far; absent: a list. */
  fields?: Set<string>;
  /** What is being read: a field's name, or an item's index. */
  at: string | number;
}

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** Where each of them stands, once: `spec.containers[0].image`. The text must be JSON. */
export function duplicateFields(text: string): string[] {
  const found = new Set<string>();
  const way: Place[] = [];
  let string = '';
  for (const [word] of text.matchAll(token)) {
    const here = way.at(-1);
    if (word === '{') way.push({ fields: new Set(), at: '' });
    else if (word === '[') way.push({ at: 0 });
    else if (word === '}' || word === ']') way.pop();
    else if (word === ':' && here?.fields) {
      here.at = JSON.parse(string) as string;
      if (here.fields.has(here.at)) found.add(pathOf(way));
      here.fields.add(here.at);
    } else if (word === ',' && typeof here?.at === 'number') here.at++;
    else string = word;
  }
  return [...found];
}

/** The same for YAML, in words: `line 7: key "a" already set in map`. */
export function duplicateKeys(text: string): string[] {
  const lines = new LineCounter();
  const found: { line: number; key: unknown }[] = [];
  visit(parseDocument(text, { uniqueKeys: false, lineCounter: lines }), {
    Map(_, { items }) {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(key.value)) found.push({ line: lines.linePos(key.range?.[0] ?? 0).line, key: key.value });
        keys.add(key.value);
      }
    },
  });
  found.sort((one, other) => one.line - other.line);
  return found.map(({ line, key }) => `line ${line}: key ${JSON.stringify(key)} already set in map`);
}

function pathOf(way: Place[]): string {
  const path = way.map(({ at }) => (typeof at === 'number' ? `[${at}]` : `.${at}`)).join('');
  return path.startsWith('.') ? path.slice(1) : path;
}
