// Turns a solution's file into the learner's. `@exercise 4.2 What this must do` in a JSDoc keeps signature and doc and
// replaces the body by a throw; `@solution` takes the declaration away with its doc. Everything else stays to the letter:
// this edits text and never prints a syntax tree. Imports stay too, also those that only a removed body used: they are the
// tools at hand.

import ts from 'typescript';

export interface Problem {
  file: string;
  line: number;
  message: string;
}

export interface StarterOptions {
  /** Shown in problems. */
  file: string;
  /** The chapter's stage ids, as its test files name them. */
  stages: ReadonlySet<string>;
  /** Whether that module's export is taken away: then its import goes too. */
  isRemoved?: (specifier: string, name: string) => boolean;
  /** The learner has come this far: the bodies of these stages stay, and so do all helpers. Absent: a starter, nothing is written. */
  written?: (stage: string) => boolean;
}

export interface Starter {
  text: string;
  /** Names of top-level declarations that were taken away. */
  removed: string[];
  problems: Problem[];
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

interface Tag {
  kind: 'exercise' | 'solution';
  /** What follows the tag's name on its line. */
  text: string;
  line: Edit;
  /** The text goes on in the next line. */
  goesOn: boolean;
}

const notImplementedImport = "import { NotImplemented } from '#kit/not-implemented';\n";

export function toStarter(source: string, { file, stages, written, isRemoved = () => false }: StarterOptions): Starter {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true);
  const edits: Edit[] = [];
  const removed: string[] = [];
  const problems: Problem[] = [];
  const handled: ts.TextRange[] = [];
  let throws = false;

  const report = (position: number, message: string) =>
    problems.push({ file, line: tree.getLineAndCharacterOfPosition(position).line + 1, message });

  function visit(node: ts.Node): void {
    const doc = docOf(node);
    const tags = doc ? tagsIn(source, doc) : [];
    const [tag, second] = tags;
    if (!doc || !tag) return void ts.forEachChild(node, visit);
    handled.push({ pos: doc.pos, end: tag.kind === 'solution' ? node.end : doc.end });
    if (second) {
      report(
        second.line.start,
        `@${tag.kind} and @${second.kind} on one declaration: keep one, and split the function if it belongs to two stages`,
      );
    } else if (tag.kind === 'solution') {
      if (written) return;
      edits.push(wholeLines(source, doc.pos, node.end));
      removed.push(...topLevelNames(node));
    } else {
      takeBody(node, doc, tag);
    }
  }

  function takeBody(node: ts.Node, doc: ts.TextRange, tag: Tag): void {
    const problem = whyNot(node);
    if (problem) return void report(tag.line.start, problem);
    const [, stage, task] = /^(\d+\.\d+)\s+(\S.*)$/.exec(tag.text) ?? [];
    if (!stage || !task)
      return void report(tag.line.start, `@exercise needs a stage and a task, like "@exercise 4.2 Say whether the pod fits"`);
    if (!stages.has(stage)) {
      return void report(
        tag.line.start,
        `there is no stage ${stage} in this chapter: correct the id, or add tests/${stage}-<slug>.test.ts`,
      );
    }
    if (written?.(stage)) return;
    if (tag.goesOn) return void report(tag.line.start, 'the task goes on in the next line: make it one line, and the last of the doc');
    edits.push(docWithout(source, doc, tag, task));
    const body = (node as ts.FunctionLikeDeclaration).body as ts.Block;
    edits.push({ start: body.getStart(), end: body.end, text: `{\nthrow new NotImplemented(${quote(stage)}, ${quote(task)});\n}` });
    throws = true;
  }

  ts.forEachChild(tree, visit);
  for (const { index } of source.matchAll(/@(exercise|solution)\b/g)) {
    if (handled.some(({ pos, end }) => pos <= index && index < end)) continue;
    report(
      index,
      'this tag belongs to no declaration: put it at the beginning of a line of the JSDoc right above a function declaration or method',
    );
  }
  edits.push(...importEdits(tree, isRemoved));
  const text = apply(source, edits);
  return { text: throws ? addImport(text) : text, removed, problems };
}

/** The JSDoc right above the declaration. */
export function docOf(node: ts.Node): ts.TextRange | undefined {
  return ts.getJSDocCommentsAndTags(node).findLast((doc) => ts.isJSDoc(doc) && doc.parent === node);
}

/** Why this can't be an exercise, or nothing. */
function whyNot(node: ts.Node): string | undefined {
  if (ts.isConstructorDeclaration(node))
    return '@exercise on a constructor: a class must be whole; move what is to be written into a method';
  if (!ts.isFunctionDeclaration(node) && !ts.isMethodDeclaration(node) && !ts.isAccessor(node)) {
    return '@exercise works on a function declaration or a method: an arrow function or a value must become one';
  }
  if (!node.body) return '@exercise on a signature without a body: put it on the implementation';
  if (!node.type && !ts.isSetAccessor(node)) return '@exercise needs a written return type: without the body it cannot be inferred';
  return undefined;
}

