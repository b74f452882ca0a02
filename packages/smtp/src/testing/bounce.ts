import { randomBytes } from 'node:crypto';
import { splitMessage } from '../message/header.ts';
import { reply } from '../reply/reply.ts';
import { composeDsn } from '../report/compose-dsn.ts';
import type { Arrival } from './inbox-handlers.ts';
import { matchesAddress } from './mail-filter.ts';
import type { LateBounce } from './trouble.ts';

/** The report that a mail could not be delivered after all, as the host of the inbox would send it (RFC 3464 §2). */
export function composeBounce({ source, envelope }: Arrival, bounce: LateBounce, hostname: string): Buffer {
  const { status = '5.1.1', text = 'No such mailbox' } = bounce;
  const failed = envelope.recipients.filter(
    ({ address }) => bounce.to === undefined || matchesAddress(address, bounce.to),
  );
  const { header, body } = splitMessage(source);
  const { content } = composeDsn({
    report: {
      reportingMta: hostname,
      ...(envelope.mail.envelopeId === undefined ? {} : { envelopeId: envelope.mail.envelopeId }),
      recipients: failed.map(({ address, originalRecipient }) => ({
        finalRecipient: address,
        ...(originalRecipient === undefined ? {} : { originalRecipient }),
        action: 'failed',
        status,
        remoteMta: hostname,
        diagnostic: { type: 'smtp', reply: reply(550, status, text) },
      })),
    },
    reversePath: envelope.from,
    original: { header, body },
    now: Date.now(),
    random: randomBytes,
  });
  return content;
}
