import { parseAddressList } from '@posthorn/smtp/message/address-list';
import { z } from 'zod';
import { field } from './field.ts';
import { duration, textField } from './fields.ts';
import * as mail from './mail-fields.ts';
import { named } from './named.ts';

const day = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/;

/** A day, its beginning in UTC, or an instant with its zone; in milliseconds since the epoch (RFC 3339 §5.6). */
const instant = () =>
  field<string, number>({
    parse(value) {
      const time = typeof value === 'string' && day.test(value) ? Date.parse(value) : Number.NaN;
      return Number.isNaN(time) ? undefined : time;
    },
    expected: 'a day or an instant',
    remedy: 'Write a day such as "2026-12-24", or an instant such as "2026-12-24T08:00:00+01:00".',
  });

function isSender(text: string): boolean {
  const list = parseAddressList(text) ?? [];
  const [only] = list;
  return list.length === 1 && only !== undefined && 'mailbox' in only;
}

const vacation = z.strictObject({
  /** What the answer says, in a few lines. */
  text: textField(
    (text) => text.trim() !== '' && text.length <= 4000,
    'a text of 4000 characters at most',
    'Write it.',
  ),
  /** Instead of `Auto: ` and the subject of the message. */
  subject: textField((text) => /^[^\p{Cc}]{1,200}$/u.test(text), 'a subject', 'Write one line.').exactOptional(),
  /** Whom the answer is from, for people; by default the mailbox, with the name that its settings have (RFC 3834 §3.1.1). */
  from: textField(isSender, 'a mail address', 'Write one such as "Alice Smith <alice@example.org>".').exactOptional(),
  /** More addresses of the user; only who wrote to one of hers gets an answer (RFC 3834 §2). */
  addresses: z.array(mail.mailbox()).prefault([]),
  /** How long the same person gets no second answer. */
  interval: duration('1m', '7d').prefault('7d'),
  /** Nobody gets an answer before. */
  since: instant().exactOptional(),
  /** Nobody gets an answer from then on. */
  until: instant().exactOptional(),
});

/** The fields of a domain that say which of its mailboxes answer by themselves. */
export const vacationFields = {
  /** Answers of users that are away, by the name of their mailbox (RFC 3834 §3). */
  vacations: named(mail.localPart(), vacation).prefault({}),
};

/** An answer as it is configured. */
export type VacationConfig = z.output<typeof vacation>;
