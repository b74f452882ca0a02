import { formatMailbox } from '../address/mailbox.ts';
import type { MailParameters } from '../command/parameters.ts';
import { Failure } from '../failure/failure.ts';
import type { ClientTransaction, Ending, RecipientAnswer } from '../protocol/client-transaction.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { ClientConnection } from './connection.ts';
import { endKinds } from './describe-end.ts';
import { ConnectionFailure, type RecipientResult, type SendResult } from './send-result.ts';
import type { TextSource } from './text-source.ts';

/** How often a message moves to another connection because nothing of it was decided. */
const mostMoves = 3;

type Step = 'again' | 'done';

/**
 * A message on its way to one host, through as many transactions as it takes: at most 100 recipients each, fewer where
 * the host wants that, and the rest again behind 452 (RFC 5321 §4.5.3.1.10, RFC 9422 §3).
 */
export class Parcel {
  readonly text: TextSource;
  /**
   * Called when a text in pieces begins that the host may go on with should it break off, with the indexes of those who are
   * then to have it (RFC 1845 §3).
   */
  onBegun: ((recipients: readonly number[]) => void) | undefined;
  readonly #transaction: Transaction;
  readonly #messageId: string | undefined;
  readonly #since = performance.now();
  readonly #results: (RecipientResult | undefined)[];
  /** The indexes of the recipients that are still to be sent. */
  #pending: number[];
  /** The indexes in the transaction under way. */
  #part: number[] = [];
  #underWay: ClientTransaction | undefined;
  #moves = 0;
  #offered: ReadonlySet<string> = new Set();

  constructor(transaction: Transaction, text: TextSource, messageId?: string) {
    this.text = text;
    this.#messageId = messageId;
    this.#transaction = transaction;
    this.#results = new Array(transaction.recipients.length).fill(undefined);
    this.#pending = transaction.recipients.map((_, index) => index);
  }

