import type { NamedMailbox } from '../message/address-list.ts';
import { formatDate } from '../message/date.ts';
import { foldField } from '../message/fold.ts';
import { formatAddressField } from '../message/format-address-list.ts';
import { type ComposedReport, composedReport, composeReport, reportId, textPart } from './multipart-report.ts';
import { printable } from './printable.ts';
import type { TlsReport } from './tls-report.ts';

/** What the mail with a report is made of (RFC 8460 §5.3). */
export interface TlsReportMail {
  readonly report: Pick<TlsReport, 'id' | 'begin' | 'end'>;
  /** The domain that it is about. */
  readonly domain: string;
  /** The report as JSON, compressed (RFC 1952). */
  readonly compressed: Buffer;
  /** The contact of the report. */
  readonly from: NamedMailbox;
  readonly to: readonly NamedMailbox[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Octets of chance. */
  readonly random: (octets: number) => Buffer;
}

/** The name of the file that a report is (RFC 8460 §5.1). */
function tlsReportName(report: Pick<TlsReport, 'id' | 'begin' | 'end'>, submitter: string, domain: string): string {
  const seconds = [report.begin, report.end].map((time) => Math.floor(time / 1000));
  return `${[submitter, domain, ...seconds, report.id.replace(/[^\w.-]/g, '_')].join('!')}.json.gz`;
}

/** Composes the mail with a report on TLS (RFC 8460 §5.3). */
export function composeTlsReport(mail: TlsReportMail): ComposedReport {
  const { report, domain, compressed, from, to, now, random } = mail;
  const submitter = from.mailbox.domain;
  const sender = formatAddressField('From', [from]);
  const recipients = formatAddressField('To', to);
  const words = ['Report', 'Domain:', domain, 'Submitter:', submitter, 'Report-ID:', `<${printable(report.id)}>`];
  const day = new Date(report.begin).toISOString().slice(0, 10);
  const content = composeReport({
    reportType: '"tlsrpt"',
    fields: [
      sender.text,
      recipients.text,
      foldField('Subject', words),
      foldField('Date', [formatDate(now, 0)]),
      `Message-ID: ${reportId(submitter, random)}\r\n`,
      `TLS-Report-Domain: ${domain}\r\n`,
      `TLS-Report-Submitter: ${submitter}\r\n`,
      // It must come through just when TLS is broken (RFC 8460 §3, RFC 8689 §3).
      'TLS-Required: No\r\n',
      'Auto-Submitted: auto-generated\r\n',
    ].join(''),
    parts: [
      textPart(`This is a report about TLS with the mail hosts of ${domain} on ${day}.\r\n`, 'ascii'),
      {
        mediaType: 'application/tlsrpt+gzip',
        encoding: 'base64',
        fileName: tlsReportName(report, submitter, domain),
        body: Buffer.from(compressed.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n')),
      },
    ],
    random,
  });
  return composedReport(content, sender.utf8 || recipients.utf8);
}
