import { formatCommand } from '../command/format-command.ts';
import { writeMailParameters, writeRcptParameters } from '../command/parameters.ts';
import { withDelayNotice } from './client-parameters.ts';
import type { ClientTimeouts } from './client-timeouts.ts';
import type { ClientTransaction } from './client-transaction.ts';

/** One entry of the list that a client works off: what goes out, and what its reply means. */
export interface Step {
  readonly kind: 'command' | 'quit' | 'rset' | 'mail' | 'rcpt' | 'data' | 'text' | 'chunk';
  /** Which time-out its reply has. */
  readonly wait: keyof ClientTimeouts;
  /** Without CRLF; `text` has none. */
  readonly line: string;
  readonly transaction?: ClientTransaction;
  /** Of the recipient, for `rcpt`. */
  readonly index: number;
  /** Nothing may follow it before its reply has come (RFC 2920 §3.1). */
  readonly closesGroup: boolean;
  /** It may not go out before all earlier replies have come. */
  readonly awaitsReplies: boolean;
  /** The last of its transaction. */
  readonly ends: boolean;
}

/** Octets of text that are worth sending before it is known whether a recipient is accepted. */
const hastyText = 65_536;

function step(kind: Step['kind'], line: string, part: Partial<Step> = {}): Step {
  return {
    kind,
    wait: 'command',
    line,
    index: 0,
    closesGroup: false,
    awaitsReplies: false,
    ends: false,
    ...part,
  };
}

/** A command outside of transactions; it ends its group, whatever it is (RFC 2920 §3.1). */
export function commandStep(line: string, wait: 'command' | 'turn' = 'command'): Step {
  return step('command', line, { wait, closesGroup: true });
}

/** QUIT (RFC 5321 §4.1.1.10). */
export const quitStep: Step = step('quit', 'QUIT', { wait: 'quit', closesGroup: true, awaitsReplies: true });

function mailLine(transaction: ClientTransaction, offered: ReadonlySet<string>): string {
  const { reversePath } = transaction.request;
  const { mail, size } = transaction;
  const { body = transaction.eightBit ? '8BITMIME' : '7BIT', ...others } = mail;
  const typed = {
    ...others,
    ...(size === undefined ? {} : { size }),
    // 7BIT is what goes without saying (RFC 6152 §2).
    ...(body === '7BIT' ? {} : { body }),
    ...(transaction.international ? { smtputf8: true as const } : {}),
  };
  return formatCommand({ verb: 'MAIL', reversePath, parameters: writeMailParameters(typed, offered) });
}

/** The steps of one transaction, with RSET before them when the last one may not be closed (RFC 5321 §3.3, RFC 3030 §2). */
export function planTransaction(transaction: ClientTransaction, offered: ReadonlySet<string>, reset: boolean): Step[] {
  const steps: Step[] = [];
  if (reset) steps.push(step('rset', 'RSET', { transaction }));
  // What follows MAIL depends on whether the host goes on with a transaction of before (RFC 1845 §3).
  const closesGroup = transaction.named;
  steps.push(step('mail', mailLine(transaction, offered), { wait: 'mail', transaction, closesGroup }));
  for (const [index, { mailbox, parameters }] of transaction.request.recipients.entries()) {
    if (transaction.answers[index] !== undefined) continue;
    const typed = transaction.noticesDelay ? withDelayNotice(parameters) : parameters;
    const line = formatCommand({
      verb: 'RCPT',
      forwardPath: mailbox,
      parameters: writeRcptParameters(typed, offered),
    });
    steps.push(step('rcpt', line, { wait: 'rcpt', transaction, index }));
  }
  steps.push(...planText(transaction, offered));
  return steps;
}

/** The command for a text in one chunk (RFC 3030 §2). */
export function chunkLine(size: number): string {
  return formatCommand({ verb: 'BDAT', size, last: true });
}

/** Pieces go by DATA where they can: each BDAT chunk costs the time of one reply. */
function planText(transaction: ClientTransaction, offered: ReadonlySet<string>): Step[] {
  const { text } = transaction;
  const chunked = offered.has('CHUNKING') && (text !== undefined || transaction.request.mail.body === 'BINARYMIME');
  const last: Partial<Step> = { wait: 'text', transaction, ends: true };
  if (!chunked) {
    return [step('data', 'DATA', { wait: 'data', transaction, closesGroup: true }), step('text', '', last)];
  }
  if (text === undefined) return [step('chunk', '', { ...last, awaitsReplies: true })];
  return [step('chunk', chunkLine(text.length), { ...last, awaitsReplies: text.length > hastyText })];
}
