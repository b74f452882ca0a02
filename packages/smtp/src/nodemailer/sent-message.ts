import type { RecipientResult, SendResult } from '../client/send-result.ts';
import { isTemporary } from '../reply/reply.ts';
import type { ComposedMail } from './composed-mail.ts';
import { recipientError, SendError, textOf } from './send-error.ts';

/** What a program is told of a message that somebody has, as Nodemailer tells it. */
export interface SentMessage {
  readonly envelope: { readonly from: string | false; readonly to: readonly string[] };
  readonly messageId: string;
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  /** Why each of `rejected` was; absent when none was. */
  readonly rejectedErrors?: readonly SendError[];
  readonly pending: readonly string[];
  /** The last reply to the text. */
  readonly response: string;
  /** EHLO keywords of the host. */
  readonly ehlo: readonly string[];
  /** Milliseconds for all of it. */
  readonly messageTime: number;
}

/** Reads what became of a message. Throws SendError when nobody has it. */
export function toSentMessage(
  { message }: ComposedMail,
  { recipients, offered }: SendResult,
  messageTime: number,
): SentMessage {
  const { from, to } = message.getEnvelope();
  const named = recipients.map((result, index) => ({ result, address: to[index] ?? result.address }));
  const taken = named.filter(({ result }) => result.kind === 'accepted');
  const left = named.filter(({ result }) => result.kind !== 'accepted');
  const rejected = left.map(({ address }) => address);
  const rejectedErrors = left.map(({ result, address }) => recipientError(result, address));
  if (taken.length === 0)
    throw nobodyHasIt(
      left.map(({ result }) => result),
      rejected,
      rejectedErrors,
    );
  const reply = taken.at(-1)?.result.reply;
  return {
    envelope: { from, to },
    messageId: message.messageId(),
    accepted: taken.map(({ address }) => address),
    rejected,
    ...(rejectedErrors.length === 0 ? {} : { rejectedErrors }),
    pending: [],
    response: reply === undefined ? '' : textOf(reply),
    ehlo: [...offered],
    messageTime,
  };
}

/** A refusal that may pass decides before one that stays: otherwise nobody would try again. */
function nobodyHasIt(
  results: readonly RecipientResult[],
  rejected: readonly string[],
  errors: readonly SendError[],
): SendError {
  const passing = results.findIndex(({ reply }) => reply !== undefined && isTemporary(reply));
  const index = passing < 0 ? results.length - 1 : passing;
  const result = results[index];
  const error =
    result?.phase === 'rcpt' && result.reply !== undefined
      ? new SendError("Can't send mail - all recipients were rejected", {
          code: 'EENVELOPE',
          command: 'RCPT TO',
          reply: result.reply,
        })
      : (errors[index] ?? new SendError('There is no recipient', { code: 'EENVELOPE' }));
  error.rejected = rejected;
  error.rejectedErrors = errors;
  return error;
}
