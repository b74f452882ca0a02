import type { Status } from '../reply/reply.ts';
import type { Pattern } from './mail-filter.ts';
import type { CertificateFlaw } from './test-certificates.ts';

/** Where in a session: at the greeting, EHLO, AUTH, MAIL, each RCPT, DATA or the first BDAT, and behind the text. */
export type TroublePoint = 'connect' | 'hello' | 'auth' | 'mail' | 'rcpt' | 'data' | 'text';

/** Where a connection is lost: a command is read and gets no reply; the text is cut, or kept and gets none. */
export type DropPoint =
  | 'connect'
  | 'after-hello'
  | 'after-mail'
  | 'after-rcpt'
  | 'after-data'
  | 'mid-text'
  | 'after-text';

/** What is answered, to whom. */
export interface TroubleReply {
  /** Default `rcpt`; `mail` where only `from` is named. */
  readonly at?: TroublePoint;
  /** The recipient; behind the text, one of them. */
  readonly to?: Pattern;
  /** The sender of the envelope. */
  readonly from?: Pattern;
  /** Only this RCPT of a transaction, counted from 1. */
  readonly nth?: number;
  /** Default 550 for `refuse` and 451 for `defer`; 421 also ends the session. */
  readonly code?: number;
  /** Default 5.7.1 and 4.3.0. */
  readonly status?: Status;
  readonly text?: string;
}

/** A report of failure that comes when the mail had been accepted (RFC 3464 §2). */
export interface LateBounce {
  /** The recipient that it is about; default: all. */
  readonly to?: Pattern;
  /** Milliseconds behind the acceptance; default 0. */
  readonly after?: number;
  /** Default 5.1.1. */
  readonly status?: `5.${number}.${number}`;
  readonly text?: string;
  /** The server that takes the report, on the loopback address; default: this inbox. */
  readonly port?: number;
}

/** What a host may do to a client; one thing per rule. */
export type Mischief =
  | { readonly refuse: TroubleReply }
  | { readonly defer: TroubleReply }
  | { readonly drop: DropPoint }
  /** The server's replies come at this rate, for whole sessions. */
  | { readonly drip: { readonly octetsPerSecond: number } }
  /** The answer waits; `at` is by default `text`. */
  | { readonly delay: { readonly at?: TroublePoint; readonly milliseconds: number } }
  /** The handshake shows a certificate that is for another name, has run out, or is of another authority. */
  | { readonly badCertificate: CertificateFlaw }
  | { readonly lateBounce: LateBounce }
  /** MAIL beyond this number in so many milliseconds gets 451 4.7.1. */
  | { readonly rate: { readonly messages: number; readonly milliseconds: number } };

/** One rule: what happens, and how often. */
export type Trouble = Mischief & {
  /** How many times it happens; default: always. */
  readonly times?: number;
  /** From 0 to 1, how probable it is each time; the seed of the inbox decides. Default 1. */
  readonly chance?: number;
};
