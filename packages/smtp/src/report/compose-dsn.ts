import { parseMailbox } from '../address/parse-mailbox.ts';
import { formatAddrSpec } from '../message/addr-spec.ts';
import { formatDate } from '../message/date.ts';
import { threadFieldsOf } from '../message/thread.ts';
import type { DeliveryReport } from './delivery-report.ts';
import { explain, reportSubject } from './explanation.ts';
import { formatDeliveryStatus } from './format-delivery-status.ts';
import {
  type ComposedReport,
  composedReport,
  composeReport,
  fieldsPart,
  type ReportPart,
  reportId,
  textPart,
} from './multipart-report.ts';
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

/** Composes a delivery status notification; its envelope has the null reverse-path (RFC 3464 §2, RFC 3461 §6.1, RFC 6533 §4). */
export function composeDsn(facts: DsnFacts): ComposedReport {
  const { report, original, random } = facts;
  const to = recipientField(facts.reversePath);
  // Only a sender whose address is UTF-8 can be trusted to read a message that is.
  const form: ReportForm = to.utf8 ? 'utf8' : 'ascii';
  const returned = original && returnedPart(original, form);
  const content = composeReport({
    reportType: 'delivery-status',
    fields: headerFields(facts, to.text),
    parts: [
      explanationPart(facts, returned, form),
      fieldsPart('delivery-status', formatDeliveryStatus(report, form)),
      ...(returned ? [returned] : []),
    ],
    random,
  });
  return composedReport(content, to.utf8);
}

function recipientField(reversePath: string): { readonly text: string; readonly utf8: boolean } {
  const mailbox = parseMailbox(reversePath, { utf8: true });
  return mailbox === undefined ? { text: printable(reversePath), utf8: false } : formatAddrSpec(mailbox);
}

function headerFields({ report, original, now, offsetMinutes, random, from }: DsnFacts, to: string): string {
  const host = printable(report.reportingMta);
  return [
    `From: Mail Delivery System <${from ?? `MAILER-DAEMON@${host}`}>\r\n`,
    `To: <${to}>\r\n`,
    `Subject: ${reportSubject(report)}\r\n`,
    `Date: ${formatDate(now, offsetMinutes)}\r\n`,
    `Message-ID: ${reportId(host, random)}\r\n`,
    original === undefined ? '' : threadFieldsOf(original.header),
    'Auto-Submitted: auto-replied\r\n',
  ].join('');
}

function explanationPart(
  { report, postmaster }: DsnFacts,
  returned: ReturnedPart | undefined,
  form: ReportForm,
): ReportPart {
  const text = explain({
    report,
    postmaster: printableUtf8(postmaster ?? `postmaster@${report.reportingMta}`),
    returned: returned === undefined ? 'none' : returned.mediaType.endsWith('headers') ? 'headers' : 'message',
  });
  return textPart(text, form);
}
