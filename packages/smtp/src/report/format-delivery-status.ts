import { formatTimestamp } from '../bytes/timestamp.ts';
import type { DeliveryReport } from './delivery-report.ts';
import { printable } from './printable.ts';
import { dateValue, field, formatRecipientFields, mtaValue } from './recipient-fields.ts';
import type { ReportForm } from './typed-address.ts';

/** Writes a message/delivery-status part, or with `utf8` a message/global-delivery-status part (RFC 3464 §2, RFC 6533 §4.1). */
export function formatDeliveryStatus(report: DeliveryReport, form: ReportForm): string {
  const groups = report.recipients.map((recipient) => formatRecipientFields(recipient, form));
  return [perMessage(report), ...groups].join('\r\n');
}

function perMessage(report: DeliveryReport): string {
  const { envelopeId, reportingMta, receivedFromMta, arrivalDate, deliverBy, futureRelease } = report;
  return (
    field('Original-Envelope-Id', envelopeId && printable(envelopeId)) +
    field('Reporting-MTA', mtaValue(reportingMta)) +
    field('Received-From-MTA', receivedFromMta && receivedFrom(receivedFromMta)) +
    field('Arrival-Date', dateValue(arrivalDate)) +
    field('Deliver-By-Date', dateValue(deliverBy)) +
    field('Future-Release-Request', futureRelease && holdValue(futureRelease))
  );
}

function holdValue(hold: NonNullable<DeliveryReport['futureRelease']>): string | undefined {
  if ('for' in hold) return `for;${hold.for}`;
  const until = formatTimestamp(hold.until);
  return until && `until;${until}`;
}

function receivedFrom({ name, address }: { readonly name: string; readonly address?: string }): string {
  return `dns; ${printable(name)}${address === undefined ? '' : ` (${printable(address)})`}`;
}
