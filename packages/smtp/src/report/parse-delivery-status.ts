import { parseDate } from '../message/date.ts';
import { type HeaderField, headerFields, splitMessage } from '../message/header.ts';
import { fallbackStatus } from '../reply/registry.ts';
import type { Status } from '../reply/reply.ts';
import type { Action, DeliveryReport, Diagnostic, ReportedRecipient } from './delivery-report.ts';
import { parseDiagnostic } from './diagnostic.ts';
import { parseFinalRecipient, parseOriginalRecipient } from './typed-address.ts';

type Fields = ReadonlyMap<string, HeaderField>;

/** A report of more recipients is no report but a flood. */
const mostRecipients = 10_000;

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
  const groups = [...readGroups(part)];
  const isRecipient = (group: Fields) => group.has('final-recipient') || group.has('original-recipient');
  const recipients = groups.filter(isRecipient).map(readRecipient);
  if (recipients.length === 0) return undefined;
  const message: Fields = groups.find((group) => !isRecipient(group)) ?? new Map();
  return {
    reportingMta: mtaName(text(message, 'reporting-mta') ?? ''),
    ...optional('envelopeId', text(message, 'original-envelope-id')),
    ...optional('receivedFromMta', receivedFrom(text(message, 'received-from-mta'))),
    ...optional('arrivalDate', date(message, 'arrival-date')),
    ...optional('deliverBy', date(message, 'deliver-by-date')),
    recipients,
  };
}

/** The first of a name counts. */
function* readGroups(part: Buffer): Generator<Fields> {
  for (let rest = part, count = 0; rest.length > 0 && count <= mostRecipients; count += 1) {
    const { header, body } = splitMessage(rest);
    const fields = new Map<string, HeaderField>();
    for (const field of headerFields(header)) if (!fields.has(field.name)) fields.set(field.name, field);
    if (fields.size > 0) yield fields;
    rest = body;
  }
}

function readRecipient(group: Fields): ReportedRecipient {
  const originalRecipient = text(group, 'original-recipient');
  const remoteMta = text(group, 'remote-mta');
  const remoteRecipient = text(group, 'smtp-remote-recipient');
  const diagnostic = readDiagnostic(group);
  const status = readStatus(group, diagnostic);
  return {
    finalRecipient: parseFinalRecipient(text(group, 'final-recipient') ?? (originalRecipient as string)),
    ...optional('originalRecipient', originalRecipient && parseOriginalRecipient(originalRecipient)),
    ...readOutcome(text(group, 'action'), status),
    ...optional('remoteMta', remoteMta && mtaName(remoteMta)),
    ...optional('diagnostic', diagnostic),
    ...optional('remoteRecipient', remoteRecipient && parseFinalRecipient(remoteRecipient)),
    ...optional('lastAttempt', date(group, 'last-attempt-date')),
    ...optional('willRetryUntil', date(group, 'will-retry-until')),
  };
}

function readDiagnostic(group: Fields): Diagnostic | undefined {
  const raw = group.get('diagnostic-code')?.raw.toString('utf8');
  return raw === undefined ? undefined : parseDiagnostic(raw.slice(raw.indexOf(':') + 1).trimEnd());
}

function readStatus(group: Fields, diagnostic: Diagnostic | undefined): Status | undefined {
  const match = /([245])\.(\d{1,3})\.(\d{1,3})(?!\d)/.exec(text(group, 'status') ?? '');
  if (match !== null) return `${match[1] as '2' | '4' | '5'}.${Number(match[2])}.${Number(match[3])}` as Status;
  if (diagnostic === undefined || !('reply' in diagnostic)) return undefined;
  const { code, status } = diagnostic.reply;
  return status ?? fallbackStatus(code);
}

/** Each of the two can be told from the other (RFC 3464 §2.3.3). */
function readOutcome(
  word: string | undefined,
  status: Status | undefined,
): Pick<ReportedRecipient, 'action' | 'status'> {
  const byStatus: Action = status?.startsWith('2') ? 'delivered' : status?.startsWith('4') ? 'delayed' : 'failed';
  const action = actions[word?.split(/[\s(;]/)[0]?.toLowerCase() ?? ''] ?? byStatus;
  const unknown: Status = action === 'failed' ? '5.0.0' : action === 'delayed' ? '4.0.0' : '2.0.0';
  return { action, status: status ?? unknown };
}

function text(group: Fields, name: string): string | undefined {
  return group.get(name)?.value || undefined;
}

function date(group: Fields, name: string): number | undefined {
  return parseDate(text(group, name) ?? '');
}

function mtaName(value: string): string {
  return value.slice(value.indexOf(';') + 1).trim();
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

/** A property that is there only when its value is. */
function optional<K extends string, V>(name: K, value: V | undefined | ''): { readonly [key in K]?: V } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { readonly [key in K]?: V });
}
