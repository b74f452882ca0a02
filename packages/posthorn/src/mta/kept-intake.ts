import { Failure } from '@posthorn/smtp/failure/failure';
import type { IncomingText, Transaction } from '@posthorn/smtp/server';
import type { Checkpoint, KeptDraft } from '../queue/checkpoint.ts';
import { withPieces } from './with-pieces.ts';

/** What a kept intake is made of. */
export interface KeptIntakeParts {
  readonly transaction: Transaction;
  readonly text: IncomingText;
  /** Whom it is counted for. */
  readonly client: string;
  /** Opens its draft, which asks what is to be kept beside the text. */
  readonly open: (describe: () => Checkpoint | undefined) => KeptDraft | Promise<KeptDraft>;
}

/** The intake of a message whose client may go on with it in another session (RFC 1845 §3). */
export class KeptIntake {
  /** Whether another session has taken the message over. */
  isSuperseded = false;
  /** Whether the client said that it will not come back for it. */
  isForgotten = false;
  readonly text: IncomingText;
  readonly isResumed: boolean;
  readonly #transaction: Transaction;
  readonly #client: string;
  #draft: KeptDraft | undefined;
  /** Octets of the client's text that were handed on. */
  #taken: number;
  /** Octets of the draft before the first of those. */
  #before = 0;
  /** Octets of the draft that are not the client's; unknown while its header is held back. */
  #prefix: number | undefined;

  private constructor({ transaction, text, client }: KeptIntakeParts) {
    this.#transaction = transaction;
    this.#client = client;
    this.#taken = transaction.offset ?? 0;
    this.isResumed = transaction.offset !== undefined;
    this.text = withPieces(text, () => this.#watch(text));
  }

  static async open(parts: KeptIntakeParts): Promise<KeptIntake> {
    const intake = new KeptIntake(parts);
    intake.#draft = await parts.open(() => intake.#describe());
    return intake;
  }

  get draft(): KeptDraft {
    if (this.#draft === undefined) throw new Error('The draft is not open');
    return this.#draft;
  }

  stored(): AsyncIterable<Buffer> {
    return this.draft.stored();
  }

  /** Where the client was cut off, it may come back for what is here; whether that is kept. */
  async end(error: unknown): Promise<boolean> {
    const isKept = error instanceof Failure && error.kind === 'lost' && !this.isForgotten;
    await (isKept ? this.draft.suspend() : this.draft.discard());
    return isKept;
  }

  /** Gives the draft up for another session: all of it is durable when it resolves. */
  async supersede(): Promise<void> {
    this.isSuperseded = true;
    await this.draft.suspend();
  }

  /** When more is wanted, all that was handed on before is written, save for a header that is held back. */
  async *#watch(text: IncomingText): AsyncGenerator<Buffer, void, undefined> {
    this.#before = this.draft.size;
    for await (const piece of text) {
      this.#taken += piece.length;
      yield piece;
      if (this.draft.size > this.#before) this.#prefix = this.draft.size - this.#taken;
    }
  }

  #describe(): Checkpoint | undefined {
    const { verb, reversePath, mail, recipients, offset } = this.#transaction;
    // Before the first octet of this session, what an earlier one left is all there is.
    const prefix = this.#prefix ?? (offset === undefined ? undefined : this.draft.size - this.#taken);
    if (prefix === undefined) return undefined;
    const about = { reversePath, mail, recipients, by: this.text.by, prefix, client: this.#client };
    return { ...(verb === undefined ? {} : { verb }), ...about };
  }
}
