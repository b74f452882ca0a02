import { headerFields } from '@posthorn/smtp/message/header';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Session, Transaction } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';

/** A message that is judged while its client still waits. */
export interface JudgedMessage {
  readonly session: Session;
  readonly transaction: Transaction;
  readonly header: Buffer;
  /** Octets of the message. */
  readonly size: number;
}

/**
 * What is found about a hostile message: refused in the session, or taken and thrown away, which only the log tells. It is
 * never reported to a sender, who is likely to be somebody else (RFC 5321 §6.2).
 */
type Verdict =
  | { readonly kind: 'refuse'; readonly reply: Reply }
  | { readonly kind: 'discard'; readonly reason: string };

/** Judges messages; nothing lets one pass. */
export type Judge = (message: JudgedMessage) => Verdict | undefined | Promise<Verdict | undefined>;

const hostile = reply(554, '5.7.1', 'The message was found to be hostile');

/** Judges by the marks that a filter before this server writes; undefined when there are none. */
export function judgeByMarks(marks: Config['hostile']): Judge | undefined {
  if (marks.length === 0) return undefined;
  return ({ header }) => {
    for (const { name, value } of headerFields(header)) {
      const text = value.toLowerCase();
      const mark = marks.find((each) => each.field.toLowerCase() === name && text.startsWith(each.value.toLowerCase()));
      if (mark === undefined) continue;
      if (mark.action === 'refuse') return { kind: 'refuse', reply: hostile };
      return { kind: 'discard', reason: `${mark.field}: ${mark.value}` };
    }
    return undefined;
  };
}

/** One judge of several, the first verdict of which counts; undefined when there are none. */
export function judgeByAll(judges: readonly (Judge | undefined)[]): Judge | undefined {
  const present = judges.filter((judge) => judge !== undefined);
  if (present.length === 0) return undefined;
  return async (message) => {
    for (const judge of present) {
      const verdict = await judge(message);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  };
}
