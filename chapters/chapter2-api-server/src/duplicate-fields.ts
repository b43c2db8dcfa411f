// Fields that a JSON text says twice. JSON.parse takes the last one and tells nobody; the author meant one of them, and may not know which
// it is.
// Kubernetes: sigs.k8s.io/json, internal/golang/encoding/json/kubernetes_patch.go

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

function pathOf(way: Place[]): string {
  const path = way.map(({ at }) => (typeof at === 'number' ? `[${at}]` : `.${at}`)).join('');
  return path.startsWith('.') ? path.slice(1) : path;
}
