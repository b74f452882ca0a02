import { headerFields } from '../message/header.ts';
import { decodeWords } from './decode-words.ts';

/** The fields of a header by name, in any case; values are unfolded, and their encoded words read (RFC 5322 §2.2). */
export class MailHeaders implements Iterable<readonly [name: string, value: string]> {
  readonly #fields: readonly (readonly [name: string, value: string])[];

  constructor(header: Buffer) {
    this.#fields = [...headerFields(header)].map(({ name, value }) => [name, value]);
  }

  /** The value of the first field of that name. */
  get(name: string): string | undefined {
    return this.all(name)[0];
  }

  /** The values of all fields of that name, in their order. */
  all(name: string): string[] {
    return this.raw(name).map(decodeWords);
  }

  /** The same with encoded words as they are. */
  raw(name: string): string[] {
    return this.#fields.filter(([each]) => each === name.toLowerCase()).map(([, value]) => value);
  }

  /** Every field, in order, its name in lower case. */
  *[Symbol.iterator](): Generator<readonly [name: string, value: string], void, undefined> {
    for (const [name, value] of this.#fields) yield [name, decodeWords(value)];
  }
}
