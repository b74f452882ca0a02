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
}

/** What is known of a host that answered HELO: nothing (RFC 5321 §4.1.4). */
export function noCapabilities(reply: Reply): Capabilities {
  return { host: firstWord(reply), offered: new Set(), mechanisms: [], limits: {} };
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
