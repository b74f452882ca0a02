import { isDomain } from '../address/domain.ts';
import { formatDate } from '../message/date.ts';
import { longestLine } from '../message/octet-survey.ts';
import type { DeliveryReport, ReportedRecipient } from './delivery-report.ts';
import { formatDiagnostic } from './diagnostic.ts';
import { printable } from './printable.ts';
import { formatFinalRecipient, formatOriginalRecipient, type ReportForm } from './typed-address.ts';

/** Writes a message/delivery-status part, or with `utf8` a message/global-delivery-status part (RFC 3464 §2, RFC 6533 §4.1). */
export function formatDeliveryStatus(report: DeliveryReport, form: ReportForm): string {
  return [perMessage(report), ...report.recipients.map((recipient) => perRecipient(recipient, form))].join('\r\n');
}

function perMessage({ envelopeId, reportingMta, receivedFromMta, arrivalDate, deliverBy }: DeliveryReport): string {
  return (
    field('Original-Envelope-Id', envelopeId && printable(envelopeId)) +
    field('Reporting-MTA', mtaName(reportingMta)) +
    field('Received-From-MTA', receivedFromMta && receivedFrom(receivedFromMta)) +
    field('Arrival-Date', date(arrivalDate)) +
    field('Deliver-By-Date', date(deliverBy))
  );
}

function perRecipient(recipient: ReportedRecipient, form: ReportForm): string {
  const { originalRecipient, remoteMta, remoteRecipient, diagnostic, action, lastAttempt, willRetryUntil } = recipient;
  return (
    field('Original-Recipient', originalRecipient && formatOriginalRecipient(originalRecipient, form)) +
    field('Final-Recipient', formatFinalRecipient(recipient.finalRecipient, form)) +
    field('Action', action) +
    field('Status', recipient.status) +
    field('Remote-MTA', remoteMta && `dns; ${printable(remoteMta)}`) +
    field('Diagnostic-Code', diagnostic && formatDiagnostic(diagnostic)) +
    field('Last-Attempt-Date', date(lastAttempt)) +
    field('Will-Retry-Until', action === 'delayed' ? date(willRetryUntil) : undefined) +
    field('SMTP-Remote-Recipient', remoteRecipient && formatFinalRecipient(remoteRecipient, form))
  );
}

/**
 * Deviates: a field that would be longer than a line may be is left out. Only the ASCII form of an ORCPT of hundreds of
 * foreign letters is, and a fold inside of an address would change it (RFC 5322 §2.1.1).
 */
function field(name: string, value: string | undefined): string {
  if (value === undefined || value === '') return '';
  const text = `${name}: ${value}`;
  return text.length > longestLine && text.split('\r\n').some((line) => line.length > longestLine) ? '' : `${text}\r\n`;
}

function date(instant: number | undefined): string | undefined {
  return instant === undefined ? undefined : formatDate(instant);
}

/** A name that DNS cannot know is not said to be of DNS (RFC 3461 §6.3). */
function mtaName(name: string): string {
  return `${isDomain(name) && name.includes('.') ? 'dns' : 'x-local-hostname'}; ${printable(name)}`;
}

function receivedFrom({ name, address }: { readonly name: string; readonly address?: string }): string {
  return `dns; ${printable(name)}${address === undefined ? '' : ` (${printable(address)})`}`;
}
