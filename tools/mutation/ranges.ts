// What of a chapter's solution is mutated: the bodies of what a learner writes, that is of the declarations tagged @exercise, and
// the private helpers tagged @solution, which a learner writes too. What is given is not the suite's business. A helper is of the
// stage of the exercise before it.

import ts from 'typescript';

/** A body, as lines and columns in its file. */
export interface Range {
  /** `3.2` */
  stage: string;
  start: ts.LineAndCharacter;
  end: ts.LineAndCharacter;
}

export function writtenByLearner(file: string, source: string): Range[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true);
  const ranges: Range[] = [];
  const at = (position: number) => tree.getLineAndCharacterOfPosition(position);
  let stage = '';
  function visit(node: ts.Node): void {
    const tag = ts.getJSDocTags(node).find(({ tagName, parent }) => /^(exercise|solution)$/.test(tagName.text) && parent.parent === node);
    if (!tag) return void ts.forEachChild(node, visit);
    stage = /@exercise (\d+\.\d+)/.exec(tag.getText())?.[1] ?? stage;
    const from = (node as Partial<ts.FunctionLikeDeclaration>).body ?? node;
    ranges.push({ stage, start: at(from.getStart()), end: at(from.end) });
  }
  ts.forEachChild(tree, visit);
  // A file may begin with a helper.
  const [first] = ranges.filter((range) => range.stage);
  return ranges.map((range) => ({ ...range, stage: range.stage || (first?.stage ?? '') })).filter((range) => range.stage);
}

/** As Stryker's `mutate` takes it: lines count from one, columns from zero. */
export function pattern(file: string, { start, end }: Pick<Range, 'start' | 'end'>): string {
  return `${file}:${start.line + 1}:${start.character}-${end.line + 1}:${end.character}`;
}
