import { isAscii } from 'node:buffer';
import { formatMailbox, formatReversePath } from '../address/mailbox.ts';
import type { MailParameters } from '../command/parameters.ts';
import type { Reply, Status } from '../reply/reply.ts';
import type { Capabilities } from './client-capabilities.ts';
import { findLack, findRecipientLack, type Host } from './client-lack.ts';
import { afterWait, needsDelayNotice } from './client-parameters.ts';
import { mendText } from './client-text.ts';
import type { Phase } from './client-timeouts.ts';
import type { Transaction } from './transaction.ts';

/** A message to send: who it is from and for, and its text at once or piece by piece (RFC 5321 §3.3). */
export interface TransactionRequest extends Transaction {
  readonly text: Buffer | 'pieces';
  /** The reading of the session's clock from which BY and the like count; default: when it is submitted (RFC 2852 §4). */
  readonly since?: number;
}

/** Why the client does not even ask: what the message needs and the host does not offer (RFC 3463 §3). */
export interface LocalRefusal {
  readonly status: Status;
  readonly text: string;
}

/** What became of one recipient, and at which step: by a reply, or by what the host lacks (RFC 5321 §4.2.1). */
export interface RecipientAnswer {
  readonly kind: 'accepted' | 'deferred' | 'refused';
  readonly phase: Phase;
  readonly reply?: Reply;
  readonly refusal?: LocalRefusal;
  /** The host has only had enough recipients for one transaction: the next may take this one (RFC 5321 §4.5.3.1.10). */
  readonly enough?: true;
}

/** Why a transaction ended before each of its recipients had an answer. */
export type Ending = 'lost' | 'timeout' | 'aborted' | 'shut down' | 'protocol' | 'spent';

/** One transaction under way: collects a reply per recipient, in whatever step it falls (RFC 5321 §3.3). */
export class ClientTransaction {
  readonly request: TransactionRequest;
  /** What goes with MAIL, as it stands when that is sent. */
  mail: MailParameters;
  /** The text as it goes out, but for dots; undefined when it comes in pieces. */
  readonly text: Buffer | undefined;
  /** Of each recipient; undefined as long as nothing decided. */
  readonly answers: (RecipientAnswer | undefined)[];
  /** The indexes of the recipients that RCPT accepted and nothing has decided since. */
  accepted: number[] = [];
  /** Whether the host is to tell of delays, asked or not. */
  noticesDelay = false;
  /** What is waited for. */
  phase: Phase = 'mail';
  /** Whether a command of it has gone out. */
  begun = false;
  /** Whether a reply to one of its commands has come, 421 apart. */
  answered = false;
  mailRefused = false;
  /** Whether the host has asked for the text. */
  invited = false;
  aborted = false;
  /** Whether MAIL names it so that another session can go on with it (RFC 1845 §3). */
  named = false;
  /** Octets of the text that the host has from an earlier session (RFC 1845 §3). */
  offset = 0;
  /** Whether the host goes on with an earlier session's transaction: it knows the recipients (RFC 1845 §3). */
  resumed = false;
  /**
   * The indexes of the recipients of a text that has begun to go out and has no reply yet: by the same TRANSID, and for
   * exactly these, the host may go on where it broke off. None without a TRANSID that the host knows the use of.
   */
  unfinished: readonly number[] = [];
  /** Set when it ended too early. */
  ending: Ending | undefined;
  readonly #since: number;

  /** `since` is the reading of the session's clock at which the times of the request were right. */
  constructor(request: TransactionRequest, since: number) {
    this.request = request;
    this.mail = request.mail;
    this.#since = since;
    this.answers = new Array(request.recipients.length).fill(undefined);
    if (request.text === 'pieces') this.text = undefined;
    else this.text = request.mail.body === 'BINARYMIME' ? request.text : mendText(request.text);
  }

  /** Octets as SIZE counts them, if they are known (RFC 1870 §6). */
  get size(): number | undefined {
    return this.text?.length ?? this.request.mail.size;
  }

  /** Whether the text is not known to be of 7 bits. */
  get eightBit(): boolean {
    const { body } = this.request.mail;
    if (body !== undefined) return body !== '7BIT';
    return this.text === undefined || !isAscii(this.text);
  }

