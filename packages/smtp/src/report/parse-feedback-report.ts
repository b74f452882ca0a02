import { parseLiteral } from '../address/domain.ts';
import { parseDate } from '../message/date.ts';
import { headerFields } from '../message/header.ts';
import type { FeedbackReport } from './feedback-report.ts';
import { mtaName, optional } from './read-recipient-fields.ts';
import { type ReadReport, readReport } from './read-report.ts';

/** A feedback report, read (RFC 5965 §2). */
export interface ReadFeedback extends Omit<ReadReport, 'fields' | 'original'> {
  readonly report: FeedbackReport;
  readonly original: NonNullable<ReadReport['original']>;
}

/** Fields that are there once at most; the first three must be (RFC 5965 §3.1, RFC 5965 §3.2). */
const required = ['feedback-type', 'user-agent', 'version'];
const single: ReadonlySet<string> = new Set([
  ...required,
  'original-envelope-id',
  'original-mail-from',
  'arrival-date',
  'received-date',
  'reporting-mta',
  'source-ip',
  'incidents',
]);
const repeated: ReadonlySet<string> = new Set([
  'authentication-results',
  'original-rcpt-to',
  'reported-domain',
  'reported-uri',
]);
/** Fields of one report: more are a flood. */
const mostFields = 10_000;

/** Reads a feedback report; undefined when the message is none, or a malformed one (RFC 5965 §2, RFC 5965 §4). */
export function parseFeedbackReport(message: Buffer): ReadFeedback | undefined {
  const read = readReport(message, ['message/feedback-report']);
  const report = read && parseFields(read.fields);
  if (read?.original === undefined || report === undefined) return undefined;
  const { fields: _, original, ...rest } = read;
  return { report, original, ...rest };
}

class Fields {
  readonly values = new Map<string, string[]>();
  readonly extensions: { readonly name: string; readonly value: string }[] = [];

  constructor(part: Buffer) {
    let count = 0;
    for (const { name, value, raw } of headerFields(part)) {
      count += 1;
      if (name === '' || count > mostFields) continue;
      const spelling = raw.toString('latin1', 0, name.length);
      if (!single.has(name) && !repeated.has(name)) this.extensions.push({ name: spelling, value });
      else this.values.set(name, [...(this.values.get(name) ?? []), value]);
    }
  }

  all(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  one(name: string): string | undefined {
    return this.values.get(name)?.[0];
  }
}

function parseFields(part: Buffer): FeedbackReport | undefined {
  const fields = new Fields(part);
  const isDoubled = [...single].some((name) => fields.all(name).length > 1);
  const isTwiceDated = fields.one('arrival-date') !== undefined && fields.one('received-date') !== undefined;
  if (isDoubled || isTwiceDated || !required.every((name) => plain(fields.one(name)) !== '')) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(plain(fields.one('version')))) return undefined;
  const mailFrom = fields.one('original-mail-from');
  const mta = fields.one('reporting-mta');
  const incidents = plain(fields.one('incidents'));
  return {
    feedbackType: plain(fields.one('feedback-type')).toLowerCase(),
    userAgent: fields.one('user-agent') ?? '',
    ...optional('originalEnvelopeId', fields.one('original-envelope-id')),
    ...(mailFrom === undefined ? {} : { originalMailFrom: withoutBrackets(mailFrom) }),
    ...optional('arrivalDate', parseDate(fields.one('arrival-date') ?? fields.one('received-date') ?? '')),
    ...optional('reportingMta', mta && mtaName(mta)),
    ...optional('sourceIp', address(plain(fields.one('source-ip')))),
    ...(/^\d{1,10}$/.test(incidents) ? { incidents: Number(incidents) } : {}),
    authenticationResults: fields.all('authentication-results'),
    originalRcptTo: fields.all('original-rcpt-to').map(withoutBrackets),
    reportedDomains: fields.all('reported-domain').map(plain),
    reportedUris: fields.all('reported-uri'),
    extensions: fields.extensions,
  };
}

/** A word, without the comments around it. */
function plain(value: string | undefined): string {
  return (value ?? '').replace(/\([^()]*\)/g, '').trim();
}

function withoutBrackets(path: string): string {
  return path.trim().replace(/^<|>$/g, '');
}

function address(text: string): string | undefined {
  const literal = parseLiteral(text.startsWith('[') ? text : `[${text}]`) ?? parseLiteral(`[IPv6:${text}]`);
  return literal !== undefined && 'address' in literal ? literal.address : undefined;
}
