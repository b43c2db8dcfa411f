// Pieces of the project's own source, by name. A text shows `[put](../../solutions/chapter1-etcd/store.ts#Store.put)` alone on its
// line; a code host shows a link to the file, the site shows the code itself. What is shown is compiled and tested with the
// rest, and a name that is gone stops the build.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The declaration with its doc, moved to the left margin. `symbol` is `put` or `Store.put`; `path` starts at the root. */
export function snippet(root: string, path: string, symbol: string): string {
  const source = readFileSync(join(root, path), 'utf8');
  const tree = ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true);
  let found: ts.Node | undefined = tree;
  for (const name of symbol.split('.')) found = found && memberNamed(found, name);
  if (!found) throw new Error(`${path} has no ${symbol}: correct the link that shows it`);
  return dedent(withDoc(source, found));
}

function memberNamed(parent: ts.Node, name: string): ts.Node | undefined {
  const members: readonly ts.Node[] = ts.isSourceFile(parent)
    ? parent.statements
    : ts.isClassDeclaration(parent) || ts.isInterfaceDeclaration(parent)
      ? parent.members
      : [];
  return members.find((member) => namesOf(member).includes(name));
}

function namesOf(node: ts.Node): string[] {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map((declaration) => declaration.name.getText());
  const { name } = node as ts.NamedDeclaration;
  return name ? [name.getText()] : [];
}

/** Without the generator's tag: it speaks to the maintainer. */
function withDoc(source: string, node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node);
  const start = doc?.pos ?? node.getStart();
  const indent = source.slice(source.lastIndexOf('\n', start - 1) + 1, start);
  const text = indent + source.slice(start, node.end);
  return text.replace(/^\s*\/\*\* @(?:exercise|solution)\b.*\*\/\n/m, '').replace(/^\s*\* @(?:exercise|solution)\b.*\n/m, '');
}

function dedent(text: string): string {
  const lines = text.split('\n');
  const margin = Math.min(...lines.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(margin)).join('\n');
}
