import type { ClientOutput } from './client-output.ts';
import { TextWriter } from './client-text.ts';
import type { ClientTransaction } from './client-transaction.ts';

/** A text on its way out in pieces: behind DATA, or each piece as a BDAT chunk of its own (RFC 5321 §3.3, RFC 3030 §2). */
export class ClientFeed {
  readonly transaction: ClientTransaction;
  readonly chunked: boolean;
  /** Whether the next piece is awaited from the caller, and nothing from the host. */
  hungry = true;
  readonly #output: ClientOutput;
  readonly #writer: TextWriter;
  readonly #binary: boolean;

  constructor(transaction: ClientTransaction, chunked: boolean, output: ClientOutput) {
    this.transaction = transaction;
    this.chunked = chunked;
    this.#output = output;
    this.#writer = new TextWriter(!chunked, transaction.offset);
    this.#binary = transaction.mail.body === 'BINARYMIME';
  }

  /** Sends a piece. */
  write(piece: Buffer): void {
    const octets = this.#binary ? this.#leaveOut(piece) : this.#writer.write(piece);
    // A piece may leave nothing to send yet, and an empty chunk would cost a reply.
    if (octets.length === 0) return;
    this.hungry = false;
    if (this.chunked) this.#output.line(`BDAT ${octets.length}`);
    this.#output.octets(octets);
  }

  /** Sends the end of the text; false when it ends before the octet from which on the host wanted it. */
  end(): boolean {
    const rest = this.#binary ? Buffer.alloc(0) : this.#writer.end();
    if (this.#writer.skip > 0) return false;
    if (this.chunked) this.#output.line(`BDAT ${rest.length} LAST`);
    this.#output.octets(rest);
    this.hungry = false;
    return true;
  }

  #leaveOut(piece: Buffer): Buffer {
    const skipped = Math.min(this.#writer.skip, piece.length);
    this.#writer.skip -= skipped;
    return piece.subarray(skipped);
  }
}
