import { parseAliasTarget } from './alias-target.ts';

/** A target as it stands in a file. */
interface WrittenTarget {
  /** In the form that `parseAliasTarget` reads. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

/** An alias as it stands in a file. */
interface WrittenAlias {
  /** A local-part, quotes kept. */
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
  readonly targets: readonly WrittenTarget[];
}

/** What is wrong with a line of a file, as a clause with the line for its subject. */
interface LineMistake {
  readonly line: number;
  readonly message: string;
}

/** What a file of aliases says. */
export interface AliasFile {
  readonly aliases: readonly WrittenAlias[];
  /** The first hundred. */
  readonly mistakes: readonly LineMistake[];
}

/** What a file says that an alias includes. */
export interface IncludeFile {
  readonly targets: readonly WrittenTarget[];
  /** The first hundred. */
  readonly mistakes: readonly LineMistake[];
}

/** Characters of one line. */
const longestLine = 65_536;
const mostMistakes = 100;

/**
 * Reads `name: target, target …`; lines that begin with blanks go on with the last alias, `#` begins a comment line. A
 * target with blanks, commas or quotes in it stands in quotes, such as `"|command 'a, b'"`: aliases(5).
 */
export function parseAliasFile(text: string): AliasFile {
  const reader = new LineReader();
  const aliases: { name: string; line: number; targets: WrittenTarget[] }[] = [];
  const names = new Map<string, number>();
  for (const { content, line } of reader.lines(text)) {
    if (/^\s/.test(content)) {
      const last = aliases.at(-1);
      if (last === undefined) reader.fail(line, 'goes on with an alias, but there is none before it');
      else last.targets.push(...reader.targets(content, line));
      continue;
    }
    const colon = nameEnd(content);
    const name = content.slice(0, Math.max(colon, 0)).trim();
    if (!isName(name)) {
      reader.fail(line, 'is not of the form name: target, target');
      // What goes on with it must not go to the alias before it.
      aliases.push({ name: '', line, targets: [] });
      continue;
    }
    const first = names.get(name.toLowerCase());
    if (first === undefined) names.set(name.toLowerCase(), line);
    else reader.fail(line, `has the alias ${name} again, after line ${first}`);
    const targets = reader.targets(content.slice(colon + 1), line);
    aliases.push({ name: first === undefined ? name : '', line, targets });
  }
  const named = aliases.filter(({ name }) => name !== '');
  for (const { name, line, targets } of named) {
    if (targets.length === 0) reader.fail(line, `says nothing about whom ${name} stands for`);
  }
  return { aliases: named, mistakes: reader.mistakes };
}

/** Reads targets, parted by commas or line ends; `#` begins a comment line: aliases(5). */
export function parseIncludeFile(text: string): IncludeFile {
  const reader = new LineReader();
  const targets = [...reader.lines(text)].flatMap(({ content, line }) => reader.targets(content, line));
  return { targets, mistakes: reader.mistakes };
}

class LineReader {
  readonly mistakes: LineMistake[] = [];

  fail(line: number, message: string): void {
    if (this.mistakes.length < mostMistakes) this.mistakes.push({ line, message });
  }

  /** The lines that say something. */
  *lines(text: string): Generator<{ readonly content: string; readonly line: number }> {
    let line = 0;
    for (let start = 0; start < text.length; ) {
      const end = text.indexOf('\n', start);
      const content = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, '');
      start = end === -1 ? text.length : end + 1;
      line += 1;
      if (content.length > longestLine) this.fail(line, `is longer than ${longestLine} characters`);
      else if (content.includes('\0')) this.fail(line, 'has a NUL in it');
      else if (content.trim() !== '' && !content.trimStart().startsWith('#')) yield { content, line };
    }
  }

  targets(content: string, line: number): WrittenTarget[] {
    const items = splitAtCommas(content);
    if (items === undefined) this.fail(line, 'has a quote that nothing closes');
    const targets: WrittenTarget[] = [];
    for (const item of items ?? []) {
      const text = bareTarget(item.trim());
      if (text === '') continue;
      if (parseAliasTarget(text, 'example.org') !== undefined) targets.push({ text, line });
      else this.fail(line, `names ${text.slice(0, 100)}, which is no name, address, |command, /file or :include:/file`);
    }
    return targets;
  }
}

/** A name has no domain: the file is for the domains that name it. */
function isName(name: string): boolean {
  const target = parseAliasTarget(name, 'example.org');
  return target !== undefined && 'mailbox' in target && !target.direct && (name.startsWith('"') || !name.includes('@'));
}

/** The index of the colon that ends the name. */
function nameEnd(content: string): number {
  if (!content.startsWith('"')) return content.indexOf(':');
  const end = closingQuote(content, 0);
  return end === -1 ? -1 : content.indexOf(':', end);
}

/** The parts between commas that are in no quotes; undefined when a quote has no end. */
function splitAtCommas(content: string): string[] | undefined {
  const items: string[] = [];
  let start = 0;
  for (let at = 0; at < content.length; at += 1) {
    const character = content[at];
    if (character === '\\') at += 1;
    else if (character === ',') {
      items.push(content.slice(start, at));
      start = at + 1;
    } else if (character === '"') {
      at = closingQuote(content, at);
      if (at === -1) return undefined;
    }
  }
  return [...items, content.slice(start)];
}

function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}

/** Takes the quotes away that only keep a target together; those of a local-part are a part of it. */
function bareTarget(item: string): string {
  const name = /^[^<>"]*<([^<>]+)>$/.exec(item)?.[1];
  if (name !== undefined) return name.trim();
  const program = /^\|\s*"/.exec(item);
  const open = program === null ? 0 : program[0].length - 1;
  if (item[open] !== '"' || closingQuote(item, open) !== item.length - 1) return item;
  const inner = item.slice(open + 1, -1).replace(/\\(.)/g, '$1');
  if (program !== null) return `|${inner}`;
  return /^(?:\||\/|:include:)/i.test(inner) ? inner : item;
}
