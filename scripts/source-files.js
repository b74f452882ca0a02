import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** Every source file of both packages, parsed, in the order of their paths. */
export function readSourceFiles() {
  return ['packages/smtp/src', 'packages/posthorn/src']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true })
        .filter((name) => /\.tsx?$/.test(name))
        .map((name) => join(folder, name)),
    )
    .sort()
    .map((path) => ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true));
}

/** The comments of a file as flowing text: neighbouring line comments are one, stars and slashes are gone. */
export function commentsOf(source) {
  const found = new Map();
  const collect = (node) => {
    if (node.kind === ts.SyntaxKind.JsxText) return;
    for (const at of [node.getFullStart(), node.getEnd()]) {
      for (const range of rangesAt(source.text, at)) found.set(range.pos, range);
    }
    node.getChildren(source).forEach(collect);
  };
  collect(source);
  const texts = [];
  let last;
  for (const range of [...found.values()].sort((a, b) => a.pos - b.pos)) {
    const isLine = range.kind === ts.SyntaxKind.SingleLineCommentTrivia;
    const joins = isLine && last?.isLine && /^\r?\n[ \t]*$/.test(source.text.slice(last.end, range.pos));
    const text = plainText(source.text.slice(range.pos, range.end), isLine);
    if (joins) texts.push(`${texts.pop()}\n${text}`);
    else texts.push(text);
    last = { isLine, end: range.end };
  }
  return texts;
}

function rangesAt(text, at) {
  return [...(ts.getLeadingCommentRanges(text, at) ?? []), ...(ts.getTrailingCommentRanges(text, at) ?? [])];
}

function plainText(comment, isLine) {
  if (isLine) return comment.replace(/^\/\/+ ?/, '');
  const inner = comment.replace(/^\/\*+/, '').replace(/\*+\/$/, '');
  return inner.replace(/^[ \t]*\*? ?/gm, '').trim();
}

/** The exported declarations of a file: name, and the text of its doc comment or undefined. */
export function exportsOf(source) {
  return source.statements.filter(isExported).flatMap((statement) => {
    const names = namesOf(statement);
    const doc = ts.getJSDocCommentsAndTags(statement).find(ts.isJSDoc);
    const text = doc && ts.getTextOfJSDocComment(doc.comment);
    return names.map((name) => ({ name, doc: text }));
  });
}

function isExported(statement) {
  if (ts.isExportDeclaration(statement)) return false;
  return (
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

function namesOf(statement) {
  if (!ts.isVariableStatement(statement)) return [statement.name?.getText() ?? 'default'];
  return statement.declarationList.declarations.map(({ name }) => name.getText());
}
