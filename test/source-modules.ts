import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** One source file and what it reaches for, as far as the rooms are concerned. */
export interface SourceModule {
  /** Path from the repository's root, with slashes. */
  readonly path: string;
  /** `smtp` or `posthorn`. */
  readonly package: string;
  readonly room: string;
  /** Specifiers of all static and dynamic imports and re-exports. */
  readonly imports: readonly string[];
  /** Whether it passes on what another file exports. */
  readonly reexports: boolean;
  /** Identifiers and property accesses such as `Date.now`, for the rules of the pure rooms. */
  readonly mentions: ReadonlySet<string>;
}

const root = join(import.meta.dirname, '..');

/** Every source file of both packages. */
export function readSourceModules(): SourceModule[] {
  return ['smtp', 'posthorn'].flatMap((name) => {
    const folder = join(root, 'packages', name, 'src');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true });
    return files
      .filter((file) => file.isFile() && /\.tsx?$/.test(file.name))
      .map((file) => readModule(name, join(file.parentPath, file.name)));
  });
}

function readModule(packageName: string, file: string): SourceModule {
  const path = relative(root, file).split(sep).join('/');
  const source = ts.createSourceFile(path, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const imports: string[] = [];
  const mentions = new Set<string>();
  let reexports = false;
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) imports.push(textOf(node.moduleSpecifier));
    if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      imports.push(textOf(node.moduleSpecifier));
      reexports = true;
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments[0]) {
      imports.push(textOf(node.arguments[0]));
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) imports.push(textOf(node.argument.literal));
    if (ts.isPropertyAccessExpression(node)) mentions.add(node.getText());
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      mentions.add(`${node.expression.getText()}(${node.arguments?.length ? '…' : ''})`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { path, package: packageName, room: path.split('/')[3] ?? '', imports, reexports, mentions };
}

function textOf(node: ts.Node): string {
  return ts.isStringLiteralLike(node) ? node.text : node.getText();
}

/** The room an import leads to as `package/room`, `node:x` for the platform, or the name of a foreign package. */
export function targetOf(module: SourceModule, specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  const own = /^@posthorn\/smtp\/([^/]+)/.exec(specifier);
  if (own) return `smtp/${own[1]}`;
  if (!specifier.startsWith('.')) return specifier;
  const [, name, , room] = posix.join(posix.dirname(module.path), specifier).split('/');
  return `${name}/${room}`;
}
