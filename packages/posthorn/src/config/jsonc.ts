import { formatPath } from './mistake.ts';

/** JSON with comments and trailing commas, read with the line of each member. */
export interface JsonText {
  readonly value: unknown;
  /** The line, from 1, that a path such as `listeners[0].port` begins on; of the nearest thing around it if it is not there. */
  lineOf(path: string): number;
}

/** Why a text is no JSON. */
export interface JsonMistake {
  readonly line: number;
  readonly message: string;
  /** The path of the object or list that it stands in. */
  readonly path: string;
}

const deepest = 100;
const literals: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

class Misread extends Error {}

/** Reads JSON in which comments and trailing commas may stand; linear in its length (RFC 8259 §2). */
export function parseJsonc(text: string): JsonText | JsonMistake {
  const reader = new Reader(text);
  try {
    const value = reader.readAll();
    return { value, lineOf: (path) => reader.lineOf(path) };
  } catch (error) {
    if (!(error instanceof Misread)) throw error;
    return { line: reader.line, message: error.message, path: reader.path };
  }
}

class Reader {
  readonly #text: string;
  readonly #way: (string | number)[] = [];
  readonly #lines = new Map<string, number>();
  #at = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text.replace(/^\ufeff/, '');
  }

  get path(): string {
    return formatPath(this.#way);
  }

  lineOf(path: string): number {
    for (
      let near = path;
      near !== '';
      near = near.slice(0, Math.max(near.lastIndexOf('.'), near.lastIndexOf('['), 0))
    ) {
      const line = this.#lines.get(near);
      if (line !== undefined) return line;
    }
    return 1;
  }

  readAll(): unknown {
    this.#skip();
    const value = this.#value();
    this.#skip();
    if (this.#at < this.#text.length) throw new Misread(`has something behind its end: ${this.#here()}`);
    return value;
  }

  #value(): unknown {
    if (this.#way.length > deepest) throw new Misread('is nested too deep');
    if (!this.#lines.has(this.path)) this.#lines.set(this.path, this.line);
    const character = this.#text[this.#at];
    if (character === '{') return this.#object();
    if (character === '[') return this.#list();
    if (character === '"') return this.#string();
    return this.#scalar();
  }

  #object(): Record<string, unknown> {
    const members = new Map<string, unknown>();
    this.#members('}', () => {
      if (this.#text[this.#at] !== '"') throw new Misread(`needs a key in double quotes; there is ${this.#here()}`);
      const key = this.#string();
      this.#way.push(key);
      if (members.has(key)) throw new Misread('stands there twice');
      this.#lines.set(this.path, this.line);
      this.#skip();
      this.#expect(':');
      this.#skip();
      members.set(key, this.#value());
      this.#way.pop();
    });
    return Object.fromEntries(members);
  }

  #list(): unknown[] {
    const elements: unknown[] = [];
    this.#members(']', () => {
      this.#way.push(elements.length);
      elements.push(this.#value());
      this.#way.pop();
    });
    return elements;
  }

  #members(end: '}' | ']', read: () => void): void {
    this.#at += 1;
    this.#skip();
    while (this.#text[this.#at] !== end) {
      read();
      this.#skip();
      if (this.#text[this.#at] === end) break;
      if (this.#text[this.#at] !== ',') throw new Misread(`needs a comma or ${end}; there is ${this.#here()}`);
      this.#at += 1;
      this.#skip();
    }
    this.#at += 1;
  }

  #string(): string {
    const end = this.#stringEnd();
    const written = this.#text.slice(this.#at, end);
    try {
      const value: unknown = JSON.parse(written);
      this.#at = end;
      return String(value);
    } catch {
      throw new Misread(`has a faulty text: ${written.slice(0, 40)}`);
    }
  }

  #stringEnd(): number {
    for (let index = this.#at + 1; index < this.#text.length; index += 1) {
      const character = this.#text[index];
      if (character === '\\') index += 1;
      else if (character === '"') return index + 1;
      else if (character === '\n') break;
    }
    throw new Misread('has a text whose closing quote is missing');
  }

  #scalar(): unknown {
    const word = /[\w.+-]*/y;
    word.lastIndex = this.#at;
    const written = word.exec(this.#text)?.[0] ?? '';
    const isNumber = /^-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?$/i.test(written);
    if (!isNumber && !Object.hasOwn(literals, written)) throw new Misread(`needs a value; there is ${this.#here()}`);
    this.#at += written.length;
    return isNumber ? Number(written) : literals[written];
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw new Misread(`needs a ${character}; there is ${this.#here()}`);
    this.#at += 1;
  }

  /** Blanks and comments; keeps count of the lines. */
  #skip(): void {
    for (;;) {
      const blank = /[ \t\r\n]*/y;
      blank.lastIndex = this.#at;
      this.#pass(this.#at + (blank.exec(this.#text)?.[0].length ?? 0));
      const end = this.#text.startsWith('//', this.#at)
        ? '\n'
        : this.#text.startsWith('/*', this.#at)
          ? '*/'
          : undefined;
      if (end === undefined) return;
      const found = this.#text.indexOf(end, this.#at + 2);
      if (found === -1 && end === '*/') throw new Misread('has a comment without its end');
      this.#pass(found === -1 ? this.#text.length : found + end.length);
    }
  }

  #pass(end: number): void {
    for (
      let index = this.#text.indexOf('\n', this.#at);
      index !== -1 && index < end;
      index = this.#text.indexOf('\n', index + 1)
    )
      this.line += 1;
    this.#at = end;
  }

  #here(): string {
    const rest = this.#text.slice(this.#at, this.#at + 20).split('\n')[0];
    return this.#at >= this.#text.length ? 'the end of the file' : JSON.stringify(rest);
  }
}
