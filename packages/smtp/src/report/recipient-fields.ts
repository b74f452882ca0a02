import { isDomain } from '../address/domain.ts';
import { formatDate } from '../message/date.ts';
import { longestLine } from '../message/octet-survey.ts';
import type { ReportedRecipient } from './delivery-report.ts';
import { formatDiagnostic } from './diagnostic.ts';
import { printable } from './printable.ts';
import { formatFinalRecipient, formatOriginalRecipient, type ReportForm } from './typed-address.ts';

/** Writes the fields of one recipient (RFC 3464 §2.3, RFC 3886 §3.3). */
export function formatRecipientFields(recipient: ReportedRecipient<string>, form: ReportForm): string {
  const { originalRecipient, remoteMta, remoteRecipient, diagnostic, action, lastAttempt, willRetryUntil } = recipient;
  return (
    field('Original-Recipient', originalRecipient && formatOriginalRecipient(originalRecipient, form)) +
    field('Final-Recipient', formatFinalRecipient(recipient.finalRecipient, form)) +
    field('Action', action) +
    field('Status', recipient.status) +
    field('Remote-MTA', remoteMta && `dns; ${printable(remoteMta)}`) +
    field('Diagnostic-Code', diagnostic && formatDiagnostic(diagnostic)) +
    field('Last-Attempt-Date', dateValue(lastAttempt)) +
    field('Will-Retry-Until', action === 'delayed' ? dateValue(willRetryUntil) : undefined) +
    field('SMTP-Remote-Recipient', remoteRecipient && formatFinalRecipient(remoteRecipient, form))
  );
}

/**
 * Writes one field, or nothing without a value.
 *
 * Deviates: a field that would be longer than a line may be is left out. Only the ASCII form of an ORCPT of hundreds of
 * foreign letters is, and a fold inside of an address would change it (RFC 5322 §2.1.1).
 */
export function field(name: string, value: string | undefined): string {
  if (value === undefined || value === '') return '';
  const text = `${name}: ${value}`;
  return text.length > longestLine && text.split('\r\n').some((line) => line.length > longestLine) ? '' : `${text}\r\n`;
}

/** The value of a date field; undefined without an instant. */
export function dateValue(instant: number | undefined): string | undefined {
  return instant === undefined ? undefined : formatDate(instant);
}

/** The value of Reporting-MTA; a name that DNS cannot know is not said to be of DNS (RFC 3461 §6.3). */
export function mtaValue(name: string): string {
  return `${isDomain(name) && name.includes('.') ? 'dns' : 'x-local-hostname'}; ${printable(name)}`;
}