  /**
   * Sends the next part; `done` gets `again` when another is to follow, on this connection or another. Undefined when the
   * connection takes no more.
   */
  send(connection: ClientConnection, done: (step: Step) => void): ClientTransaction | undefined {
    const { recipients } = this.#transaction;
    const pending = this.#pending.map((index) => recipients[index]).filter((recipient) => recipient !== undefined);
    const portion = connection.portion(pending);
    if (portion === 0) return undefined;
    this.#part = this.#pending.slice(0, portion);
    const isWhole = portion === recipients.length;
    const part = isWhole ? recipients : pending.slice(0, portion);
    const isFirst = connection.completed === 0;
    const mail = isWhole ? this.#transaction.mail : withoutName(this.#transaction.mail);
    const request = { ...this.#transaction, mail, recipients: part, text: this.text.whole, since: this.#since };
    const text = { open: () => this.#open() };
    this.#underWay = connection.transact(request, text, (transaction) => {
      done(this.#settle(transaction, { connection, isFirst }));
    });
    return this.#underWay;
  }

  /** Gives up on all that is still to be sent. */
  giveUp(failure: Failure): void {
    const phase = failure instanceof ConnectionFailure ? failure.phase : 'connect';
    const reply = failure instanceof ConnectionFailure ? failure.reply : undefined;
    for (const index of this.#pending) {
      const about = reply?.status === undefined ? {} : { status: reply.status };
      const decided = reply === undefined ? {} : { reply, ...about };
      this.#results[index] ??= { address: this.#address(index), kind: 'deferred', phase, failure, ...decided };
    }
    if (this.#underWay !== undefined) this.#nameUnfinished(this.#underWay);
    this.#pending = [];
  }

  /** What became of it. */
  result(): SendResult {
    // A Failure costs more than all else here, for it keeps a stack: only where it is needed.
    if (this.#pending.length > 0) this.giveUp(new Failure('lost', 'the message was not sent'));
    const recipients = this.#results.filter((result) => result !== undefined);
    const ok = recipients.every(({ kind }) => kind === 'accepted');
    const about = this.#messageId === undefined ? {} : { messageId: this.#messageId };
    return { ok, recipients, offered: this.#offered, ...about };
  }

  #address(index: number): string {
    const recipient = this.#transaction.recipients[index];
    return recipient === undefined ? '' : formatMailbox(recipient.mailbox);
  }

  #open(): ReturnType<TextSource['open']> {
    const begun = this.#underWay?.unfinished ?? [];
    if (begun.length > 0) this.onBegun?.(begun.flatMap((place) => this.#part[place] ?? []));
    return this.text.open();
  }

  #settle(transaction: ClientTransaction, about: { connection: ClientConnection; isFirst: boolean }): Step {
    if (this.#mayMove(transaction, about.isFirst)) {
      this.#moves += 1;
      return 'again';
    }
    this.#offered = about.connection.capabilities.offered;
    let failure = about.connection.failure;
    const undecided = () => {
      failure ??= new Failure(endKinds[transaction.ending ?? 'lost'], 'aborted');
      return { phase: transaction.phase, failure };
    };
    const enough: number[] = [];
    for (const [place, index] of this.#part.entries()) {
      const answer = transaction.answers[place];
      if (answer?.enough === true && this.#hasProgress(transaction)) enough.push(index);
      else this.#results[index] = toResult(this.#address(index), answer, undecided);
    }
    this.#nameUnfinished(transaction);
    this.#pending = [...enough, ...this.#pending.slice(this.#part.length)];
    if (!this.#mayGoOn(transaction.ending)) this.giveUp(undecided().failure);
    return this.#pending.length > 0 ? 'again' : 'done';
  }

  /** Tells by which name the host may go on with what broke off; a host that was lost in the text does not (RFC 1845 §3). */
  #nameUnfinished({ unfinished, ending, mail }: ClientTransaction): void {
    if (ending === 'protocol' || mail.transactionId === undefined) return;
    for (const place of unfinished) {
      const index = this.#part[place] ?? -1;
      const result = this.#results[index];
      if (result?.kind === 'deferred') this.#results[index] = { ...result, transactionId: mail.transactionId };
    }
  }

  /** Another transaction after 452 makes sense only as long as each gets some recipients through. */
  #hasProgress({ answers }: ClientTransaction): boolean {
    return this.text.fresh && answers.some((answer) => answer?.kind === 'accepted');
  }

  /** Whether what has not been in a transaction yet may go into another. */
  #mayGoOn(ending: Ending | undefined): boolean {
    if (ending === undefined || ending === 'spent') return true;
    this.#moves += 1;
    return this.#moves < mostMoves && (ending === 'lost' || ending === 'shut down');
  }

  /** Whether the transaction is as if it had never been: not begun, or met by the end of a connection that had waited. */
  #mayMove({ begun, answered, aborted, ending }: ClientTransaction, isFirst: boolean): boolean {
    if (ending === undefined || aborted || !this.text.fresh || this.#moves >= mostMoves) return false;
    return !begun || (!answered && !isFirst && (ending === 'lost' || ending === 'shut down'));
  }
}

/** A name is for one transaction and its recipients, so the parts of a message that is split go without (RFC 1845 §3). */
function withoutName({ transactionId, ...mail }: MailParameters): MailParameters {
  return mail;
}

function toResult(
  address: string,
  answer: RecipientAnswer | undefined,
  undecided: () => Pick<RecipientResult, 'phase'> & { readonly failure: Failure },
): RecipientResult {
  if (answer === undefined) return { address, kind: 'deferred', ...undecided() };
  const { kind, phase, reply, refusal } = answer;
  if (refusal !== undefined) {
    const failure = new Failure('invalid', refusal.text);
    return { address, kind, phase, status: refusal.status, failure };
  }
  return {
    address,
    kind,
    phase,
    ...(reply === undefined ? {} : { reply }),
    ...(reply?.status === undefined ? {} : { status: reply.status }),
  };
}
