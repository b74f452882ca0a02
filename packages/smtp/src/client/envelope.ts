import type { Mailbox } from '../address/mailbox.ts';
import { normalizeDomain } from '../address/normalize-domain.ts';
import { parseMailbox } from '../address/parse-mailbox.ts';
import { isMailParameters, isRcptParameters, type MailParameters, type RcptParameters } from '../command/parameters.ts';
import { Failure } from '../failure/failure.ts';
import type { Transaction } from '../protocol/transaction.ts';

/** A recipient, with what its sender asks for about it (RFC 3461 §4). */
export type ClientRecipient = string | ({ readonly address: string } & RcptParameters);

/** Who a message is from and for (RFC 5321 §2.3.1); addresses are `local@domain`. */
export interface ClientEnvelope {
  /** The empty string is the null reverse-path. */
  readonly from: string;
  readonly to: readonly ClientRecipient[];
  /**
   * What goes with MAIL. The host gets what it offers; without DELIVERBY in mode R, FUTURERELEASE, REQUIRETLS or RRVS with
   * the fallback R, the message or the recipient that asks for it is refused, and nothing of it is sent (RFC 2852 §4.1.4.1,
   * RFC 4865 §4.1, RFC 8689 §4.2.1, RFC 7293 §5.1.1).
   */
  readonly mail?: MailParameters;
}

/** The mailbox of an address, its domain as A-labels. Throws Failure `invalid` (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export function toMailbox(address: string): Mailbox {
  const mailbox = parseMailbox(address, { utf8: true });
  const isAscii = mailbox !== undefined && /^[!-~]*$/.test(mailbox.domain);
  const domain = mailbox === undefined || isAscii ? mailbox?.domain : normalizeDomain(mailbox.domain);
  if (mailbox === undefined || domain === undefined)
    throw new Failure('invalid', `not an address: ${JSON.stringify(address)}`);
  return { localPart: mailbox.localPart, domain };
}

/** Reads an envelope. Throws Failure `invalid` before anything is sent: no part of it can bring a line of its own (RFC 5321 §4.1.2). */
export function toTransaction({ from, to, mail = {} }: ClientEnvelope): Transaction {
  if (to.length === 0) throw new Failure('invalid', 'a message needs a recipient');
  if (!isMailParameters(mail)) throw new Failure('invalid', 'bad parameter of MAIL');
  return {
    reversePath: from === '' ? null : toMailbox(from),
    mail,
    recipients: to.map((recipient) => {
      const { address, ...parameters } = typeof recipient === 'string' ? { address: recipient } : recipient;
      if (!isRcptParameters(parameters)) throw new Failure('invalid', 'bad parameter of RCPT');
      return { mailbox: toMailbox(address), parameters };
    }),
  };
}
