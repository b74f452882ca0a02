import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { mailboxesOf, type NamedMailbox, parseAddressList } from '@posthorn/smtp/message/address-list';
import type { Vacation } from '../agents/auto-replies.ts';
import type { Config } from '../config/schema.ts';
import type { VacationConfig } from '../config/vacation-fields.ts';
import type { Directory } from '../directory/directory.ts';

/** The answer for mail to an address at a time, in milliseconds since the epoch; undefined when nothing answers there then. */
export type FindVacation = (address: string, now: number) => Vacation | undefined;

interface Known extends Vacation {
  readonly since: number;
  readonly until: number;
}

/** The answers of users that are away (RFC 3834 §3). */
export function createVacations({ domains }: Pick<Config, 'domains'>, directory: Directory): FindVacation {
  const known = new Map<string, Known>();
  for (const [domain, { vacations }] of Object.entries(domains)) {
    for (const [name, config] of Object.entries(vacations)) {
      const mailbox = directory.mailboxOf(`${name}@${domain}`);
      const vacation = mailbox === undefined ? undefined : createVacation(mailbox, config, directory);
      if (mailbox !== undefined && vacation !== undefined) known.set(directory.keyOf(mailbox), vacation);
    }
  }
  if (known.size === 0) return () => undefined;
  return (address, now) => {
    const mailbox = directory.mailboxOf(address);
    const vacation = mailbox === undefined ? undefined : known.get(directory.keyOf(mailbox));
    return vacation !== undefined && now >= vacation.since && now < vacation.until ? vacation : undefined;
  };
}

function createVacation(mailbox: string, config: VacationConfig, directory: Directory): Known | undefined {
  const { text, subject, interval, since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = config;
  const from = senderOf(mailbox, config, directory);
  if (from === undefined) return undefined;
  const more = new Set(config.addresses.map(directory.keyOf));
  const isOwn = (address: string): boolean => {
    const expansion = directory.expand(address);
    const [only, ...others] = expansion.kind === 'loop' ? [] : expansion.recipients;
    // Who is one of several behind an address was not written to in person.
    const isHers = only !== undefined && others.length === 0 && directory.mailboxOf(only) === mailbox;
    return isHers || more.has(directory.keyOf(address));
  };
  return { mailbox, from, text, interval, since, until, isOwn, ...(subject === undefined ? {} : { subject }) };
}

function senderOf(mailbox: string, { from }: VacationConfig, directory: Directory): NamedMailbox | undefined {
  if (from !== undefined) return mailboxesOf(parseAddressList(from) ?? [])[0];
  const parsed = parseMailbox(mailbox, { utf8: true });
  const name = directory.settingsOf(mailbox)?.fullName;
  return parsed && { mailbox: parsed, ...(name === undefined ? {} : { name }) };
}
