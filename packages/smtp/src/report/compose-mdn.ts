import { formatAddrSpec } from '../message/addr-spec.ts';
import type { NamedMailbox } from '../message/address-list.ts';
import { formatDate } from '../message/date.ts';
import { foldField } from '../message/fold.ts';
import { formatAddressField } from '../message/format-address-list.ts';
import { messageIdOf, threadFieldsOf } from '../message/thread.ts';
import { formatDisposition } from './disposition.ts';
import type { DispositionReport } from './disposition-report.ts';
import {
  type ComposedReport,
  composedReport,
  composeReport,
  fieldsPart,
  reportId,
  textPart,
} from './multipart-report.ts';
import { printable, printableUtf8 } from './printable.ts';
import { field } from './recipient-fields.ts';
import type { ReportLetter } from './report-letter.ts';
import { returnedPart } from './returned-content.ts';
import { formatFinalRecipient, formatOriginalRecipient, type ReportForm } from './typed-address.ts';

/** What a message disposition notification is made of. */
export interface MdnFacts extends ReportLetter {
  /** What it tells; the identifier of the message is taken from `original`. */
  readonly report: Omit<DispositionReport, 'originalMessageId'>;
  /** Who asked for it: all addresses of Disposition-Notification-To (RFC 8098 §3). */
  readonly to: readonly NamedMailbox[];
}

const sentences: Readonly<Record<string, string>> = {
  displayed: 'was displayed. This does not say that it was read or understood.',
  dispatched: 'was sent on, printed or handled in another way, perhaps without being displayed.',
  processed: 'was processed by a program, without being displayed.',
  deleted: 'was deleted. It may or may not have been seen.',
};

/**
 * Composes a message disposition notification; its envelope has the null reverse-path, and goes to all of `to`. Ask
 * `whyNoMdn` before: most messages must get none (RFC 8098 §3, RFC 6533 §5).
 */
export function composeMdn({ report, from, to, original, text, now, offsetMinutes, random }: MdnFacts): ComposedReport {
  const sender = formatAddressField('From', [from]);
  const recipients = formatAddressField('To', to);
  const form: ReportForm = recipients.utf8 ? 'utf8' : 'ascii';
  const done = sentences[report.disposition.type] ?? `was handled: ${printable(report.disposition.type)}.`;
  const sentence = `Your message to ${printableUtf8(report.finalRecipient)}\r\n${done}\r\n`;
  const { text: address } = formatAddrSpec(from.mailbox);
  const content = composeReport({
    reportType: 'disposition-notification',
    fields: [
      sender.text,
      recipients.text,
      foldField('Subject', ['Disposition', 'notification']),
      foldField('Date', [formatDate(now, offsetMinutes)]),
      `Message-ID: ${reportId(address.slice(address.lastIndexOf('@') + 1), random)}\r\n`,
      threadFieldsOf(original.header),
      'Auto-Submitted: auto-replied\r\n',
    ].join(''),
    parts: [
      textPart(text === undefined ? sentence : `${text.replace(/\r\n?|\n/g, '\r\n')}\r\n`, form),
      fieldsPart('disposition-notification', formatFields(report, messageIdOf(original.header), form)),
      returnedPart(original, form),
    ],
    random,
  });
  return composedReport(content, sender.utf8 || recipients.utf8);
}

function formatFields(report: MdnFacts['report'], messageId: string | undefined, form: ReportForm): string {
  const { reportingUa, gateway, originalRecipient, finalRecipient, disposition, errors } = report;
  const words = form === 'utf8' ? printableUtf8 : printable;
  return [
    field('Reporting-UA', reportingUa && printable(reportingUa)),
    field('MDN-Gateway', gateway && `dns; ${printable(gateway)}`),
    field('Original-Recipient', originalRecipient && formatOriginalRecipient(originalRecipient, form)),
    field('Final-Recipient', formatFinalRecipient(finalRecipient, form)),
    field('Original-Message-ID', messageId),
    field('Disposition', formatDisposition(disposition)),
    ...errors.map((error) => field('Error', words(error))),
  ].join('');
}
