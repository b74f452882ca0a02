import type { Reply } from '../reply/reply.ts';
import type { Parameter } from './command.ts';
import { fault } from './fault.ts';
import { mailRules, rcptRules } from './parameter-rules.ts';

/** What MAIL says beside its path (RFC 5321 §4.1.1.2). */
export interface MailParameters {
  /** Octets of the text as announced; whatever is above counts as 2^53 - 1 (RFC 1870 §6). */
  readonly size?: number;
  /** Absent counts as 7BIT (RFC 6152 §2, RFC 3030 §3). */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** (RFC 6531 §3.4). */
  readonly smtputf8?: true;
  /** (RFC 3461 §4.3). */
  readonly ret?: 'FULL' | 'HDRS';
  /** ENVID, xtext decoded: printable ASCII, at most 100 characters on the wire (RFC 3461 §4.4). */
  readonly envelopeId?: string;
  /** AUTH, xtext decoded; null is `<>` (RFC 4954 §5). */
  readonly auth?: string | null;
  /** BY: how long the delivery may take, counted from MAIL (RFC 2852 §4). */
  readonly deliverBy?: DeliverBy;
  /** HOLDFOR in seconds, or HOLDUNTIL in milliseconds since the epoch (RFC 4865 §4). */
  readonly hold?: { readonly for: number } | { readonly until: number };
  /** MT-PRIORITY, -9 to 9; absent counts as 0 (RFC 6710 §4). */
  readonly priority?: number;
  /** SOLICIT: the classes of solicitation that the message belongs to (RFC 3865 §2). */
  readonly solicit?: readonly string[];
  /** TRANSID without its brackets: `token@token` (RFC 1845 §2). */
  readonly transactionId?: string;
  /** MTRK: what tells the sender from others that ask where the message is (RFC 3885 §3). */
  readonly tracking?: Tracking;
  /** REQUIRETLS (RFC 8689 §3). */
  readonly requireTls?: true;
}

/** The value of BY (RFC 2852 §4). */
export interface DeliverBy {
  /** Up to nine digits; of mode N they may have run out: zero or negative. */
  readonly seconds: number;
  /** R: give the message back when the time is over; N: only tell the sender (RFC 2852 §4). */
  readonly mode: 'R' | 'N';
  /** Each relay reports to the sender that the message came by (RFC 2852 §4). */
  readonly trace?: true;
}

/** The value of MTRK (RFC 3885 §3). */
export interface Tracking {
  /** SHA-1 of the sender's secret, in base64 without padding: 27 characters (RFC 3885 §3.1). */
  readonly certifier: string;
  /** Seconds that the way of the message has to be known (RFC 3885 §3.1). */
  readonly timeout?: number;
}

/** The value of RRVS: whom the sender means (RFC 7293 §3). */
export interface RequiredRecipient {
  /** The mailbox must have had its present owner since then, in milliseconds since the epoch. */
  readonly since: number;
  /** What a relay does whose next hop lacks the extension: R refuse, C pass it on as a header field (RFC 7293 §3). */
  readonly fallback: 'R' | 'C';
}

/** What may be reported about a recipient (RFC 3461 §4.1). */
export type Notify = 'SUCCESS' | 'FAILURE' | 'DELAY';

/** What RCPT says beside its path (RFC 5321 §4.1.1.3). */
export interface RcptParameters {
  /** An empty list is NEVER (RFC 3461 §4.1). */
  readonly notify?: readonly Notify[];
  /**
   * ORCPT as `type;address`, xtext decoded, at most 500 characters on the wire. The type `utf-8` has no xtext but unitext,
   * which stays in the form it has (RFC 3461 §4.2, RFC 6533 §3).
   */
  readonly originalRecipient?: string;
  /** RRVS (RFC 7293 §3). */
  readonly rrvs?: RequiredRecipient;
}

/** How one keyword is read and written; a new extension is a new rule. `offered` are EHLO keywords in upper case. */
export interface ParameterRule<T> {
  readonly keyword: string;
  /** The EHLO keyword that permits it. */
  readonly extension: string;
  /** Another one that permits it as well. */
  readonly orExtension?: string;
  /** What a bad value earns, or a second one, if it is not what all others earn. */
  readonly malformed?: Reply;
  /** The part of the typed form that the value gives; undefined when it is malformed. */
  parse(value: string | undefined, offered: ReadonlySet<string>): Partial<T> | undefined;
  /** The parameter, if the typed form has it. */
  format(parameters: T, offered: ReadonlySet<string>): Parameter | undefined;
}

