import { isAscii } from 'node:buffer';
import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import type { BatchEvent } from '@posthorn/smtp/batch/batch-reader';
import { formatReceived, withKeyword } from '@posthorn/smtp/message/received';
import type { Transaction } from '@posthorn/smtp/protocol/transaction';
import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { Draft, NewMessage, QueueStore } from '../queue/queue-store.ts';
import type { OwnMailParts } from './own-mail.ts';

/** What enclosed messages are written with. */
export interface EnclosedWriterParts extends OwnMailParts {
  readonly draft: QueueStore['draft'];
  /** Whom a transaction comes to: aliases are replaced, doubles removed. */
  readonly expand: (transaction: Transaction) => readonly Recipient[];
}

type Opening = Extract<BatchEvent, { readonly kind: 'message' }>;

/** Writes the messages of a batch into drafts, one after the other. */
export class EnclosedWriter {
  readonly messages: NewMessage[] = [];
  readonly #batch: Envelope;
  readonly #parts: EnclosedWriterParts;
  #open: { readonly opening: Opening; readonly draft: Draft; eightBit: boolean } | undefined;

  constructor(batch: Envelope, parts: EnclosedWriterParts) {
    this.#batch = batch;
    this.#parts = parts;
  }

  /** Takes the next event. Rejects with Failure `full` or `storage`. */
  async take(event: BatchEvent): Promise<void> {
    if (event.kind === 'message') return this.#begin(event);
    if (event.kind === 'end') this.#end();
    else if (event.kind === 'text' && this.#open !== undefined) {
      this.#open.eightBit ||= !isAscii(event.bytes);
      await this.#open.draft.write(event.bytes);
    }
  }

  /** Forgets all that was written. */
  async discard(): Promise<void> {
    await this.#open?.draft.discard();
    for (const { content } of this.messages) if (!Buffer.isBuffer(content)) await content.discard();
  }

  async #begin(opening: Opening): Promise<void> {
    const { transaction, hello } = opening;
    // Nobody gets it: a client that hears no replies sends the text all the same.
    if (transaction.recipients.length === 0) return;
    const { hostname, now, draft: open } = this.#parts;
    const draft = open();
    this.#open = { opening, draft, eightBit: false };
    const date = now();
    const trace = formatReceived({
      by: hostname,
      id: draft.id,
      date,
      offsetMinutes: -new Date(date).getTimezoneOffset(),
      protocol: protocolOf(opening),
      recipients: transaction.recipients.map(({ mailbox }) => ({ address: formatMailbox(mailbox) })),
      ...(hello === undefined ? {} : { from: hello.name }),
    });
    await draft.write(Buffer.from(trace));
  }

  #end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { transaction, hello } = open.opening;
    const { reversePath, mail } = transaction;
    const { clientAddress, login } = this.#batch.origin;
    const envelope: Envelope = {
      id: open.draft.id,
      reversePath: reversePath === null ? '' : formatMailbox(reversePath),
      recipients: this.#parts.expand(transaction),
      receivedAt: this.#parts.now(),
      size: open.draft.size,
      // Any text may have eight bits in it, whether its generator said so or not (RFC 2442).
      body: mail.body ?? (open.eightBit ? '8BITMIME' : '7BIT'),
      smtputf8: mail.smtputf8 === true,
      ...(mail.ret === undefined ? {} : { ret: mail.ret }),
      ...(mail.envelopeId === undefined ? {} : { envelopeId: mail.envelopeId }),
      origin: {
        clientAddress,
        protocol: protocolOf(open.opening),
        ...(hello === undefined ? {} : { helloName: hello.name }),
        ...(login === undefined ? {} : { login }),
      },
    };
    this.messages.push({ envelope, content: open.draft });
  }
}

function protocolOf({ hello, transaction }: Opening): string {
  return withKeyword({ esmtp: hello?.verb === 'EHLO', utf8: transaction.mail.smtputf8 === true });
}
