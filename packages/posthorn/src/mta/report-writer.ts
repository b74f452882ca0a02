import { randomBytes } from 'node:crypto';
import { splitMessage } from '@posthorn/smtp/message/header';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { composeDsn } from '@posthorn/smtp/report/compose-dsn';
import type { DeliveryReport, ReportedRecipient } from '@posthorn/smtp/report/delivery-report';
import { type OriginalMessage, returnsFull } from '@posthorn/smtp/report/returned-content';
import { composeOwnMail, type OwnMail, type OwnMailParts } from '../agents/own-mail.ts';
import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { Content, NewMessage } from '../queue/queue-store.ts';
import { expiryOf, type RetryPolicy } from '../queue/retry-policy.ts';
import type { Notice, Settled } from '../queue/settle.ts';

/** What reports are written with. */
export interface ReportParts extends OwnMailParts {
  /** Address of a person, `local@domain`. */
  readonly postmaster: string;
  readonly policy: RetryPolicy;
  /** Who gets the mail for these addresses in the end: aliases are replaced. */
  readonly expand: (addresses: readonly string[]) => readonly Recipient[];
}

/** A message and what is to be told about it. */
export interface Reported extends Omit<Settled, 'recipients'> {
  readonly envelope: Envelope;
  readonly content: Content;
}

/** Writes the reports that an attempt causes, one for each notice (RFC 3461 §6). */
export class ReportWriter {
  readonly #parts: ReportParts;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /** Messages with the null reverse-path to the sender, ready for the transaction of their cause (RFC 3461 §6.1). */
  async compose({ envelope, content, notices }: Reported): Promise<NewMessage[]> {
    const reports: NewMessage[] = [];
    for (const notice of notices) {
      const original = await readOriginal(content, envelope, notice);
      reports.push(this.#report(envelope, notice, original));
    }
    return reports;
  }

  #report(envelope: Envelope, notice: Notice, original: OriginalMessage): NewMessage {
    const { postmaster, now } = this.#parts;
    const time = now();
    const offsetMinutes = -new Date(time).getTimezoneOffset();
    const { reversePath } = envelope;
    const report = this.#facts(envelope, notice);
    const dsn = composeDsn({
      report,
      reversePath,
      original,
      now: time,
      offsetMinutes,
      random: randomBytes,
      postmaster,
    });
    const mail: OwnMail = {
      reversePath: '',
      recipients: this.#recipients(reversePath),
      body: dsn.body,
      smtputf8: dsn.smtputf8,
      ...inherited(envelope),
    };
    return composeOwnMail(mail, [dsn.content], this.#parts);
  }

  /** The sender may be an alias here, as the owner of a list is. */
  #recipients(reversePath: string): Recipient[] {
    const expanded = this.#parts.expand([reversePath]);
    const recipients = expanded.length === 0 ? [{ address: reversePath }] : expanded;
    return recipients.map((each) => ({ ...each, notify: [] }));
  }

  #facts(envelope: Envelope, { action, recipients }: Notice): DeliveryReport {
    const { hostname, policy } = this.#parts;
    const { origin, envelopeId, receivedAt, deliverBy, hold } = envelope;
    const willRetryUntil = action === 'delayed' ? { willRetryUntil: expiryOf(policy, envelope) } : {};
    return {
      reportingMta: hostname,
      arrivalDate: receivedAt,
      recipients: recipients.map((each) => ({ ...reportedRecipient(each), action, ...willRetryUntil })),
      ...(envelopeId === undefined ? {} : { envelopeId }),
      ...(deliverBy === undefined ? {} : { deliverBy: deliverBy.until }),
      ...(hold === undefined ? {} : { futureRelease: hold }),
      ...(origin.helloName === undefined
        ? {}
        : { receivedFromMta: { name: origin.helloName, address: origin.clientAddress } }),
    };
  }
}

/** A report is as urgent as its message, and tells as much about it (RFC 6710 §4.6, RFC 8689 §5). */
function inherited({ priority, requireTls }: Envelope): Pick<Envelope, 'priority' | 'requireTls'> {
  return { ...(priority === undefined ? {} : { priority }), ...(requireTls === undefined ? {} : { requireTls }) };
}

function reportedRecipient({
  recipient,
  outcome,
}: {
  recipient: Recipient;
  outcome: Outcome;
}): Omit<ReportedRecipient, 'action'> {
  const { reply, text, remoteHost, status, at } = outcome;
  const diagnostic =
    reply !== undefined
      ? { type: 'smtp' as const, reply }
      : text !== undefined
        ? { type: 'x-posthorn', text }
        : undefined;
  return {
    finalRecipient: recipient.address,
    status,
    lastAttempt: at,
    ...(recipient.originalRecipient === undefined ? {} : { originalRecipient: recipient.originalRecipient }),
    ...(remoteHost === undefined ? {} : { remoteMta: remoteHost }),
    ...(diagnostic === undefined ? {} : { diagnostic }),
  };
}

/** The header of the message, and its body where the report gives it back (RFC 3461 §6.2). */
async function readOriginal(content: Content, envelope: Envelope, { action }: Notice): Promise<OriginalMessage> {
  const { size } = envelope;
  // What must be kept secret is not sent around without need, whatever RET says (RFC 8689 §5).
  const ret = envelope.requireTls ? 'HDRS' : envelope.ret;
  if (returnsFull({ actions: [action], size, ...(ret === undefined ? {} : { ret }) })) {
    const pieces: Buffer[] = [];
    for await (const piece of content.stream()) pieces.push(piece);
    const { header, body } = splitMessage(Buffer.concat(pieces));
    return { header, body };
  }
  const collector = new HeaderCollector();
  for await (const piece of content.stream()) if (collector.write(piece)) break;
  return { header: collector.header };
}
