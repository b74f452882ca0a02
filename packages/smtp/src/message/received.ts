import { formatLiteral } from '../address/domain.ts';
import { withoutControls } from '../bytes/without-controls.ts';
import { formatDate } from './date.ts';

/** What of the session decides the keyword of the with clause (RFC 3848 §1). */
export interface TransmissionKind {
  readonly lmtp?: boolean;
  /** EHLO was used, not HELO. */
  readonly esmtp?: boolean;
  readonly tls?: boolean;
  readonly authenticated?: boolean;
  /** MAIL had SMTPUTF8. */
  readonly utf8?: boolean;
}

/** What a Received field tells (RFC 5321 §4.4). */
export interface ReceivedFacts {
  /** The name the client gave in HELO, EHLO or LHLO, believed or not. */
  readonly from?: string;
  /** The name that DNS gives to the client's address. */
  readonly reverseName?: string;
  /** The client's IP address; without it, nothing tells where a submitter sits. */
  readonly address?: string;
  /** The name of this host. */
  readonly by: string;
  /** What `withKeyword` gives. */
  readonly protocol: string;
  readonly id: string;
  /** Named only when it is the only one: a second would tell a reader of a blind copy (RFC 5321 §7.2). */
  readonly recipients: readonly { readonly address: string }[];
  readonly tls?: ReceivedTls;
  /** SOLICIT: classes of solicitation; left out when a line has no room for all (RFC 3865 §2.6). */
  readonly solicit?: readonly string[];
  /** MT-PRIORITY, -9 to 9 (RFC 6710 §7). */
  readonly priority?: number;
  /** Milliseconds since the epoch. */
  readonly date: number;
  /** The zone of this host, minutes east of UTC; default 0. */
  readonly offsetMinutes?: number;
}

/** The TLS connection a message came over. */
export interface ReceivedTls {
  /** As `TLSv1.3`. */
  readonly version: string;
  /** The registered name, `TLS_AES_128_GCM_SHA256`, or `0x` and four hex digits (RFC 8314 §4.3). */
  readonly cipher: string;
  /** The registered name of the key exchange group, if known. */
  readonly group?: string;
  /** `clause` on submission, `comment` elsewhere (RFC 8314 §4.3). */
  readonly form: 'clause' | 'comment';
}

const safeName = /^[a-z0-9._:[\]-]{1,255}$/i;

/** The keyword of the with clause (RFC 3848 §1, RFC 6531 §4.3). */
export function withKeyword(kind: TransmissionKind): string {
  const utf8 = kind.utf8 === true;
  // HELO knows neither STARTTLS nor AUTH: no other form of SMTP is registered.
  if (!kind.lmtp && !kind.esmtp && !utf8) return 'SMTP';
  const base = kind.lmtp ? (utf8 ? 'UTF8LMTP' : 'LMTP') : utf8 ? 'UTF8SMTP' : 'ESMTP';
  return `${base}${kind.tls ? 'S' : ''}${kind.authenticated ? 'A' : ''}`;
}

/** Writes the Received field of one acceptance, folded, with its CRLF (RFC 5321 §4.4). */
export function formatReceived(facts: ReceivedFacts): string {
  const { by, protocol, id, tls, priority } = facts;
  let field = `Received: from ${safe(facts.from)}${clientComment(facts)}\r\n\tby ${by}`;
  if (tls?.form === 'comment') field += ` (${safe(tls.version)} ${safe(tls.cipher)})\r\n\t`;
  else field += ' ';
  field += `with ${protocol}${solicitComment(facts)}id ${id}`;
  const recipient = facts.recipients.length === 1 ? facts.recipients[0]?.address : undefined;
  if (recipient !== undefined) field += `\r\n\tfor <${withoutControls(recipient)}>`;
  if (tls?.form === 'clause')
    field += `\r\n\ttls ${safe(tls.cipher)}${tls.group === undefined ? '' : ` group ${safe(tls.group)}`}`;
  if (priority !== undefined) field += ` PRIORITY ${priority}`;
  return `${field};\r\n\t${formatDate(facts.date, facts.offsetMinutes)}\r\n`;
}

function clientComment({ reverseName, address }: ReceivedFacts): string {
  if (address === undefined) return '';
  return ` (${reverseName === undefined ? '' : `${safe(reverseName)} `}${safe(formatLiteral(address))})`;
}

/** Characters of classes that still have room in a line of 998 (RFC 5322 §2.1.1). */
const mostSolicitation = 900;

function solicitComment({ solicit = [] }: ReceivedFacts): string {
  const classes = solicit.map(safe).join(',');
  return classes === '' || classes.length > mostSolicitation ? ' ' : `\r\n\t(SOLICIT=${classes})\r\n\t`;
}

/** What strangers choose cannot end a comment, a clause or the field: any other character becomes `?`. */
function safe(name: string | undefined): string {
  if (name === undefined || name === '') return 'unknown';
  return safeName.test(name) ? name : name.slice(0, 255).replace(/[^a-z0-9._:[\]-]/gi, '?');
}
