import type { Status } from '../reply/reply.ts';
import { printable } from './printable.ts';
import { dateValue, field, formatRecipientFields, mtaValue } from './recipient-fields.ts';
import type { TrackedRecipient, TrackingReport } from './tracking-report.ts';

/**
 * Composes the answer to a tracking request: a MIME entity of one part for each report, of ASCII lines that end in CRLF.
 * `boundary` must be none that a line may begin with (RFC 3886 §3, RFC 2387 §3.1).
 */
export function composeTrackingStatus(reports: readonly TrackingReport[], boundary: string): string {
  const parts = reports.map(
    (report) => `--${boundary}\r\nContent-Type: message/tracking-status\r\n\r\n${formatTrackingStatus(report)}\r\n`,
  );
  const head = `Content-Type: multipart/related; boundary="${boundary}";\r\n type="message/tracking-status"\r\n`;
  return `${head}\r\n${parts.join('')}--${boundary}--\r\n`;
}

function formatTrackingStatus({ envelopeId, reportingMta, arrivalDate, recipients }: TrackingReport): string {
  const message =
    field('Original-Envelope-Id', printable(envelopeId)) +
    field('Reporting-MTA', mtaValue(reportingMta)) +
    field('Arrival-Date', dateValue(arrivalDate));
  return [message, ...recipients.map((each) => formatRecipientFields(allowed(each), 'ascii'))].join('\r\n');
}

/** Only what the action allows is told, and what it requires (RFC 3886 §3.3). */
function allowed(recipient: TrackedRecipient): TrackedRecipient {
  const { finalRecipient, action, status, remoteMta, lastAttempt, willRetryUntil } = recipient;
  const attempted = action !== 'opaque' && lastAttempt !== undefined;
  return {
    finalRecipient,
    originalRecipient: recipient.originalRecipient ?? typed(finalRecipient),
    action,
    status: statusOf(action, status),
    ...(attempted ? { lastAttempt } : {}),
    ...(attempted && remoteMta !== undefined ? { remoteMta } : {}),
    ...(action === 'delayed' && willRetryUntil !== undefined ? { willRetryUntil } : {}),
  };
}

/** An address that came without ORCPT is what its sender wrote (RFC 3886 §3.3.1). */
function typed(address: string): string {
  if (/^[a-z0-9-]+;/i.test(address)) return address;
  return `${/^[ -~]*$/.test(address) ? 'rfc822' : 'utf-8'};${address}`;
}

/** 2.1.9 and `relayed` go together (RFC 3886 §3.3.4). */
function statusOf(action: TrackedRecipient['action'], status: Status): Status {
  if (action === 'relayed') return '2.1.9';
  return status === '2.1.9' ? '2.1.5' : status;
}
