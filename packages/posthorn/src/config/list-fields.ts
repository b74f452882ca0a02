import { isListId, isListUrl } from '@posthorn/smtp/message/list-fields';
import { z } from 'zod';
import { parseAliasTarget } from '../directory/alias-target.ts';
import { field } from './field.ts';
import { filePath, flag, textField } from './fields.ts';
import * as mail from './mail-fields.ts';
import { named } from './named.ts';

const member = () =>
  textField(isMember, 'a mailbox of this domain or a mail address', 'Write "alice", or "alice@example.org".');

/** A local-part of the list's domain, or a mailbox (RFC 5321 §4.1.2). */
export function isMember(text: string): boolean {
  const target = parseAliasTarget(text, 'example.org');
  return target !== undefined && 'mailbox' in target && !target.direct;
}

const url = () =>
  textField(isListUrl, 'a URL', 'Write a URL such as "https://example.org/news" or "mailto:news-request@example.org".');
const urls = () => z.array(url()).min(1).exactOptional();

/** Who may write to a list: a word, or addresses. */
const posters = () =>
  field<readonly string[] | 'anyone' | 'members'>({
    parse(value) {
      if (value === 'anyone' || value === 'members') return value;
      return Array.isArray(value) && value.every((each) => typeof each === 'string' && isMember(each))
        ? value
        : undefined;
    },
    expected: '"anyone", "members" or a list of mail addresses',
    remedy: 'Write "members", or the addresses of those who may write.',
  });

const list = z.strictObject({
  /** Mailboxes of this domain, and mail addresses. */
  members: z.array(member()).prefault([]),
  /** A file of more members, an address a line, `#` before remarks; it is read anew whenever it has changed. */
  file: filePath('/etc/posthorn/news.txt').exactOptional(),
  /** Who keeps the list: gets what cannot be delivered, and what is written to owner-…, …-owner and …-request. */
  owner: z.array(member()).min(1).prefault(['postmaster']),
  /** Whose mail is passed on, by its envelope sender: anyone, members, or these addresses. */
  postedBy: posters().prefault('members'),
  /** Whether each member's copy has a sender that names the member, so that a failure of anywhere tells whose it is. */
  verp: flag().prefault(false),
  /** What identifies the list for good; by default its address with a dot for the @ (RFC 2919 §2). */
  id: textField(
    isListId,
    'a list identifier',
    'Write a label and a domain, such as "news.example.org".',
  ).exactOptional(),
  /** Its name for people. */
  name: textField((text) => /^[^\p{Cc}]{1,120}$/u.test(text), 'a name', 'Write a name such as "News".').exactOptional(),
  help: urls(),
  unsubscribe: urls(),
  /** Whether the https URL of `unsubscribe` takes a POST as the last word; the copies then need a DKIM signature (RFC 8058 §3.1). */
  oneClick: flag().prefault(false),
  subscribe: urls(),
  /** How to write to the list; by default by mail to its address. */
  post: urls(),
  archive: urls(),
});

/** The fields of a domain that say what lists it has. */
export const listFields = {
  /** Mailing lists (RFC 5321 §3.9.2). */
  lists: named(mail.localPart(), list).prefault({}),
};

/** A list as it is configured. */
export type ListConfig = z.output<typeof list>;
