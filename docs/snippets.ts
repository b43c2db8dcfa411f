// Pieces of the project's own source, by name. A text has `[range](src/key-values.ts#range)` alone on its line: a code host shows a
// link to the reader's file, the site shows the code itself. What is shown is compiled and tested with the rest; a name that
// is gone stops the build, and so does one that the reader is to write.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/**
 * The declaration with its doc, moved to the left margin. `symbol` is `range` or `Reflector.run`; `file` starts at the root. What is
 * given in a chapter's `src` is taken from its solution, where nobody works.
 */
export function snippet(root: string, file: string, symbol: string): string {
  const path = file.replace(/^chapters\/([^/]+)\/src\//, 'solutions/$1/');
  const source = readFileSync(join(root, path), 'utf8');
  const tree = ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true);
  let found: ts.Node | undefined = tree;
  for (const name of symbol.split('.')) found = found && memberNamed(found, name);
  if (!found) throw new Error(`${path} has no ${symbol}: correct the link that shows it`);
  const text = withDoc(source, found);
  const [, tag] = /@(exercise|solution)\b/.exec(text) ?? [];
  if (tag) throw new Error(`${path}: ${symbol} is tagged @${tag}, so no text may show it: it is for the reader to find out`);
  return dedent(text);
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

function withDoc(source: string, node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node);
  const start = doc?.pos ?? node.getStart();
  return source.slice(source.lastIndexOf('\n', start - 1) + 1, node.end);
}

function dedent(text: string): string {
  const lines = text.split('\n');
  const margin = Math.min(...lines.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(margin)).join('\n');
}
