// What of a chapter's solution is mutated: the bodies of what a learner writes, that is of the declarations tagged @exercise, and
// the private helpers tagged @solution, which a learner writes too. What is given is not the suite's business.

import ts from 'typescript';

/** A body, as lines and columns in its file. */
export interface Range {
  /** Of the function or method that it belongs to. */
  name: string;
  start: ts.LineAndCharacter;
  end: ts.LineAndCharacter;
}

export function writtenByLearner(file: string, source: string): Range[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true);
  const ranges: Range[] = [];
  const at = (position: number) => tree.getLineAndCharacterOfPosition(position);
  function visit(node: ts.Node): void {
    if (!isTagged(node)) return void ts.forEachChild(node, visit);
    const from = (node as Partial<ts.FunctionLikeDeclaration>).body ?? node;
    ranges.push({ name: nameOf(node), start: at(from.getStart()), end: at(from.end) });
  }
  ts.forEachChild(tree, visit);
  return ranges;
}

/** As Stryker's `mutate` takes it: lines count from one, columns from zero. */
export function pattern(file: string, { start, end }: Range): string {
  return `${file}:${start.line + 1}:${start.character}-${end.line + 1}:${end.character}`;
}

function isTagged(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some(({ tagName, parent }) => /^(exercise|solution)$/.test(tagName.text) && parent.parent === node);
}

function nameOf(node: ts.Node): string {
  const { name } = node as { name?: ts.Node };
  return name?.getText() ?? (ts.isVariableStatement(node) ? (node.declarationList.declarations[0]?.name.getText() ?? '') : '');
}
