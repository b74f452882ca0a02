import { Input } from '../bytes/input.ts';
import { joinReplyLines, parseReplyLine } from './parse-reply.ts';
import type { Reply } from './reply.ts';

/** Octets of one line; 512 are due (RFC 5321 §4.5.3.1.5), longer ones are met. */
const maximumLine = 4096;
/** Lines of one reply: more than any EHLO or HELP has. */
const maximumLines = 256;
/** Octets of one reply. */
const maximumReply = 65_536;

/** What a host sent that is no reply; nothing can be read behind it. */
export type Garbage = 'not a reply' | 'bare line feed' | 'codes differ' | 'too long';

const LF = 0x0a;

/** Reads the replies out of what a host sends, however it is cut; what a hostile host can fill is bounded (RFC 5321 §4.2). */
export class ReplyReader {
  readonly #input = new Input();
  #code = 0;
  #texts: string[] = [];
  #octets = 0;
  #garbage: Garbage | undefined;

  /** Adds what came in; it must not be written over before `next` has given undefined. */
  push(bytes: Buffer): void {
    this.#input.push(bytes);
  }

  /** Whether a reply has begun, or octets of a line are at hand. */
  get pending(): boolean {
    return this.#input.length > 0 || this.#texts.length > 0;
  }

  /** The next whole reply; undefined asks for more octets. Garbage comes again and again: the connection is of no use. */
  next(): Reply | Garbage | undefined {
    while (this.#garbage === undefined) {
      const line = this.#input.takeLine(Number.POSITIVE_INFINITY);
      if (line === undefined) return this.#waitForLine();
      const reply = line === 'too long' || line.length > maximumLine ? 'too long' : this.#readLine(line);
      if (typeof reply === 'string') this.#garbage = reply;
      else if (reply !== undefined) return reply;
    }
    return this.#garbage;
  }

  /** Forgets all that came in (RFC 3207 §4.2). */
  clear(): void {
    this.#input.clear();
    this.#texts = [];
    this.#octets = 0;
  }

  #readLine(octets: Buffer): Reply | Garbage | undefined {
    // A line feed alone ends no line here; to some hosts it does, so what they meant by it cannot be known.
    if (octets.includes(LF)) return 'bare line feed';
    const line = parseReplyLine(octets);
    if (line === undefined) return 'not a reply';
    if (this.#texts.length > 0 && line.code !== this.#code) return 'codes differ';
    this.#code = line.code;
    this.#texts.push(line.text);
    this.#octets += octets.length;
    if (this.#texts.length > maximumLines || this.#octets > maximumReply) return 'too long';
    return line.more ? undefined : this.#finish();
  }

  #finish(): Reply {
    const reply = joinReplyLines(this.#code, this.#texts);
    this.#texts = [];
    this.#octets = 0;
    return reply;
  }

  #waitForLine(): Garbage | undefined {
    // Without its CRLF the line would never end: better to give up now than after minutes of waiting.
    if (this.#input.length > 0 && this.#input.peek().includes(LF)) this.#garbage = 'bare line feed';
    else if (this.#input.length > maximumLine) this.#garbage = 'too long';
    return this.#garbage;
  }
}
