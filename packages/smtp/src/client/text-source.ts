import { Failure } from '../failure/failure.ts';
import { mendText } from '../protocol/client-text.ts';

/**
 * The text of a message, header and body, with CRLF or LF line ends. A function gives it anew each time; an iterable
 * can be sent only once, so nothing of it is sent again in a second transaction.
 */
export type Text = string | Uint8Array | AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/** Octets that are handed over at once; a larger text goes in slices, as fast as the host takes them. */
const oneSlice = 262_144;

function* slice(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += oneSlice) yield bytes.subarray(at, at + oneSlice);
}

/** A text that can be opened for each transaction that carries it. */
export class TextSource {
  /** The whole text, when it is at hand. */
  readonly bytes: Buffer | undefined;
  readonly #stream: (() => AsyncIterable<Uint8Array>) | undefined;
  #once = false;
  #used = false;

  /** With `raw` line ends are left as they are, for BINARYMIME (RFC 3030 §3). */
  constructor(text: Text, raw = false) {
    if (typeof text === 'string') this.bytes = mendText(Buffer.from(text));
    else if (text instanceof Uint8Array) this.bytes = raw ? toBuffer(text) : mendText(toBuffer(text));
    else if (typeof text === 'function') this.#stream = text;
    else {
      this.#stream = () => text;
      this.#once = true;
    }
  }

  /** Whether it can be sent from its beginning. */
  get fresh(): boolean {
    return !(this.#once && this.#used);
  }

  /** The text as a transaction takes it: at once when it is small. */
  get whole(): Buffer | 'pieces' {
    return this.bytes !== undefined && this.bytes.length <= oneSlice ? this.bytes : 'pieces';
  }

  /** The pieces from the beginning. Throws Failure `invalid` when an iterable is wanted a second time. */
  open(): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
    if (!this.fresh) throw new Failure('invalid', 'the text can be read only once');
    this.#used = true;
    if (this.bytes !== undefined) return slice(this.bytes)[Symbol.iterator]();
    if (this.#stream === undefined) throw new Failure('invalid', 'there is no text');
    return this.#stream()[Symbol.asyncIterator]();
  }
}

/** The same memory as a Buffer. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
