import { isAscii } from 'node:buffer';
import { formatLiteral } from '../address/domain.ts';
import { QuotedPrintableEncoder } from '../bytes/quoted-printable.ts';
import { formatAddrSpec } from '../message/addr-spec.ts';
import { answerSubject } from '../message/answer-subject.ts';
import { formatDate } from '../message/date.ts';
import { foldField } from '../message/fold.ts';
import { formatAddressField } from '../message/format-address-list.ts';
import { surveyOctets } from '../message/octet-survey.ts';
import type { FeedbackReport } from './feedback-report.ts';
import {
  type ComposedReport,
  composedReport,
  composeReport,
  type ReportPart,
  reportId,
  textPart,
} from './multipart-report.ts';
import { printable } from './printable.ts';
import { dateValue, field, mtaValue } from './recipient-fields.ts';
import type { ReportLetter } from './report-letter.ts';
import type { OriginalMessage } from './returned-content.ts';

/** What a feedback report is made of (RFC 5965 §2). */
export interface FeedbackFacts extends ReportLetter {
  readonly report: FeedbackReport;
}

const extensionName = /^[A-Za-z][A-Za-z0-9-]{0,60}$/;

/** Composes a feedback report, such as a complaint about spam (RFC 5965 §2, RFC 6591 §3). */
export function composeFeedbackReport(facts: FeedbackFacts): ComposedReport {
  const { report, from, to, original, text, now, offsetMinutes, random } = facts;
  const sender = formatAddressField('From', [from]);
  const recipients = formatAddressField('To', to);
  const { text: address } = formatAddrSpec(from.mailbox);
  const said = text ?? `This is a report of the kind "${printable(report.feedbackType)}" about a message.`;
  const content = composeReport({
    reportType: 'feedback-report',
    fields: [
      sender.text,
      recipients.text,
      answerSubject('FW:', original.header),
      foldField('Date', [formatDate(now, offsetMinutes)]),
      `Message-ID: ${reportId(address.slice(address.lastIndexOf('@') + 1), random)}\r\n`,
      'Auto-Submitted: auto-generated\r\n',
    ].join(''),
    parts: [
      textPart(`${said.replace(/\r\n?|\n/g, '\r\n')}\r\n`, 'ascii'),
      { mediaType: 'message/feedback-report', encoding: '7bit', body: Buffer.from(formatFields(report)) },
      originalPart(original),
    ],
    random,
  });
  return composedReport(content, sender.utf8 || recipients.utf8);
}

/** What must be there once comes first; every value is one line of printable ASCII (RFC 5965 §3). */
function formatFields(report: FeedbackReport): string {
  const { feedbackType, userAgent, originalEnvelopeId, originalMailFrom, arrivalDate, incidents } = report;
  return [
    field('Feedback-Type', printable(feedbackType)),
    field('User-Agent', printable(userAgent)),
    field('Version', '1'),
    field('Original-Envelope-Id', originalEnvelopeId && printable(originalEnvelopeId)),
    originalMailFrom === undefined ? '' : field('Original-Mail-From', `<${printable(originalMailFrom)}>`),
    field('Arrival-Date', dateValue(arrivalDate)),
    field('Reporting-MTA', report.reportingMta && mtaValue(report.reportingMta)),
    field('Source-IP', report.sourceIp && addressLiteral(report.sourceIp)),
    incidents === undefined ? '' : field('Incidents', String(incidents)),
    ...report.authenticationResults.map((value) => field('Authentication-Results', printable(value))),
    ...report.originalRcptTo.map((value) => field('Original-Rcpt-To', `<${printable(value)}>`)),
    ...report.reportedDomains.map((value) => field('Reported-Domain', printable(value))),
    ...report.reportedUris.map((value) => field('Reported-URI', printable(value))),
    ...report.extensions.map(({ name, value }) => (extensionName.test(name) ? field(name, printable(value)) : '')),
  ].join('');
}

/** As in an address literal, without its brackets (RFC 5965 §3.2, RFC 5321 §4.1.3). */
function addressLiteral(address: string): string {
  return printable(formatLiteral(address)).replace(/^\[|\]$/g, '');
}

/** All of the message, or where it has no form that goes as one, its header (RFC 5965 §2). */
function originalPart({ header, body }: OriginalMessage): ReportPart {
  const whole = body && Buffer.concat([header, Buffer.from('\r\n'), body]);
  if (whole !== undefined && isAscii(header) && !surveyOctets(whole).binary) {
    return { mediaType: 'message/rfc822', encoding: isAscii(whole) ? '7bit' : '8bit', body: whole };
  }
  const survey = surveyOctets(header);
  if (!survey.eightBit && !survey.binary) return { mediaType: 'text/rfc822-headers', encoding: '7bit', body: header };
  const encoder = new QuotedPrintableEncoder('text');
  const encoded = Buffer.concat([encoder.write(header), encoder.end()]);
  return { mediaType: 'text/rfc822-headers', encoding: 'quoted-printable', body: encoded };
}
