import { parseTimestamp } from '../bytes/timestamp.ts';
import type { Action, DeliveryReport } from './delivery-report.ts';
import { date, mtaName, optional, readStatusGroups, text } from './read-recipient-fields.ts';

const actions: Readonly<Record<string, Action>> = {
  failed: 'failed',
  failure: 'failed',
  delayed: 'delayed',
  delivered: 'delivered',
  relayed: 'relayed',
  expanded: 'expanded',
};

/**
 * Reads a message/delivery-status or message/global-delivery-status part: fields in any order, missing ones made up from
 * the others; undefined when no recipient is told of (RFC 3464 §2, RFC 6533 §4.1).
 */
export function parseDeliveryStatus(part: Buffer): DeliveryReport | undefined {
  const groups = readStatusGroups(part, actions);
  if (groups === undefined) return undefined;
  const { message, recipients } = groups;
  return {
    reportingMta: mtaName(text(message, 'reporting-mta') ?? ''),
    ...optional('envelopeId', text(message, 'original-envelope-id')),
    ...optional('receivedFromMta', receivedFrom(text(message, 'received-from-mta'))),
    ...optional('arrivalDate', date(message, 'arrival-date')),
    ...optional('deliverBy', date(message, 'deliver-by-date')),
    ...optional('futureRelease', hold(text(message, 'future-release-request'))),
    recipients,
  };
}

function receivedFrom(value: string | undefined): DeliveryReport['receivedFromMta'] {
  if (value === undefined) return undefined;
  const whole = mtaName(value);
  const open = whole.indexOf('(');
  if (open < 0) return { name: whole };
  const address = whole
    .slice(open + 1)
    .replace(/\).*$/s, '')
    .trim();
  return { name: whole.slice(0, open).trim(), ...optional('address', address || undefined) };
}

function hold(value: string | undefined): DeliveryReport['futureRelease'] {
  const [, kind = '', amount = ''] = /^(for|until)[ \t]*;[ \t]*([!-~]{1,40})$/i.exec(value ?? '') ?? [];
  if (kind.toLowerCase() === 'for') return /^\d{1,9}$/.test(amount) ? { for: Number(amount) } : undefined;
  const until = parseTimestamp(amount);
  return until === undefined ? undefined : { until };
}
