// Which functions belong to a stage, and where they stand in a file: yours, the solution's or the starter's.

import ts from 'typescript';
import { docOf, tagsIn } from '../starter.ts';

/** From the first character to after the last. */
export interface Range {
  start: number;
  end: number;
}

export interface Declaration extends Range {
  /** `podRequests`, `Queue.add` */
  name: string;
  /** Where its doc begins; `start` when it has none. */
  docStart: number;
  /** The stage that a learner writes it in; a private helper of the solution has none. */
  stage: string | undefined;
  /** A private helper that the starter has not. */
  isHelper: boolean;
}

/** Functions, methods and accessors with a body, and what else carries a tag. */
export function declarationsIn(source: string): Declaration[] {
  const tree = ts.createSourceFile('file.ts', source, ts.ScriptTarget.ESNext, true);
  const found: Declaration[] = [];
  function visit(node: ts.Node): void {
    const doc = docOf(node);
    const [tag] = doc ? tagsIn(source, doc) : [];
    const hasBody = (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node)) && node.body;
    const name = nameOf(node);
    if (name && (tag || hasBody)) {
      const start = node.getStart(tree);
      const stage = tag?.kind === 'exercise' ? /^\d+\.\d+/.exec(tag.text)?.[0] : undefined;
      found.push({ name, stage, isHelper: tag?.kind === 'solution', start, docStart: doc?.pos ?? start, end: node.end });
    }
    if (!hasBody) ts.forEachChild(node, visit);
  }
  ts.forEachChild(tree, visit);
  return found;
}

/** Where the file cannot be read as TypeScript: `12: ';' expected.` */
export function syntaxError(source: string): string | undefined {
  const [first] = ts.transpileModule(source, { reportDiagnostics: true }).diagnostics ?? [];
  if (!first) return undefined;
  const line = source.slice(0, first.start).split('\n').length;
  return `${line}: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`;
}

function nameOf(node: ts.Node): string | undefined {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0]?.name.getText();
  const { name } = node as ts.NamedDeclaration;
  if (!name || ts.isParameter(node)) return undefined;
  const kind = ts.isGetAccessor(node) ? 'get ' : ts.isSetAccessor(node) ? 'set ' : '';
  const owner = ts.isClassElement(node) && ts.isClassLike(node.parent) ? `${node.parent.name?.text ?? 'class'}.` : '';
  return `${owner}${kind}${name.getText()}`;
}

/** The stage's functions and the helpers that they use, in the file's order. */
export function ofStage(source: string, stage: string): Declaration[] {
  const all = declarationsIn(source);
  const chosen = new Set(all.filter((declaration) => declaration.stage === stage));
  for (let before = -1; before !== chosen.size; ) {
    before = chosen.size;
    const text = [...chosen].map(({ start, end }) => source.slice(start, end)).join('\n');
    for (const helper of all) {
      const short = helper.name.replace(/^.*\./, '').replace(/^(get|set) /, '');
      if (helper.isHelper && uses(text, short)) chosen.add(helper);
    }
  }
  return all.filter((declaration) => chosen.has(declaration));
}

function uses(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w$])${name.replace(/[$]/g, '\\$&')}(?![\\w$])`).test(text);
}
