import type { ServerMechanism } from '../sasl/mechanism.ts';
import type { ExtensionRules } from './extension-rules.ts';
import type { TextRules } from './text-intake.ts';

/** What a listener is for: it decides which commands and duties are in force (RFC 5321 §3.1, RFC 6409 §3, RFC 2033 §4, RFC 2645 §4). */
export type Role = 'mx' | 'submission' | 'submissions' | 'lmtp' | 'odmr';

/** Whether a role is for the first hop of mail, from its author's own program (RFC 6409 §3.1). */
export function isSubmission(role: Role): boolean {
  return role === 'submission' || role === 'submissions';
}

/** What one session may do and use up; each is bounded (RFC 5321 §4.5.3). */
export interface SessionLimits {
  /** Octets of one message; 0 for no limit (RFC 1870 §4). */
  readonly messageSize: number;
  /** RCPT commands of one transaction, refused ones too (RFC 9422 §4). */
  readonly recipients: number;
  /** MAIL commands of one session, refused ones too; 0 for no limit (RFC 9422 §4). */
  readonly mails: number;
  /** Different recipient domains of one session; 0 for no limit (RFC 9422 §4). */
  readonly recipientDomains: number;
  /** Commands that were faulty or refused, since the last accepted message, until the session is ended (RFC 5321 §7.8). */
  readonly errors: number;
  /** Failed AUTH commands until the session is ended (RFC 4954 §9). */
  readonly authFailures: number;
  /** Milliseconds that replies to further faults wait once half of the errors are used up. */
  readonly errorDelay: number;
  /** Milliseconds that a command or a piece of text may be awaited (RFC 5321 §4.5.3.2.7). */
  readonly idleTime: number;
  /** Milliseconds that a session may last. */
  readonly sessionTime: number;
}

/** All that is the same for every session of a listener. */
export interface ServerRules {
  readonly role: Role;
  /** The first word of the greeting and of many replies: a domain or an address literal (RFC 5321 §4.2). */
  readonly hostname: string;
  /** Empty when AUTH is not served. */
  readonly mechanisms: readonly ServerMechanism[];
  /** Whether passwords may go over the wire in clear text (RFC 8314 §4). */
  readonly cleartextAuth: boolean;
  /** Whether STARTTLS is served: there is a certificate (RFC 3207 §4). */
  readonly startTls: boolean;
  /** Whether nothing of use is done before TLS (RFC 3207 §4). */
  readonly requireTls: boolean;
  /** Whether MAIL needs a login (RFC 6409 §4.3). */
  readonly requireAuth: boolean;
  /** Whether EXPN is served (RFC 5321 §3.5.3). */
  readonly expand: boolean;
  /** Whether ETRN is served (RFC 1985 §3). */
  readonly etrn: boolean;
  /** Whether ATRN is served, to clients that have logged in (RFC 2645 §5.2.1). */
  readonly atrn: boolean;
  /** Whether TURN is served, to clients that have logged in (RFC 5321 §F.1). */
  readonly turn: boolean;
  /** Whether the client gets no replies, and so begins a text without a recipient: a batch (RFC 2442). */
  readonly unheard?: boolean;
  readonly bareLineEnds: TextRules['bareLineEnds'];
  /** What octets earn that come before the greeting, the reply to EHLO or the 354; their senders wait for nothing. */
  readonly earlyTalk: 'allow' | 'refuse';
  readonly extensions: ExtensionRules;
  readonly limits: SessionLimits;
  /** The time of day, in milliseconds since the epoch. */
  readonly now: () => number;
}
