import type { Input } from '../bytes/input.ts';
import type { Reply } from '../reply/reply.ts';
import { LineEndMender } from './line-end-mender.ts';
import { serverReply } from './server-reply.ts';
import { type TextForm, TextReader } from './text-reader.ts';

/** What a text must keep to. */
export interface TextRules {
  /** Octets, dots unstuffed, CRLF counted, the closing dot not; 0 for no limit (RFC 1870 §5). */
  readonly size: number;
  /** What becomes of a text with a bare CR or LF: 550 5.5.2, or each is made a CRLF. */
  readonly bareLineEnds: 'reject' | 'normalize';
  /** Octets of it that are there already; the size counts them (RFC 1845 §3). */
  readonly offset: number;
}

/** Takes in the text of one message: measures it, checks its line ends, and keeps nothing of it once it is refused. */
export class TextIntake {
  /** Octets of the text so far. */
  size: number;
  /** Why the text is refused; the rest is read all the same, for the reply must come after its end (RFC 1870 §6.1). */
  refusal: Reply | undefined;
  readonly #rules: TextRules;
  readonly #reader: TextReader;
  #mender: LineEndMender | undefined;

  constructor(form: TextForm, rules: TextRules) {
    this.#rules = rules;
    this.size = rules.offset;
    this.#reader = new TextReader(form);
    if (rules.bareLineEnds === 'normalize' && form !== 'octets') this.#mender = new LineEndMender();
  }

  /** Whether the lone dot of DATA was seen. */
  get ended(): boolean {
    return this.#reader.ended;
  }

  /** The next piece, of at most `most` octets of the input; undefined when there is none to keep. */
  read(input: Input, most?: number): Buffer | undefined {
    const piece = this.#reader.read(input, most);
    const bare = this.#checkLineEnds();
    if (piece === undefined) return undefined;
    return this.#measure(this.#mender === undefined ? piece : this.#mender.write(piece, bare));
  }

  /** Ends the text; a CR held back by the mender comes out. */
  finish(): Buffer | undefined {
    this.#reader.finish();
    this.#checkLineEnds();
    const rest = this.#mender?.end();
    return rest === undefined || rest.length === 0 ? undefined : this.#measure(rest);
  }

  #checkLineEnds(): boolean {
    const bare = this.#reader.bare;
    this.#reader.bare = false;
    if (bare && this.#mender === undefined) this.refusal ??= serverReply.bareLineEnd;
    return bare;
  }

  #measure(piece: Buffer): Buffer | undefined {
    this.size += piece.length;
    if (this.#rules.size > 0 && this.size > this.#rules.size) this.refusal ??= serverReply.tooBig;
    return this.refusal === undefined ? piece : undefined;
  }
}
