import { Failure, type FailureKind } from '../failure/failure.ts';
import type { Phase } from '../protocol/client-timeouts.ts';
import type { Reply, Status } from '../reply/reply.ts';

/**
 * What became of one recipient (RFC 5321 §4.2.1, RFC 2033 §4.2). `accepted`: the host has taken responsibility;
 * `deferred`: trying again may help; `refused`: it will not.
 */
export interface RecipientResult {
  /** As it was given. */
  readonly address: string;
  readonly kind: 'accepted' | 'deferred' | 'refused';
  /** The step that decided. */
  readonly phase: Phase;
  /** The reply that decided; absent when none did. */
  readonly reply?: Reply;
  /** From the reply, or of what the host lacks (RFC 3463 §2). */
  readonly status?: Status;
  /** Why there is no reply that decided. */
  readonly failure?: Failure;
  /**
   * TRANSID of a transaction that broke off in its text. Sent again with the same one as `mail.transactionId`, to exactly
   * those recipients that have it and before anybody else has the message, the host may go on where it stopped
   * (RFC 1845 §3).
   */
  readonly transactionId?: string;
}

/** What became of a message: one result per recipient, in the order of the envelope. */
export interface SendResult {
  /** Whether every recipient was accepted. */
  readonly ok: boolean;
  readonly recipients: readonly RecipientResult[];
  /** EHLO keywords of the host that answered last; none when no host did (RFC 5321 §4.1.1.1). */
  readonly offered: ReadonlySet<string>;
  /** Of a message that was composed, with its brackets. */
  readonly messageId?: string;
}

/** A session that did not come about, or ended too early: with the step, and the reply if one was the reason. */
export class ConnectionFailure extends Failure {
  readonly phase: Phase;
  readonly reply?: Reply;

  constructor(kind: FailureKind, message: string, about: { phase: Phase; reply?: Reply; cause?: unknown }) {
    super(kind, message, about.cause);
    this.phase = about.phase;
    if (about.reply !== undefined) this.reply = about.reply;
  }
}
