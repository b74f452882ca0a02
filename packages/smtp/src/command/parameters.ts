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
}

/** How one keyword is read and written; a new extension is a new rule. `offered` are EHLO keywords in upper case. */
export interface ParameterRule<T> {
  readonly keyword: string;
  /** The EHLO keyword that permits it. */
  readonly extension: string;
  /** The part of the typed form that the value gives; undefined when it is malformed. */
  parse(value: string | undefined, offered: ReadonlySet<string>): Partial<T> | undefined;
  /** The parameter, if the typed form has it. */
  format(parameters: T, offered: ReadonlySet<string>): Parameter | undefined;
}

function read<T extends object>(
  parameters: readonly Parameter[],
  rules: readonly ParameterRule<T>[],
  offered: ReadonlySet<string>,
): T | Reply {
  const typed = {} as T;
  const seen = new Set<string>();
  for (const { keyword, value } of parameters) {
    if (seen.has(keyword)) return fault.repeated;
    seen.add(keyword);
    const rule = rules.find((candidate) => candidate.keyword === keyword);
    if (rule === undefined || !offered.has(rule.extension)) return fault.unknownParameter;
    const part = rule.parse(value, offered);
    if (part === undefined) return fault.parameter;
    Object.assign(typed, part);
  }
  return typed;
}

function write<T>(typed: T, rules: readonly ParameterRule<T>[], offered: ReadonlySet<string>): Parameter[] {
  const parameters: Parameter[] = [];
  for (const rule of rules) {
    const parameter = offered.has(rule.extension) ? rule.format(typed, offered) : undefined;
    if (parameter !== undefined && rule.parse(parameter.value, offered) !== undefined) parameters.push(parameter);
  }
  return parameters;
}

/** Gives the parameters of MAIL their meaning, or the reply a fault earns; `offered` are EHLO keywords (RFC 5321 §4.1.1.11). */
export function readMailParameters(
  parameters: readonly Parameter[],
  offered: ReadonlySet<string>,
): MailParameters | Reply {
  return read(parameters, mailRules, offered);
}

/** Gives the parameters of RCPT their meaning, or the reply a fault earns (RFC 5321 §4.1.1.11). */
export function readRcptParameters(
  parameters: readonly Parameter[],
  offered: ReadonlySet<string>,
): RcptParameters | Reply {
  return read(parameters, rcptRules, offered);
}

/** The parameters of MAIL that the peer permits; others, and what has no valid form, are left out (RFC 5321 §4.1.1.11). */
export function writeMailParameters(typed: MailParameters, offered: ReadonlySet<string>): Parameter[] {
  return write(typed, mailRules, offered);
}

/** The parameters of RCPT that the peer permits; others, and what has no valid form, are left out (RFC 5321 §4.1.1.11). */
export function writeRcptParameters(typed: RcptParameters, offered: ReadonlySet<string>): Parameter[] {
  return write(typed, rcptRules, offered);
}
