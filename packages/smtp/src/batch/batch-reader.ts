import type { Hello } from '../protocol/server-event.ts';
import type { ServerRules } from '../protocol/server-rules.ts';
import { ServerSession } from '../protocol/server-session.ts';
import type { Transaction } from '../protocol/transaction.ts';
import { type Reply, reply } from '../reply/reply.ts';

/** What one batch may use up. */
export interface BatchLimits {
  /** Octets of one enclosed message. */
  readonly messageSize: number;
  /** Recipients of one enclosed message. */
  readonly recipients: number;
  /** Enclosed messages. */
  readonly messages: number;
}

/**
 * What a batch holds, in its order: of each message its transaction, all recipients taken, then its text, dots unstuffed, and
 * its end. Behind a fault nothing follows: `reply` is what a client would have got for it.
 */
export type BatchEvent =
  | { readonly kind: 'message'; readonly hello: Hello | undefined; readonly transaction: Transaction }
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'fault'; readonly reply: Reply };

const cut = reply(451, '4.4.2', 'The batch ends in the midst of a message or a command');
const tooMany = reply(452, '4.5.3', 'The batch has too many messages');

/** The host's name stands in replies alone, which nobody sees. */
const rules = {
  role: 'mx',
  hostname: 'batch.invalid',
  mechanisms: [],
  cleartextAuth: false,
  startTls: false,
  requireTls: false,
  requireAuth: false,
  expand: false,
  etrn: false,
  atrn: false,
  turn: false,
  unheard: true,
  bareLineEnds: 'reject',
  earlyTalk: 'allow',
  extensions: {},
  now: () => 0,
} satisfies Omit<ServerRules, 'limits'>;

const lineEnd = 0x0a;

/**
 * Reads a batch: what an SMTP client would have sent to a server that takes everything. It is a server's session whose
 * replies go nowhere, so that a batch obeys every rule of SMTP (RFC 2442).
 */
export class BatchReader {
  readonly #session: ServerSession;
  readonly #mostMessages: number;
  #messages = 0;
  #over = false;
  /** Whether what came so far ends where a line does. */
  #atLineEnd = true;
  #inText = false;
  /** Whether nothing more can be said without more octets. */
  #waits = false;

  constructor({ messageSize, recipients, messages }: BatchLimits) {
    const limits = {
      messageSize,
      recipients,
      mails: 0,
      recipientDomains: 0,
      errors: 1000,
      authFailures: 1,
      errorDelay: 0,
      idleTime: Number.POSITIVE_INFINITY,
      sessionTime: Number.POSITIVE_INFINITY,
    };
    this.#mostMessages = messages;
    this.#session = new ServerSession({ ...rules, limits }, 0);
  }

  /** Takes what comes next; what stands behind QUIT is not read. */
  receive(bytes: Buffer): void {
    if (bytes.length === 0 || this.#over) return;
    this.#session.receive(bytes, 0);
    this.#atLineEnd = bytes[bytes.length - 1] === lineEnd;
  }

  /** The next event; undefined when more octets are needed, or nothing follows. */
  next(): BatchEvent | undefined {
    while (!this.#over) {
      const event = this.#step();
      this.#session.takeOutput();
      if (event !== undefined || this.#waits) return event;
    }
    return undefined;
  }

  /** Says that nothing more comes: a fault when something is missing. QUIT may be left out. */
  finish(): BatchEvent | undefined {
    if (this.#over || this.#session.isOver) return undefined;
    const isWhole = this.#atLineEnd && !this.#inText && !this.#session.inTransaction;
    return isWhole ? undefined : this.#fail(cut);
  }

  #step(): BatchEvent | undefined {
    const session = this.#session;
    const event = session.next();
    this.#waits = event === undefined;
    if (session.faults > 0) return this.#fail(session.firstFault ?? session.failed);
    if (event === undefined) return undefined;
    switch (event.kind) {
      case 'message':
        this.#messages += 1;
        if (this.#messages > this.#mostMessages) return this.#fail(tooMany);
        this.#inText = true;
        session.answer(undefined, 0);
        return { kind: 'message', hello: session.hello, transaction: event.transaction };
      case 'text':
        return { kind: 'text', bytes: event.bytes };
      case 'end':
        if (event.refused !== undefined) return this.#fail(event.refused);
        this.#inText = false;
        session.answer(undefined, 0);
        return { kind: 'end' };
      case 'abort':
        session.answer(undefined, 0);
        return this.#fail(cut);
      default:
        session.answer(undefined, 0);
        return undefined;
    }
  }

  #fail(reply: Reply): BatchEvent {
    this.#over = true;
    return { kind: 'fault', reply };
  }
}