function isOffered<T>({ extension, orExtension }: ParameterRule<T>, offered: ReadonlySet<string>): boolean {
  return offered.has(extension) || (orExtension !== undefined && offered.has(orExtension));
}

function read<T extends object>(
  parameters: readonly Parameter[],
  rules: readonly ParameterRule<T>[],
  offered: ReadonlySet<string>,
): T | Reply {
  const typed = {} as T;
  for (const { keyword, value } of parameters) {
    const rule = rules.find((candidate) => candidate.keyword === keyword);
    if (rule === undefined || !isOffered(rule, offered)) return fault.unknownParameter;
    const part = rule.parse(value, offered);
    if (part === undefined) return rule.malformed ?? fault.parameter;
    // Two keywords may say the same thing in two ways, of which only one may be used.
    if (Object.keys(part).some((key) => key in typed)) return rule.malformed ?? fault.repeated;
    Object.assign(typed, part);
  }
  return typed;
}

function write<T>(typed: T, rules: readonly ParameterRule<T>[], offered: ReadonlySet<string>): Parameter[] {
  const parameters: Parameter[] = [];
  for (const rule of rules) {
    const parameter = isOffered(rule, offered) ? rule.format(typed, offered) : undefined;
    if (parameter !== undefined && rule.parse(parameter.value, offered) !== undefined) parameters.push(parameter);
  }
  return parameters;
}

/** Gives the parameters of MAIL their meaning, or the reply a fault earns; `offered` are EHLO keywords (RFC 5321 §4.1.1.11). */
export function readMailParameters(
  parameters: readonly Parameter[],
  offered: ReadonlySet<string>,
): MailParameters | Reply {
  const typed = read(parameters, mailRules, offered);
  if ('code' in typed) return typed;
  return typed.tracking !== undefined && typed.envelopeId === undefined ? fault.noEnvelopeId : typed;
}

/** Gives the parameters of RCPT their meaning, or the reply a fault earns (RFC 5321 §4.1.1.11). */
export function readRcptParameters(
  parameters: readonly Parameter[],
  offered: ReadonlySet<string>,
): RcptParameters | Reply {
  return read(parameters, rcptRules, offered);
}

/** Whether each of the parameters is one, and has a form on the wire (RFC 5321 §4.1.1.2). */
export function isMailParameters(typed: MailParameters): boolean {
  return countGiven(typed) === writeMailParameters(typed, everyExtension).length;
}

/** Whether each of the parameters is one, and has a form on the wire (RFC 5321 §4.1.1.3). */
export function isRcptParameters(typed: RcptParameters): boolean {
  return countGiven(typed) === writeRcptParameters(typed, everyExtension).length;
}

function countGiven(typed: object): number {
  return Object.values(typed).filter((value) => value !== undefined).length;
}

/** The keywords of all extensions whose parameters are known: for where no EHLO says which (RFC 5321 §4.1.1.11). */
export const everyExtension: ReadonlySet<string> = new Set([
  'BINARYMIME',
  ...[...mailRules, ...rcptRules].map(({ extension }) => extension),
]);

/** The parameters of MAIL that the peer permits; others, and what has no valid form, are left out (RFC 5321 §4.1.1.11). */
export function writeMailParameters(typed: MailParameters, offered: ReadonlySet<string>): Parameter[] {
  const parameters = write(typed, mailRules, offered);
  const hasEnvelopeId = parameters.some(({ keyword }) => keyword === 'ENVID');
  return hasEnvelopeId ? parameters : parameters.filter(({ keyword }) => keyword !== 'MTRK');
}

/** The parameters of RCPT that the peer permits; others, and what has no valid form, are left out (RFC 5321 §4.1.1.11). */
export function writeRcptParameters(typed: RcptParameters, offered: ReadonlySet<string>): Parameter[] {
  return write(typed, rcptRules, offered);
}
