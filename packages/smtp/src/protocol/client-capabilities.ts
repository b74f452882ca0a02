import { parseTimestamp } from '../bytes/timestamp.ts';
import { isPriorityPolicy } from '../command/priority-policy.ts';
import { parseSolicitation } from '../command/solicitation.ts';
import type { Reply } from '../reply/reply.ts';

/** How much a host takes before it wants a new transaction or connection (RFC 9422 §4). */
export interface Limits {
  /** MAIL commands of a session. */
  readonly mailMax?: number;
  /** RCPT commands of a transaction. */
  readonly rcptMax?: number;
  /** Different recipient domains of a session. */
  readonly rcptDomainMax?: number;
}

/** What a host said it can do (RFC 5321 §4.1.1.1). */
export interface Capabilities {
  /** The name it gave itself: the first word of the reply. */
  readonly host: string;
  /** EHLO keywords in upper case. */
  readonly offered: ReadonlySet<string>;
  /** Octets of the largest message; undefined: no limit is told (RFC 1870 §4). */
  readonly size?: number;
  /** SASL mechanisms in upper case, in the host's order (RFC 4954 §3). */
  readonly mechanisms: readonly string[];
  readonly limits: Limits;
  /** Seconds that BY has to give at least in mode R; absent: it is not told, or DELIVERBY is not offered (RFC 2852 §3). */
  readonly deliverByMinimum?: number;
  /** How long, in seconds, and until when, in milliseconds since the epoch, a message may be held; absent: FUTURERELEASE is not offered (RFC 4865 §3). */
  readonly longestHold?: { readonly seconds: number; readonly until: number };
  /** What the levels of MT-PRIORITY mean, by the name of the policy; absent: it is not told (RFC 6710 §3). */
  readonly priorityPolicy?: string;
  /** Classes of solicitation that are refused (RFC 3865 §2.2). */
  readonly refusedSolicitation: readonly string[];
}

/** What is known of a host that answered HELO: nothing (RFC 5321 §4.1.4). */
export function noCapabilities(reply: Reply): Capabilities {
  return { host: firstWord(reply), offered: new Set(), mechanisms: [], limits: {}, refusedSolicitation: [] };
}

/** Reads the reply to EHLO or LHLO; lines that make no sense are passed over (RFC 5321 §4.1.1.1). */
export function parseCapabilities(reply: Reply): Capabilities {
  const found = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    const [, keyword, rest] = /^([a-z0-9][a-z0-9-]*)(?:[ =](.*))?$/i.exec(line.trimEnd()) ?? [];
    if (keyword !== undefined && !found.has(keyword.toUpperCase())) found.set(keyword.toUpperCase(), rest ?? '');
  }
  const size = parseSize(found.get('SIZE'));
  return {
    host: firstWord(reply),
    offered: new Set(found.keys()),
    ...(size === undefined ? {} : { size }),
    mechanisms: (found.get('AUTH') ?? '').toUpperCase().split(/ +/).filter(Boolean),
    limits: parseLimits(found.get('LIMITS')),
    ...present({
      deliverByMinimum: parseMinimum(found.get('DELIVERBY')),
      longestHold: parseLongestHold(found.get('FUTURERELEASE')),
      priorityPolicy: parsePolicy(found.get('MT-PRIORITY')),
    }),
    refusedSolicitation: parseSolicitation(found.get('NO-SOLICITING')?.trim() ?? '') ?? [],
  };
}

/** The domain or literal with which a host begins its greeting and its reply to EHLO (RFC 5321 §4.2). */
export function firstWord(reply: Reply): string {
  return /^[^ ]*/.exec(reply.lines[0] ?? '')?.[0] ?? '';
}

function parseSize(value: string | undefined): number | undefined {
  const size = value !== undefined && /^\d{1,20}$/.test(value) ? Number(value) : 0;
  return size === 0 ? undefined : size;
}

/** Tokens that are yet to be defined may follow behind a comma, even where there is no number (RFC 2852 §3). */
function parseMinimum(value: string | undefined): number | undefined {
  const digits = /^(\d{1,9}) *(?:,|$)/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Without both words nobody can tell what may be asked for (RFC 4865 §3). */
function parseLongestHold(value: string | undefined): Capabilities['longestHold'] {
  const [, digits, time] = /^([1-9]\d{0,8}) +([^ ]+)$/.exec(value ?? '') ?? [];
  const until = time === undefined ? undefined : parseTimestamp(time);
  return until === undefined ? undefined : { seconds: Number(digits), until };
}

function parsePolicy(value: string | undefined): string | undefined {
  return value !== undefined && isPriorityPolicy(value) ? value : undefined;
}

/** Without the entries that are undefined. */
function present<T extends object>(entries: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const limitNames: Readonly<Record<string, keyof Limits>> = {
  MAILMAX: 'mailMax',
  RCPTMAX: 'rcptMax',
  RCPTDOMAINMAX: 'rcptDomainMax',
};

/** A fault in the line as a whole makes it void, a fault in one item that item (RFC 9422 §3). */
function parseLimits(value: string | undefined): Limits {
  const limits: Partial<Record<keyof Limits, number>> = {};
  if (value === undefined || !/^[!-~]+(?: +[!-~]+)*$/.test(value)) return limits;
  for (const item of value.split(/ +/)) {
    const [, keyword, digits] = /^([a-z]+)=([1-9]\d{0,5})$/i.exec(item) ?? [];
    const name = limitNames[keyword?.toUpperCase() ?? ''];
    if (name !== undefined) limits[name] = Number(digits);
  }
  return limits;
}
