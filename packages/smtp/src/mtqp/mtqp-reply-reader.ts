import { Input } from '../bytes/input.ts';
import { type MtqpReply, parseMtqpStatus } from './mtqp-reply.ts';

/** Longer than a line may be, for hosts that are not exact; the bound of what a host may make a client keep. */
const lineLimit = 8192;
const mostOctets = 8 * 1024 * 1024;

/** Puts replies together from octets that come in any pieces (RFC 3887 §2.3). */
export class MtqpReplyReader {
  readonly #input = new Input();
  #open: { readonly reply: MtqpReply; readonly lines: string[] } | undefined;
  #octets = 0;

  push(bytes: Buffer): void {
    this.#input.push(bytes);
  }

  /** The next reply; undefined asks for more octets, `garbage` is what no reply can be. */
  next(): MtqpReply | 'garbage' | undefined {
    for (let line = this.#input.takeLine(lineLimit); line !== undefined; line = this.#input.takeLine(lineLimit)) {
      if (line === 'too long') return 'garbage';
      const reply = this.#open === undefined ? this.#begin(line.toString('latin1')) : this.#goOn(line);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  /** Forgets all that came in (RFC 3887 §6.2). */
  clear(): void {
    this.#input.clear();
    this.#open = undefined;
  }

  #begin(line: string): MtqpReply | 'garbage' | undefined {
    const status = parseMtqpStatus(line);
    if (status === undefined) return 'garbage';
    if (!status.isOpen) return status.reply;
    this.#open = { reply: status.reply, lines: [] };
    this.#octets = 0;
    return undefined;
  }

  #goOn(octets: Buffer): MtqpReply | 'garbage' | undefined {
    const open = this.#open as { readonly reply: MtqpReply; readonly lines: string[] };
    const line = octets.toString('utf8');
    if (line === '.') {
      this.#open = undefined;
      return { ...open.reply, lines: open.lines };
    }
    // An empty line takes memory, too.
    this.#octets += octets.length + 16;
    if (this.#octets > mostOctets) return 'garbage';
    open.lines.push(line.startsWith('.') ? line.slice(1) : line);
    return undefined;
  }
}
