import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import type { Session, Transaction } from '@posthorn/smtp/server';
import { addressOf } from './milter-macros.ts';

/** Who sends what to whom. */
export interface RspamdFacts {
  readonly hostname: string;
  readonly session: Session;
  readonly transaction: Transaction;
  /** The queue id. */
  readonly id: string;
}

/** The fields of a request for judgement, one value or several each; none can break out of its line. */
export function rspamdHeaders({ hostname, session, transaction, id }: RspamdFacts): Record<string, string | string[]> {
  const { reversePath, recipients } = transaction;
  const { hello, login, tls } = session;
  return {
    From: reversePath === null ? '<>' : octets(formatMailbox(reversePath)),
    Rcpt: recipients.map(({ mailbox }) => octets(formatMailbox(mailbox))),
    Ip: addressOf(session),
    'Queue-Id': id,
    'MTA-Name': octets(hostname),
    ...(hello === undefined ? {} : { Helo: octets(hello.name) }),
    ...(login === undefined ? {} : { User: octets(login) }),
    ...(tls === undefined ? {} : { 'TLS-Version': octets(tls.protocol), 'TLS-Cipher': octets(tls.cipher) }),
  };
}

/** UTF-8 as the octets that it goes as; controls have no place in a field (RFC 9110 §5.5). */
function octets(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[\0-\x1f\x7f]/g, '?');
}
