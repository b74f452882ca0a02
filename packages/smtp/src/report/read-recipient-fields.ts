import { parseDate } from '../message/date.ts';
import { type HeaderField, headerFields, splitMessage } from '../message/header.ts';
import { fallbackStatus } from '../reply/registry.ts';
import type { Status } from '../reply/reply.ts';
import type { Diagnostic, ReportedRecipient } from './delivery-report.ts';
import { parseDiagnostic } from './diagnostic.ts';
import { parseFinalRecipient, parseOriginalRecipient } from './typed-address.ts';

/** The fields of one group, by name in lower case. */
export type Fields = ReadonlyMap<string, HeaderField>;

/** What a status alone says that was done. */
type SureAction = 'failed' | 'delayed' | 'delivered';

/** A report of more recipients is no report but a flood. */
const mostRecipients = 10_000;

/** The groups of fields of a report, each behind an empty line; the first of a name counts (RFC 3464 §2.1). */
export function* readGroups(part: Buffer): Generator<Fields> {
  for (let rest = part, count = 0; rest.length > 0 && count <= mostRecipients; count += 1) {
    const { header, body } = splitMessage(rest);
    const fields = new Map<string, HeaderField>();
    for (const field of headerFields(header)) if (!fields.has(field.name)) fields.set(field.name, field);
    if (fields.size > 0) yield fields;
    rest = body;
  }
}

/** What a report has to say: of the message, and of each recipient. */
interface StatusGroups<A extends string> {
  readonly message: Fields;
  readonly recipients: ReportedRecipient<A | SureAction>[];
}

/**
 * Reads all groups of a report; undefined when no recipient is told of. `actions` are the words of the Action field and what
 * each means (RFC 3464 §2.1, RFC 3886 §3.1).
 */
export function readStatusGroups<A extends string>(
  part: Buffer,
  actions: Readonly<Record<string, A>>,
): StatusGroups<A> | undefined {
  const groups = [...readGroups(part)];
  const recipients = groups.filter(isRecipientGroup).map((group) => readRecipientFields(group, actions));
  if (recipients.length === 0) return undefined;
  return { message: groups.find((group) => !isRecipientGroup(group)) ?? new Map(), recipients };
}

/** Whether a group is about one recipient, not about the message (RFC 3464 §2.3). */
function isRecipientGroup(group: Fields): boolean {
  return group.has('final-recipient') || group.has('original-recipient');
}

/** Reads the fields of one recipient; `actions` are the words of the Action field and what each means (RFC 3464 §2.3, RFC 3886 §3.3). */
function readRecipientFields<A extends string>(
  group: Fields,
  actions: Readonly<Record<string, A>>,
): ReportedRecipient<A | SureAction> {
  const originalRecipient = text(group, 'original-recipient');
  const remoteMta = text(group, 'remote-mta');
  const remoteRecipient = text(group, 'smtp-remote-recipient');
  const diagnostic = readDiagnostic(group);
  const status = readStatus(group, diagnostic);
  const word = actionWord(group);
  return {
    finalRecipient: parseFinalRecipient(text(group, 'final-recipient') ?? (originalRecipient as string)),
    ...optional('originalRecipient', originalRecipient && parseOriginalRecipient(originalRecipient)),
    ...readOutcome(Object.hasOwn(actions, word) ? actions[word] : undefined, status),
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

function actionWord(group: Fields): string {
  return (
    text(group, 'action')
      ?.split(/[\s(;]/)[0]
      ?.toLowerCase() ?? ''
  );
}

/** Each of the two can be told from the other (RFC 3464 §2.3.3). */
function readOutcome<A extends string>(
  word: A | undefined,
  status: Status | undefined,
): Pick<ReportedRecipient<A | SureAction>, 'action' | 'status'> {
  const byStatus: SureAction = status?.startsWith('2') ? 'delivered' : status?.startsWith('4') ? 'delayed' : 'failed';
  const action = word ?? byStatus;
  const unknown: Status = action === 'failed' ? '5.0.0' : action === 'delayed' ? '4.0.0' : '2.0.0';
  return { action, status: status ?? unknown };
}

/** The value of a field; undefined when it is empty or not there. */
export function text(group: Fields, name: string): string | undefined {
  return group.get(name)?.value || undefined;
}

/** The instant of a date field, in milliseconds since the epoch. */
export function date(group: Fields, name: string): number | undefined {
  return parseDate(text(group, name) ?? '');
}

/** The name behind the type of an MTA (RFC 3464 §2.1.2). */
export function mtaName(value: string): string {
  return value.slice(value.indexOf(';') + 1).trim();
}

/** A property that is there only when its value is. */
export function optional<K extends string, V>(name: K, value: V | undefined | ''): { readonly [key in K]?: V } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { readonly [key in K]?: V });
}
