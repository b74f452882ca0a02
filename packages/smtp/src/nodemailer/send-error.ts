import { ConnectionFailure, type RecipientResult } from '../client/send-result.ts';
import { Failure, type FailureKind } from '../failure/failure.ts';
import type { Phase } from '../protocol/client-timeouts.ts';
import { formatReply } from '../reply/format-reply.ts';
import { isPermanent, isPositive, type Reply } from '../reply/reply.ts';

/** Codes of errors as Nodemailer has them. */
export type SendErrorCode =
  | 'ECONNECTION'
  | 'ETIMEDOUT'
  | 'ESOCKET'
  | 'EDNS'
  | 'ETLS'
  | 'EREQUIRETLS'
  | 'EPROTOCOL'
  | 'EENVELOPE'
  | 'EMESSAGE'
  | 'EABORT'
  | 'EAUTH'
  | 'EMAXLIMIT'
  | 'ECONFIG';

/** What an error of a transport tells. */
interface SendErrorOptions {
  readonly code: SendErrorCode;
  readonly command?: string;
  readonly reply?: Reply | undefined;
  readonly recipient?: string;
  readonly cause?: unknown;
}

/** Why a message was not sent, in the form that programs for Nodemailer look for. */
export class SendError extends Error {
  override readonly name = 'SendError';
  readonly code: SendErrorCode;
  /** The reply that decided, as it came, without the last line end. */
  readonly response?: string;
  readonly responseCode?: number;
  /** Whether the same would be refused again. */
  readonly permanent?: boolean;
  /** The command that the reply was to. */
  readonly command?: string;
  /** Whom it is about, where that is one. */
  readonly recipient?: string;
  /** Those that were refused, and why each was. */
  rejected?: readonly string[];
  rejectedErrors?: readonly SendError[];

  constructor(text: string, { code, command, reply, recipient, cause }: SendErrorOptions) {
    super(reply === undefined ? text : `${text}: ${textOf(reply)}`, cause === undefined ? undefined : { cause });
    this.code = code;
    if (command !== undefined) this.command = command;
    if (recipient !== undefined) this.recipient = recipient;
    if (reply === undefined) return;
    this.response = textOf(reply);
    this.responseCode = reply.code;
    this.permanent = isPermanent(reply) && reply.code !== 503;
  }
}

/** A reply as it came, without the last line end. */
export function textOf(reply: Reply): string {
  return formatReply(reply).trimEnd();
}

interface Step {
  readonly command: string;
  readonly text: string;
  /** The code where the host said no. */
  readonly code: SendErrorCode;
}

const steps: Readonly<Record<Phase, Step>> = {
  connect: { command: 'CONN', text: 'Connection failed', code: 'ECONNECTION' },
  greeting: { command: 'CONN', text: 'Invalid greeting', code: 'EPROTOCOL' },
  hello: { command: 'EHLO', text: 'Invalid EHLO', code: 'EPROTOCOL' },
  tls: { command: 'STARTTLS', text: 'TLS failed', code: 'ETLS' },
  auth: { command: 'AUTH', text: 'Invalid login', code: 'EAUTH' },
  mail: { command: 'MAIL FROM', text: 'Mail command failed', code: 'EENVELOPE' },
  rcpt: { command: 'RCPT TO', text: 'Recipient command failed', code: 'EENVELOPE' },
  data: { command: 'DATA', text: 'Data command failed', code: 'EENVELOPE' },
  text: { command: 'DATA', text: 'Message failed', code: 'EMESSAGE' },
};

const kinds: Readonly<Record<FailureKind, SendErrorCode>> = {
  aborted: 'EABORT',
  timeout: 'ETIMEDOUT',
  refused: 'ESOCKET',
  unreachable: 'ESOCKET',
  lost: 'ECONNECTION',
  tls: 'ETLS',
  protocol: 'EPROTOCOL',
  authentication: 'EAUTH',
  dns: 'EDNS',
  full: 'EMESSAGE',
  storage: 'EMESSAGE',
  limit: 'EMAXLIMIT',
  invalid: 'EENVELOPE',
};

/** The error that whatever a client throws stands for; what is no Failure stays as it is. */
export function toSendError(error: unknown): Error {
  if (error instanceof ConnectionFailure) return errorAt(error.phase, { reply: error.reply, failure: error });
  if (error instanceof Failure) return new SendError(error.message, { code: kinds[error.kind], cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

/** Why one recipient does not have the message; `recipient` as the program named it. */
export function recipientError({ phase, reply, failure, status }: RecipientResult, recipient: string): SendError {
  // The way there lacks TLS, or the host REQUIRETLS (RFC 8689 §4.2.1).
  if ((status === '5.7.10' || status === '5.7.30') && failure !== undefined) {
    return new SendError(failure.message, { code: 'EREQUIRETLS', command: 'MAIL FROM', recipient, cause: failure });
  }
  return errorAt(phase, { reply, failure, recipient });
}

interface Circumstances {
  readonly reply: Reply | undefined;
  readonly failure: Failure | undefined;
  readonly recipient?: string;
}

function errorAt(phase: Phase, { reply, failure, ...about }: Circumstances): SendError {
  const { command, text, code } = steps[phase];
  const isRefusal = reply !== undefined && !isPositive(reply);
  const decided = isRefusal ? { code, reply } : { code: failure === undefined ? code : kinds[failure.kind] };
  const words = isRefusal || failure === undefined ? text : failure.message;
  return new SendError(words, { ...decided, command, ...about, ...(failure === undefined ? {} : { cause: failure }) });
}
