import { parseTimestamp } from '@posthorn/smtp/bytes/timestamp';
import { isSolicitationClass } from '@posthorn/smtp/command/solicitation';
import { z } from 'zod';
import { field } from './field.ts';
import { count, duration, filePath, flag, size, textField } from './fields.ts';
import * as mail from './mail-fields.ts';
import { named } from './named.ts';

const solicitationClasses = () =>
  z.array(
    textField(
      isSolicitationClass,
      'a class of solicitation',
      'Write a domain in reversed order, a colon and a name, such as "org.example:ADV".',
    ),
  );

/** A day, or a moment of it; milliseconds since the epoch. */
const date = () =>
  field<string, number>({
    parse: (value) =>
      typeof value === 'string' ? (parseTimestamp(value) ?? parseTimestamp(`${value}T00:00:00Z`)) : undefined,
    expected: 'a date',
    remedy: 'Write a day such as "2026-11-25", or a moment such as "2026-11-25T08:30:00Z".',
  });

const owner = () =>
  field<string, number | 'unknown'>({
    parse: (value) => (value === 'unknown' ? value : date().safeParse(value).data),
    expected: 'a date, or "unknown"',
    remedy: 'Write the day on which its owner got it, such as "2026-11-25", or "unknown" when nobody knows.',
  });

const level = () =>
  textField((text) => /^(?:-?[1-9]|0)$/.test(text), 'a priority', 'Write a number from -9 to 9, such as "6".');

/** What is asked of mail for one mailbox by its owner, or by who keeps it. */
export const consentFields = {
  /** When its present owner got it, if it ever had another one; `unknown` when it may have had (RFC 7293 §9). */
  ownerSince: owner().exactOptional(),
  /** Classes of solicitation that its owner does not want (RFC 3865 §2.3). */
  noSoliciting: solicitationClasses().prefault([]),
};

/** The same for all mailboxes of a domain. */
export const domainConsentFields = {
  /** When the domain got its present owner, if it ever had another one (RFC 7293 §9). */
  ownedSince: date().exactOptional(),
  /**
   * Which of its mailboxes got another owner, and when: `name day` or `name unknown` a line, `#` begins a remark. It is read
   * again when it was changed (RFC 7293 §5).
   */
  ownersFile: filePath('/etc/posthorn/owners').exactOptional(),
  /** Classes of solicitation that none of its mailboxes wants. */
  noSoliciting: solicitationClasses().prefault([]),
};

/** What a user may ask for. */
export const userFields = {
  /** The highest MT-PRIORITY that its messages may have (RFC 6710 §4.1). */
  priority: count(0, 9).prefault(0),
  /** Whether it is believed when it says, with AUTH= on MAIL, who submitted a message: another mail server (RFC 4954 §5). */
  vouches: flag().prefault(false),
};

/** Extensions that are offered only where somebody wants them. */
export const extensionFields = z.strictObject({
  /** DELIVERBY: messages that have to be delivered in a time, or come back (RFC 2852 §2). */
  deliverBy: z
    .strictObject({
      /** The least time in which this host can deliver or give back. */
      minimum: duration('0s', '1m').prefault(0),
    })
    .exactOptional(),
  /** FUTURERELEASE: logins hand messages in that are sent later (RFC 4865 §3). */
  futureRelease: z
    .strictObject({
      /** How long a message may wait. */
      longest: duration('1s', '30d').prefault('30d'),
      /** Messages of one login that may wait at a time. */
      perUser: count(1, 1_000_000).prefault(1000),
      /** Messages of all logins. */
      total: count(1, 10_000_000).prefault(100_000),
    })
    .exactOptional(),
  /** MT-PRIORITY: what is urgent goes first (RFC 6710 §3). */
  priority: z
    .strictObject({
      /** What the levels mean, as EHLO tells it: MIXER, STANAG4406, NSEP, or a name of your own (RFC 6710 §9.2). */
      policy: textField(
        (text) => /^[a-z0-9._-]{1,20}$/i.test(text),
        'the name of a policy',
        'Write up to 20 letters, digits, "-", "_" and ".", such as "MIXER".',
      ).exactOptional(),
      /** Networks whose clients may raise a priority; logins have a `priority` of their own. */
      trusted: z.array(mail.network()).prefault([]),
      /** What has less is not taken for now. */
      lowest: count(-9, 9).prefault(-9),
      /** By level: the most octets of messages of that priority or a higher one. */
      largest: named(level(), size(1, '64KB')).prefault({}),
    })
    .exactOptional(),
  /** NO-SOLICITING with these classes, which nobody here wants; an empty list offers it and refuses none (RFC 3865 §2). */
  noSoliciting: solicitationClasses().exactOptional(),
  /** RRVS: `ownerSince` and `ownedSince` say who had to be given up (RFC 7293 §3). */
  ownership: flag().prefault(false),
  /** CHECKPOINT: a client that was cut off in its text goes on where it stopped (RFC 1845 §3). */
  checkpoint: z
    .strictObject({
      /** How long the beginning of a text is kept; two days are asked for (RFC 1845 §3). */
      keep: duration('1s', '48h').prefault('48h'),
      /** Transactions that are kept; with 0 it is not offered. */
      transactions: count(0, 1_000_000).prefault(1000),
      /** Octets that are kept of texts that are not complete. */
      size: size(1, '1GB').prefault('1GB'),
    })
    .prefault({}),
  /** MTRK, where a listener `mtqp` answers those who ask where their message is (RFC 3885 §3.1). */
  tracking: z
    .strictObject({
      /** How long the way of a message is known whose sender says no time. */
      usual: duration('1d', '9d').prefault('9d'),
      /** How long at most, whatever its sender says. */
      longest: duration('1d', '30d').prefault('30d'),
      /** Messages whose way is known at a time; beyond, the one whose time ends first is forgotten. */
      messages: count(1, 10_000_000).prefault(100_000),
    })
    .prefault({}),
  /** REQUIRETLS, within TLS: messages that go on only where each host keeps them secret (RFC 8689 §2). */
  requireTls: flag().prefault(true),
});
