// What kinds and fields mean, in the words of those who made them. `kubectl explain` prints it, and nothing else needs it: it is
// read from the declarations of the installed package `kubernetes-types` when somebody asks. Where the package is not
// installed, nothing is described, and everything else works.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenApiSchema } from './schemas.ts';

/** Text by what it is about: `Pod`, `Pod.spec`. */
type Descriptions = Map<string, string>;

const declarations = join(process.cwd(), 'node_modules', 'kubernetes-types');
const modules = new Map<string, Descriptions>();

/** The schema with a description of itself and of each of its fields. `name` as schemas refer to each other. */
export function describeSchema(name: string, schema: OpenApiSchema): OpenApiSchema {
  const type = name.slice(name.lastIndexOf('.') + 1);
  const descriptions = descriptionsOf(moduleOf(name));
  const described = (what: string, part: OpenApiSchema) => {
    const description = descriptions.get(what);
    return description === undefined ? part : { description, ...part };
  };
  const { properties } = schema;
  if (!properties) return described(type, schema);
  const fields = Object.entries(properties).map(([field, part]) => [field, described(`${type}.${field}`, part)]);
  return described(type, { ...schema, properties: Object.fromEntries(fields) });
}

/** `core/v1` of `io.k8s.api.core.v1.Pod`, `meta/v1` of `io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta` */
function moduleOf(name: string): string {
  return name
    .replace(/^io\.k8s\.(api\.|apimachinery\.pkg\.(apis\.)?)/, '')
    .split('.')
    .slice(0, -1)
    .join('/');
}

function descriptionsOf(module: string): Descriptions {
  const known = modules.get(module);
  if (known) return known;
  const path = join(declarations, `${module}.d.ts`);
  const descriptions = readDescriptions(readIfPresent(path));
  modules.set(module, descriptions);
  return descriptions;
}

/** A comment is about what follows it: a type, or, indented, a field of the last type. */
export function readDescriptions(text: string): Descriptions {
  const descriptions: Descriptions = new Map();
  let type = '';
  for (const [, comment = '', indented, name = ''] of text.matchAll(
    /\/\*\*(.*?)\*\/\n( +)?(?:export (?:interface|type) |readonly )?"?([\w$-]+)/gs,
  )) {
    if (!indented) type = name;
    descriptions.set(indented ? `${type}.${name}` : name, comment.replace(/^ *\* ?/gm, '').trim());
  }
  return descriptions;
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
