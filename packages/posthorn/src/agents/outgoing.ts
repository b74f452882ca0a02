import { isAscii } from 'node:buffer';
import { toMailbox } from '@posthorn/smtp/client/envelope';
import { TextSource } from '@posthorn/smtp/client/text-source';
import type { MailParameters, RcptParameters } from '@posthorn/smtp/command/parameters';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import type { Transaction } from '@posthorn/smtp/protocol/transaction';
import type { DeliveryJob } from '../queue/delivery-agent.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { Content } from '../queue/queue-store.ts';

/** A message as it leaves. */
export interface Outgoing {
  readonly transaction: Transaction;
  readonly text: TextSource;
}

/** Makes of a job what is sent: parameters as they came, for hosts that know them (RFC 3461 §5.2.1). */
export async function prepareOutgoing(job: DeliveryJob): Promise<Outgoing> {
  const { envelope, content, recipients } = job;
  return {
    transaction: {
      reversePath: envelope.reversePath === '' ? null : toMailbox(envelope.reversePath),
      mail: mailParameters(job, envelope.smtputf8 && (await hasForeignHeader(content))),
      recipients: recipients.map((recipient) => ({
        mailbox: toMailbox(recipient.address),
        parameters: rcptParameters(recipient),
      })),
    },
    text: new TextSource(content.bytes ?? (() => content.stream()), envelope.body === 'BINARYMIME'),
  };
}

function mailParameters({ envelope, content }: DeliveryJob, smtputf8: boolean): MailParameters {
  const { body, ret, envelopeId } = envelope;
  // What is at hand is looked at, whatever MAIL said; 7BIT is said of much that is not.
  const known = body === 'BINARYMIME' || (body === '8BITMIME' && content.bytes === undefined);
  return {
    size: content.size,
    ...(known ? { body } : {}),
    ...(smtputf8 ? { smtputf8 } : {}),
    ...(ret === undefined ? {} : { ret }),
    ...(envelopeId === undefined ? {} : { envelopeId }),
  };
}

function rcptParameters({ notify, originalRecipient }: Recipient): RcptParameters {
  return {
    ...(notify === undefined ? {} : { notify }),
    ...(originalRecipient === undefined ? {} : { originalRecipient }),
  };
}

/** Whether the header needs SMTPUTF8; if not, and no address does, the message needs it no more (RFC 6531 §3.6). */
async function hasForeignHeader({ bytes, stream }: Content): Promise<boolean> {
  const collector = new HeaderCollector();
  if (bytes !== undefined) collector.write(bytes);
  else for await (const piece of stream()) if (collector.write(piece)) break;
  return !isAscii(collector.header);
}