  /** Whether addresses or header need SMTPUTF8 (RFC 6531 §3.4). */
  get international(): boolean {
    return this.request.mail.smtputf8 === true || this.hasForeignAddress();
  }

  /**
   * Makes ready for a host: times run on while a message waits, and what cannot be kept there is refused. Whether anything
   * is left to be sent.
   */
  prepare(host: Host, now: number): boolean {
    this.mail = afterWait(this.request.mail, Math.floor((now - this.#since) / 1000));
    this.named = this.mail.transactionId !== undefined && host.capabilities.offered.has('CHECKPOINT');
    this.noticesDelay = needsDelayNotice(this.mail, host);
    const refusal = findLack(this, host);
    if (refusal !== undefined) this.answerAll({ kind: 'refused', phase: 'mail', refusal });
    else this.#prepareRecipients(host.capabilities);
    return this.answers.includes(undefined);
  }

  /** Answers every recipient that has no answer yet. */
  answerAll(answer: RecipientAnswer): void {
    for (let index = 0; index < this.answers.length; index += 1) this.answers[index] ??= answer;
    this.accepted = [];
  }

  /** Whether a piece of the text has no octet over 127. */
  isSevenBit(piece: Buffer): boolean {
    return isAscii(piece);
  }

  /** Takes the offset from which on the host wants the text; false when there is none, or none of this text (RFC 1845 §3). */
  resume({ lines }: Reply): boolean {
    const offset = Number(/^\d{1,15}(?=[ \t]|$)/.exec(lines[0] ?? '')?.[0] ?? -1);
    if (offset < 0 || (this.text !== undefined && offset > this.text.length)) return false;
    this.resumed = true;
    this.offset = offset;
    this.accepted = [...this.answers.keys()].filter((index) => this.answers[index] === undefined);
    return true;
  }

  /** Takes a negative reply to MAIL: it is for all recipients (RFC 5321 §3.3). */
  refuseMail(reply: Reply): void {
    this.mailRefused = true;
    this.answerAll(negative('mail', reply));
  }

  /** Takes the reply to the RCPT of one recipient. */
  answerRcpt(index: number, reply: Reply): void {
    if (this.answers[index] !== undefined) return;
    if (reply.code < 300) this.accepted.push(index);
    else if (this.accepted.length > 0 && meansEnough(reply)) {
      this.answers[index] = { kind: 'deferred', phase: 'rcpt', reply, enough: true };
    } else this.answers[index] = negative('rcpt', reply);
  }

  /** Gives a reply to all that RCPT accepted. */
  answerAccepted(phase: Phase, reply: Reply): void {
    for (const index of this.accepted) this.answers[index] = toAnswer(phase, reply);
    this.accepted = [];
  }

  /** Gives a reply to the first of the accepted (RFC 2033 §4.2). */
  answerNext(phase: Phase, reply: Reply): void {
    const index = this.accepted.shift();
    if (index !== undefined) this.answers[index] = toAnswer(phase, reply);
  }

  /** Whether an address has letters outside of ASCII (RFC 6531 §3.4). */
  hasForeignAddress(): boolean {
    const { reversePath, recipients } = this.request;
    if (!/^[ -~]*$/.test(formatReversePath(reversePath))) return true;
    return recipients.some(({ mailbox }) => !/^[ -~]*$/.test(formatMailbox(mailbox)));
  }

  #prepareRecipients(capabilities: Capabilities): void {
    for (const [index, { parameters }] of this.request.recipients.entries()) {
      const refusal = findRecipientLack(parameters, capabilities);
      if (refusal !== undefined) this.answers[index] = { kind: 'refused', phase: 'rcpt', refusal };
    }
  }
}

/** 452, and 552 in its old sense, unless their status names the mailbox or the size (RFC 5321 §4.5.3.1.10). */
function meansEnough({ code, status }: Reply): boolean {
  return (code === 452 || code === 552) && (status === undefined || /^[45]\.(?:0\.0|3\.[01]|5\.\d+)$/.test(status));
}

function negative(phase: Phase, reply: Reply): RecipientAnswer {
  return { kind: reply.code < 500 ? 'deferred' : 'refused', phase, reply };
}

function toAnswer(phase: Phase, reply: Reply): RecipientAnswer {
  return reply.code < 300 ? { kind: 'accepted', phase, reply } : negative(phase, reply);
}
