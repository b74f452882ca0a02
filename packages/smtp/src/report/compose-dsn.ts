import { isAscii } from 'node:buffer';
import { parseMailbox } from '../address/parse-mailbox.ts';
import { QuotedPrintableEncoder } from '../bytes/quoted-printable.ts';
import { formatAddrSpec } from '../message/addr-spec.ts';
import { formatDate } from '../message/date.ts';
import { fieldValue } from '../message/header.ts';
import type { DeliveryReport } from './delivery-report.ts';
import { explain, reportSubject } from './explanation.ts';
import { formatDeliveryStatus } from './format-delivery-status.ts';
import { printable, printableUtf8 } from './printable.ts';
import { type OriginalMessage, type ReturnedPart, returnedPart } from './returned-content.ts';
import type { ReportForm } from './typed-address.ts';

/** What a report is made of. */
export interface DsnFacts {
  readonly report: DeliveryReport;
  /** Whom it goes to: the sender of the message, `local@domain`. */
  readonly reversePath: string;
  /** What goes back of the message; nothing when absent. Whether its body does is decided by `returnsFull`. */
  readonly original?: OriginalMessage;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The zone of this host, minutes east of UTC; default 0. */
  readonly offsetMinutes?: number;
  /** Octets of chance. */
  readonly random: (octets: number) => Buffer;
  /** Address in From; default `MAILER-DAEMON` of the reporting host. A person should read what is sent to it. */
  readonly from?: string;
  /** Address of a person for help; default `postmaster` of the reporting host. */
  readonly postmaster?: string;
}

/** A report, ready for the queue; its envelope has the null reverse-path (RFC 3461 §6.1). */
export interface Dsn {
  readonly content: Buffer;
  /** Whether it needs SMTPUTF8. */
  readonly smtputf8: boolean;
  readonly body: '7BIT' | '8BITMIME';
}

/** Composes a delivery status notification (RFC 3464 §2, RFC 6522 §3, RFC 6533 §4). */
export function composeDsn(facts: DsnFacts): Dsn {
  const to = recipientField(facts.reversePath);
  // Only a sender whose address is UTF-8 can be trusted to read a message that is.
  const form: ReportForm = to.utf8 ? 'utf8' : 'ascii';
  const boundary = `=_${facts.random(16).toString('hex')}`;
  const returned = facts.original && returnedPart(facts.original, form);
  const parts = [
    explanationPart(facts, returned, form),
    statusPart(facts.report, form),
    ...(returned ? [part(returned)] : []),
  ];
  const delimiter = Buffer.from(`\r\n--${boundary}\r\n`);
  const content = Buffer.concat([
    Buffer.from(header(facts, to.text, boundary)),
    ...parts.flatMap((each) => [delimiter, each]),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { content, smtputf8: to.utf8, body: isAscii(content) ? '7BIT' : '8BITMIME' };
}

function recipientField(reversePath: string): { readonly text: string; readonly utf8: boolean } {
  const mailbox = parseMailbox(reversePath, { utf8: true });
  return mailbox === undefined ? { text: printable(reversePath), utf8: false } : formatAddrSpec(mailbox);
}

function header(facts: DsnFacts, to: string, boundary: string): string {
  const { report, original, now, offsetMinutes, random } = facts;
  const host = printable(report.reportingMta);
  const messageId = original && fieldValue(original.header, 'message-id');
  // A reply is joined to its message only by an identifier that is one.
  const thread = messageId !== undefined && /^<[!-;=?-~]{1,250}>$/.test(messageId) ? messageId : undefined;
  return [
    `From: Mail Delivery System <${facts.from ?? `MAILER-DAEMON@${host}`}>`,
    `To: <${to}>`,
    `Subject: ${reportSubject(report)}`,
    `Date: ${formatDate(now, offsetMinutes)}`,
    `Message-ID: <${random(16).toString('hex')}@${host}>`,
    ...(thread === undefined ? [] : [`In-Reply-To: ${thread}`, `References: ${thread}`]),
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`,
    '',
    'This is a report about a message, in MIME format.',
  ].join('\r\n');
}

function explanationPart(facts: DsnFacts, returned: ReturnedPart | undefined, form: ReportForm): Buffer {
  const { report, postmaster } = facts;
  const text = explain({
    report,
    postmaster: printableUtf8(postmaster ?? `postmaster@${report.reportingMta}`),
    returned: returned === undefined ? 'none' : returned.mediaType.endsWith('headers') ? 'headers' : 'message',
  });
  const octets = Buffer.from(text);
  if (isAscii(octets)) return part({ mediaType: 'text/plain; charset=us-ascii', encoding: '7bit', body: octets });
  if (form === 'utf8') return part({ mediaType: 'text/plain; charset=utf-8', encoding: '8bit', body: octets });
  const encoder = new QuotedPrintableEncoder('text');
  const body = Buffer.concat([encoder.write(octets), encoder.end()]);
  return part({ mediaType: 'text/plain; charset=utf-8', encoding: 'quoted-printable', body });
}

/** Fields that are ASCII all the same go as the older type, that more readers know (RFC 6533 §4.4). */
function statusPart(report: DeliveryReport, form: ReportForm): Buffer {
  const body = Buffer.from(formatDeliveryStatus(report, form));
  return isAscii(body)
    ? part({ mediaType: 'message/delivery-status', encoding: '7bit', body })
    : part({ mediaType: 'message/global-delivery-status', encoding: '8bit', body });
}

function part({ mediaType, encoding, body }: { mediaType: string; encoding: string; body: Buffer }): Buffer {
  const fields = `Content-Type: ${mediaType}\r\n${encoding === '7bit' ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`}\r\n`;
  return Buffer.concat([Buffer.from(fields), body]);
}