/** The tags at the beginning of the doc's lines. */
export function tagsIn(source: string, { pos, end }: ts.TextRange): Tag[] {
  const doc = source.slice(pos, end);
  return [...doc.matchAll(/^[^\S\n]*\/?\**[^\S\n]*@(exercise|solution)\b[^\S\n]*(.*?)[^\S\n]*(?:\*\/)?$/gm)].map((match) => {
    const next = doc.slice(match.index + match[0].length + 1).split('\n', 1)[0] ?? '';
    return {
      kind: match[1] as Tag['kind'],
      text: match[2] ?? '',
      line: { start: pos + match.index, end: pos + match.index + match[0].length, text: '' },
      goesOn: /^\s*\*\s*[^\s@*/]/.test(next),
    };
  });
}

/** The doc without its tag; a doc that says nothing else says the task. */
function docWithout(source: string, { pos, end }: ts.TextRange, { line }: Tag, task: string): Edit {
  const said = (source.slice(pos, line.start) + source.slice(line.end, end))
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((text) => text.replace(/^\s*\*\s?/, '').trimEnd())
    .join('\n')
    .trim();
  const [first = '', ...more] = (said || task).split('\n');
  if (more.length === 0) return { start: pos, end, text: `/** ${first} */` };
  const indent = ' '.repeat(pos - source.lastIndexOf('\n', pos) - 1);
  const lines = [first, ...more].map((text) => `${indent} * ${text}`.trimEnd());
  return { start: pos, end, text: `/**\n${lines.join('\n')}\n${indent} */` };
}

/** From the beginning of the first line to the end of the last, with one blank line that would stand double. */
function wholeLines(source: string, start: number, end: number): Edit {
  const lineStart = source.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = source.indexOf('\n', end);
  const next = lineEnd < 0 ? source.length : lineEnd + 1;
  return { start: lineStart, end: source[next] === '\n' ? next + 1 : next, text: '' };
}

function topLevelNames(node: ts.Node): string[] {
  if (!ts.isSourceFile(node.parent)) return [];
  const declarations = ts.isVariableStatement(node) ? [...node.declarationList.declarations] : [node as ts.DeclarationStatement];
  return declarations.flatMap(({ name }) => (name && ts.isIdentifier(name) ? [name.text] : []));
}

/** Takes the names out of imports and re-exports whose declaration was taken away elsewhere. */
function importEdits(tree: ts.SourceFile, isRemoved: (specifier: string, name: string) => boolean): Edit[] {
  return tree.statements.flatMap((statement) => {
    const names = ts.isImportDeclaration(statement)
      ? statement.importClause?.namedBindings
      : ts.isExportDeclaration(statement)
        ? statement.exportClause
        : undefined;
    const from = (statement as ts.ImportDeclaration).moduleSpecifier;
    if (!names || !(ts.isNamedImports(names) || ts.isNamedExports(names)) || !from || !ts.isStringLiteral(from)) return [];
    const all: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] = [...names.elements];
    const stay = all.filter(({ name, propertyName }) => !isRemoved(from.text, (propertyName ?? name).text));
    if (stay.length === all.length) return [];
    if (stay.length === 0) return [wholeLines(tree.text, statement.getStart(), statement.end)];
    return [{ start: names.getStart(), end: names.end, text: `{ ${stay.map((name) => name.getText()).join(', ')} }` }];
  });
}

function importsNotImplemented(tree: ts.SourceFile): boolean {
  return tree.statements.some((statement) => ts.isImportDeclaration(statement) && statement.getText().includes('#kit/not-implemented'));
}

/** `NotImplemented`, where it is not imported yet: before the first import (Biome sorts it in), else below the file's header. */
export function addImport(text: string): string {
  const tree = ts.createSourceFile('file.ts', text, ts.ScriptTarget.ESNext, true);
  if (importsNotImplemented(tree)) return text;
  if (tree.statements.some(ts.isImportDeclaration)) return text.replace(/^import\b/m, `${notImplementedImport}import`);
  const header = /^(?:\/\/.*\n)*/.exec(text)?.[0] ?? '';
  return `${header}${header && '\n'}${notImplementedImport}\n${text.slice(header.length).trimStart()}`;
}

function apply(source: string, edits: Edit[]): string {
  let text = source;
  for (const edit of [...edits].sort((a, b) => b.start - a.start)) text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
  return text;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
