import type { ExtensionRules } from './extension-rules.ts';
import { isSubmission, type ServerRules } from './server-rules.ts';

/** What an offer depends on beside the rules. */
export interface Circumstances {
  readonly secure: boolean;
  readonly authenticated: boolean;
  /** Whether the TLS connection can be named (RFC 5802 §6). */
  readonly bound?: boolean;
}

/** One line of the EHLO reply; undefined when it is not offered now. */
export type Line = (rules: ServerRules, circumstances: Circumstances) => string | undefined;

/** Characters of one line, code and CRLF not counted (RFC 5321 §4.5.3.1.5). */
const longestLine = 506;

/** What is meant for hosts that pass mail on, which no LMTP server does (RFC 2033 §1). */
function notInLmtp(line: (extensions: ExtensionRules) => string | undefined): Line {
  return ({ role, extensions }) => (role === 'lmtp' ? undefined : line(extensions));
}

/** The lines of the extensions that are served on demand. */
export const extensionLines: readonly Line[] = [
  notInLmtp(({ deliverBy }) => deliverBy && withWord('DELIVERBY', deliverBy.minimum)),
  notInLmtp(({ noSoliciting }) => noSoliciting && noSolicitingLine(noSoliciting.refused ?? [])),
  notInLmtp(({ rrvs }) => (rrvs ? 'RRVS' : undefined)),
  notInLmtp(({ checkpoint }) => (checkpoint ? 'CHECKPOINT' : undefined)),
  ({ extensions: { priority } }) => priority && withWord('MT-PRIORITY', priority.policy),
  ({ extensions: { tracking } }) => (tracking ? 'MTRK' : undefined),
  ({ extensions: { requireTls } }, { secure }) => (requireTls && secure ? 'REQUIRETLS' : undefined),
];

/** Keywords whose line tells the time, so that it is made anew for each EHLO (RFC 4865 §3). */
export function untoldKeywords({ role, extensions: { futureRelease } }: ServerRules): string[] {
  return futureRelease !== undefined && isSubmission(role) ? ['FUTURERELEASE'] : [];
}

function withWord(keyword: string, word: string | number | undefined): string {
  return word === undefined ? keyword : `${keyword} ${word}`;
}

/** The classes that have room in one line; those behind them are refused all the same (RFC 3865 §2.2). */
function noSolicitingLine(refused: readonly string[]): string {
  let line = 'NO-SOLICITING';
  for (const [index, name] of refused.entries()) {
    const next = `${line}${index === 0 ? ' ' : ','}${name}`;
    if (next.length > longestLine) break;
    line = next;
  }
  return line;
}
