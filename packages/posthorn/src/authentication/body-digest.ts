import { createHash } from 'node:crypto';
import type { CanonicalForm } from './canonical-field.ts';

const cr = 0x0d;
const lf = 0x0a;
const space = 0x20;
const tab = 0x09;
const manyLineEnds = Buffer.from('\r\n'.repeat(16_384));

/**
 * The SHA-256 of a body in the form that is signed, taken while it comes in: empty lines at its end do not count, and
 * relaxed, neither do blanks at the ends of lines and how many they are (RFC 6376 §3.4.3, RFC 6376 §3.4.4).
 */
export class BodyDigest {
  readonly #form: CanonicalForm;
  readonly #limit: number;
  readonly #hash = createHash('sha256');
  /** Octets in the form that is signed. */
  #length = 0;
  /** Line ends that count once something follows. */
  #lines = 0;
  #heldCr = false;
  #heldBlank = false;
  #digest: Buffer | undefined;

  /** `limit`: octets of the form that count, by the tag l (RFC 6376 §3.5). */
  constructor(form: CanonicalForm, limit = Number.POSITIVE_INFINITY) {
    this.#form = form;
    this.#limit = limit;
  }

  /** Takes the next piece of the body. */
  write(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#take(this.#form === 'relaxed' && this.#hasBlanks(piece) ? this.#collapse(piece) : piece);
  }

  /** The digest of all that was written; nothing may be written any more. */
  get digest(): Buffer {
    this.#digest ??= this.#end();
    return this.#digest;
  }

  /** Octets of the whole body in the form that is signed; known once the digest is. */
  get length(): number {
    return this.#length;
  }

  /** Most text has single blanks between words, and what is encoded none: those pass as they are. */
  #hasBlanks(piece: Buffer): boolean {
    return (
      this.#heldBlank ||
      piece[piece.length - 1] === space ||
      piece.includes(tab) ||
      piece.includes('  ') ||
      piece.includes(' \r')
    );
  }

  #collapse(piece: Buffer): Buffer {
    const out = Buffer.allocUnsafe(piece.length + 1);
    let size = 0;
    let blank = this.#heldBlank;
    for (const octet of piece) {
      if (octet === space || octet === tab) {
        blank = true;
        continue;
      }
      if (blank && octet !== cr && octet !== lf) out[size++] = space;
      blank = false;
      out[size++] = octet;
    }
    this.#heldBlank = blank;
    return out.subarray(0, size);
  }

  #take(piece: Buffer): void {
    const bytes = this.#heldCr ? Buffer.concat([Buffer.from('\r'), piece]) : piece;
    let end = bytes.length;
    this.#heldCr = end > 0 && bytes[end - 1] === cr;
    if (this.#heldCr) end -= 1;
    let lines = 0;
    while (end >= 2 && bytes[end - 1] === lf && bytes[end - 2] === cr) {
      end -= 2;
      lines += 1;
    }
    if (end > 0) {
      this.#flushLines();
      this.#update(bytes.subarray(0, end));
    }
    this.#lines += lines;
  }

  #flushLines(): void {
    for (let left = this.#lines * 2; left > 0; left -= manyLineEnds.length) {
      this.#update(manyLineEnds.subarray(0, Math.min(left, manyLineEnds.length)));
    }
    this.#lines = 0;
  }

  #update(bytes: Buffer): void {
    const room = this.#limit - this.#length;
    if (room > 0) this.#hash.update(room < bytes.length ? bytes.subarray(0, room) : bytes);
    this.#length += bytes.length;
  }

  #end(): Buffer {
    if (this.#heldCr) {
      this.#flushLines();
      this.#update(Buffer.from('\r'));
    }
    if (this.#length > 0 || this.#form === 'simple') this.#update(manyLineEnds.subarray(0, 2));
    return this.#hash.digest();
  }
}

/** The digests of one body that several signatures ask for; each is taken once. */
export class BodyDigests {
  readonly #digests = new Map<string, BodyDigest>();

  /** The digest of that form; to be asked for before the body is written. */
  of(form: CanonicalForm, limit?: number): BodyDigest {
    const key = `${form} ${limit ?? ''}`;
    const known = this.#digests.get(key) ?? new BodyDigest(form, limit);
    this.#digests.set(key, known);
    return known;
  }

  /** Takes the next piece of the body. */
  write(piece: Buffer): void {
    for (const digest of this.#digests.values()) digest.write(piece);
  }
}
