import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { withKeyword } from '@posthorn/smtp/message/received';
import type { Session, Transaction } from '@posthorn/smtp/server';
import type { Envelope } from '../queue/envelope.ts';

/** What is known of a message beside its transaction. */
export interface EnvelopeFacts extends Pick<Envelope, 'id' | 'recipients' | 'receivedAt' | 'size'> {
  /** What its client asked for beyond delivery, as far as it is granted. */
  readonly granted: Partial<Envelope>;
}

/** Composes what the queue knows of a message that was received. */
export function composeEnvelope(session: Session, transaction: Transaction, facts: EnvelopeFacts): Envelope {
  const { verb, mail, reversePath } = transaction;
  const { granted, ...known } = facts;
  return {
    ...known,
    reversePath: reversePath === null ? '' : formatMailbox(reversePath),
    body: mail.body ?? '7BIT',
    smtputf8: mail.smtputf8 === true,
    ...(verb === undefined ? {} : { verb }),
    ...(mail.ret === undefined ? {} : { ret: mail.ret }),
    ...(mail.envelopeId === undefined ? {} : { envelopeId: mail.envelopeId }),
    ...granted,
    origin: {
      clientAddress: session.clientAddress,
      protocol: protocolOf(session, transaction),
      ...(session.hello === undefined ? {} : { helloName: session.hello.name }),
      ...(session.login === undefined ? {} : { login: session.login }),
    },
  };
}

/** The keyword of the with clause of Received (RFC 3848 §1). */
export function protocolOf(session: Session, transaction: Transaction): string {
  return withKeyword({
    lmtp: session.role === 'lmtp',
    esmtp: session.hello?.verb !== 'HELO',
    tls: session.tls !== undefined,
    authenticated: session.login !== undefined,
    utf8: transaction.mail.smtputf8 === true,
  });
}
