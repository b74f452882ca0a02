import { Failure } from '../failure/failure.ts';
import { type ExpectedMail, findMismatches } from './expected-mail.ts';
import type { Inbox } from './inbox.ts';
import type { NextOptions } from './mail-box.ts';
import { describeFilter, describeMail, type MailFilter, type Pattern } from './mail-filter.ts';
import { ReceivedMail } from './received-mail.ts';

/** What `expect.extend` takes. */
interface Verdict {
  readonly pass: boolean;
  message(): string;
}

/**
 * What `expect` can say of mails and inboxes with `mailMatchers`. Vitest: `declare module 'vitest' { interface Matchers<T>
 * extends MailMatchers<T> {} }`; Jest: the same with `namespace jest { interface Matchers<R> extends MailMatchers<R> {} }`.
 */
export interface MailMatchers<R = unknown> {
  /** An inbox has such a mail now. */
  toHaveReceived(filter?: MailFilter): R;
  /** An inbox gets such a mail in time; the mail is then given out. Await it. */
  toReceive(options?: NextOptions): Promise<R>;
  /** A mail is as it is expected to be in all respects. */
  toBeMail(expected: ExpectedMail): R;
  toHaveSubject(subject: Pattern): R;
  toBeFrom(address: Pattern): R;
  toBeTo(address: Pattern): R;
  /** The plain text has this in it. */
  toHaveText(text: Pattern): R;
  toContainLink(link: Pattern): R;
  toHaveCode(code: Pattern): R;
  toHaveAttachment(filename: Pattern): R;
}

/** Matchers for Vitest and Jest: `expect.extend(mailMatchers)`. They throw Failure `invalid` for what is no mail or inbox. */
export const mailMatchers = {
  toHaveReceived(inbox: unknown, filter: MailFilter = {}): Verdict {
    const { messages, all } = requireInbox(inbox);
    const found = all(filter);
    const list = (mails: readonly ReceivedMail[]) => mails.map((mail) => `\n  ${describeMail(mail)}`).join('');
    return {
      pass: found.length > 0,
      message: () =>
        found.length > 0
          ? `Expected no ${describeFilter(filter)}, but there is:${list(found)}`
          : `Expected ${describeFilter(filter)}, but there is ${messages.length === 0 ? 'none at all' : `only:${list(messages)}`}`,
    };
  },

  async toReceive(inbox: unknown, options: NextOptions = {}): Promise<Verdict> {
    try {
      const mail = await requireInbox(inbox).next(options);
      return {
        pass: true,
        message: () => `Expected no ${describeFilter(options)}, but there came ${describeMail(mail)}`,
      };
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'timeout') throw error;
      return { pass: false, message: () => error.message };
    }
  },

  toBeMail: (mail: unknown, expected: ExpectedMail) => judge(mail, expected),
  toHaveSubject: (mail: unknown, subject: Pattern) => judge(mail, { subject }),
  toBeFrom: (mail: unknown, from: Pattern) => judge(mail, { from }),
  toBeTo: (mail: unknown, to: Pattern) => judge(mail, { to }),
  toHaveText: (mail: unknown, text: Pattern) => judge(mail, { text }),
  toContainLink: (mail: unknown, link: Pattern) => judge(mail, { link }),
  toHaveCode: (mail: unknown, code: Pattern) => judge(mail, { code }),
  toHaveAttachment: (mail: unknown, attachment: Pattern) => judge(mail, { attachment }),
};

function judge(mail: unknown, expected: ExpectedMail): Verdict {
  if (!(mail instanceof ReceivedMail)) throw new Failure('invalid', 'This matcher is for mails that an inbox gave out');
  const mismatches = findMismatches(mail, expected);
  return {
    pass: mismatches.length === 0,
    message: () =>
      mismatches.length === 0
        ? `Expected a mail that differs from ${Object.entries(expected)
            .map(([what, value]) => `${what} ${value}`)
            .join(', ')}`
        : `The mail is not as expected:\n  ${mismatches.join('\n  ')}`,
  };
}

function requireInbox(inbox: unknown): Inbox {
  const isInbox = typeof inbox === 'object' && inbox !== null && 'next' in inbox && 'messages' in inbox;
  if (!isInbox) throw new Failure('invalid', 'This matcher is for inboxes');
  return inbox as Inbox;
}
