import { z } from 'zod';
import { consentFields } from './extension-fields.ts';
import { count, duration, filePath, flag, size, textField } from './fields.ts';
import * as mail from './mail-fields.ts';
import { named } from './named.ts';

const forwardModes: readonly string[] = ['silent', 'tell', 'refuse'];

const forward = z.strictObject({
  /** The new address. */
  to: mail.mailbox(),
  /** `silent`: 250; `tell`: 251 with the new address; `refuse`: 551 with the new address, nothing is forwarded (RFC 5321 §3.4). */
  mode: textField(
    (text) => forwardModes.includes(text),
    'silent, tell or refuse',
    'Write "silent", "tell" or "refuse".',
  )
    .transform((mode) => mode as 'silent' | 'tell' | 'refuse')
    .prefault('silent'),
  /** Whether the mailbox here gets a copy. */
  keepCopy: flag().prefault(false),
  /** Whether no sender must ever learn the new address: what fails behind it goes to the postmaster (RFC 3461 §5.2.7.4). */
  confidential: flag().prefault(false),
});

const mailboxSettings = z.strictObject({
  /** The name of its owner, for VRFY and EXPN. */
  fullName: textField(
    (text) => /^[^\p{Cc}<>"\\]{1,120}$/u.test(text),
    'a name',
    'Write a name such as "Alice Smith".',
  ).exactOptional(),
  /** Octets that it may hold, instead of the quota of its domain. */
  quota: size(1, '1GB').exactOptional(),
  /** Octets of the largest message that it takes. */
  messageSize: size(1, '10MB').exactOptional(),
  /** Whether it takes no mail for now. */
  disabled: flag().prefault(false),
  ...consentFields,
});

const gateway = z.strictObject({
  /** Where the messages for numbers go: a target, such as a program. */
  deliver: mail.target('pipe:/usr/local/bin/send-fax'),
  /** The services that it has, such as FAX or VOICE; all by default. */
  services: z
    .array(textField((text) => /^[A-Za-z0-9-]{1,30}$/.test(text), 'a service', 'Write a name such as "FAX".'))
    .exactOptional(),
});

/** The fields of a domain that say who is who beyond mailboxes and aliases. */
export const directoryFields = {
  /** Files in the form of aliases(5); read at the start and with each reload. */
  aliasFiles: z.array(filePath('/etc/aliases')).prefault([]),
  /** Users that moved (RFC 5321 §3.4). */
  forwards: named(mail.localPart(), forward).prefault({}),
  /** What holds for single mailboxes. */
  mailboxSettings: named(mail.localPart(), mailboxSettings).prefault({}),
  /** Octets that each Maildir or mbox of the domain may hold. */
  quota: size(1, '1GB').exactOptional(),
  /** Whether mail beyond a quota is refused for good, and not only for now (RFC 3463 §3.3). */
  refuseOverQuota: flag().prefault(false),
  /** Makes numbers such as FAX=+12025550100 addresses of the domain (RFC 3191 §2). */
  gateway: gateway.exactOptional(),
};

const audience = z.strictObject({
  /** Networks whose clients are told. */
  networks: z.array(mail.network()).prefault([]),
  /** Whether clients that have logged in are told. */
  logins: flag().prefault(false),
});

const nobody = {};
const everybody = { networks: ['0.0.0.0/0', '::/0'] };

/** Who learns what about the people here (RFC 5321 §7.3). */
export const disclosure = z.strictObject({
  /** Who gets an answer to VRFY; others get 252. */
  verify: audience.prefault(nobody),
  /** Who gets an answer to EXPN; without it EXPN is not served. */
  expand: audience.exactOptional(),
  /** Who learns the new addresses of users that moved; others get 250 and 550 (RFC 5321 §3.4). */
  forwards: audience.prefault(everybody),
  /** Addresses that are never verified nor expanded. */
  hidden: z.array(mail.mailbox()).prefault([]),
});

/** How programs that mail is given to are run. */
export const programs = z.strictObject({
  /** The number of the user that they run as; never 0. Needed where the server is root, as nothing is run as root. */
  uid: count(1, 4_294_967_294).exactOptional(),
  /** The number of the group. */
  gid: count(1, 4_294_967_294).exactOptional(),
  /** Their HOME, and where they start. */
  home: filePath('/var/empty').prefault('/'),
  /** After that time they are ended, and the message waits. */
  timeLimit: duration('1s', '5m').prefault('5m'),
  /** Whether files that aliases include may name programs and files. */
  inIncludes: flag().prefault(false),
});
