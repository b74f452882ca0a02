import { z } from 'zod';
import { field } from './field.ts';
import { filePath, flag, size, textField } from './fields.ts';
import * as mail from './mail-fields.ts';

function choice<const Word extends string>(...words: readonly Word[]) {
  const list = words.map((word) => `"${word}"`).join(', ');
  return field<Word>({
    parse: (value) => words.find((word) => word === value),
    expected: `one of ${list}`,
    remedy: `Write one of: ${list}.`,
  });
}

const signingKey = z.strictObject({
  /** Mail whose author is of this domain, or of one below it, is signed. */
  domain: mail.domain(),
  /** The name of the key within the domain (RFC 6376 §3.1). */
  selector: textField(
    (text) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(text),
    'a selector',
    'Write a name of letters, digits and hyphens, such as "mail2026".',
  ),
  /** PEM file of the private key, RSA or Ed25519, which only its owner may read; `posthorn dkim keygen` makes one. */
  key: filePath('/etc/posthorn/mail2026.pem'),
});

const reports = z.strictObject({
  /** Who sends them, and whom their readers may ask. */
  from: mail.mailbox().exactOptional(),
  /** Who this is, for people. */
  organization: textField((text) => /^[^\p{Cc}]{1,200}$/u.test(text), 'a name', 'Write one line.').exactOptional(),
  /** Octets that what is counted within a day may take in `dataDir`. */
  size: size(65_536, '64MB').prefault('64MB'),
});

/**
 * How mail is told from what only pretends to be it. It is on by default, for a stranger's mail that nobody looked at is
 * worth nothing to those who filter it behind this server; that costs some look-ups of each message that comes to a
 * listener of the role `mx`. Clients on this machine, in `relayFrom` or with a login are never checked, and by default
 * nothing is refused: what is found stands in Authentication-Results (RFC 8601 §5).
 */
export const mailAuthenticationFields = z.strictObject({
  /** Whether the domain of the sender lets the client send for it; `reject`: what it says no to is refused, `strict`: and what has a policy that cannot be read (RFC 7208 §8). */
  spf: choice('off', 'record', 'reject', 'strict').prefault('record'),
  dkim: z
    .strictObject({
      /** Whether signatures are looked at (RFC 6376 §6). */
      verify: flag().prefault(true),
      /** Which mail of strangers is refused: that without a signature that passes, or without one of its author's domain. */
      require: choice('nothing', 'signature', 'author').prefault('nothing'),
      /** The keys that mail from logins and from `relayFrom` is signed with as it leaves; each one that fits its author makes a signature. */
      sign: z.array(signingKey).prefault([]),
    })
    .prefault({}),
  /**
   * What is done with mail that its author's domain does not vouch for: `mark` puts the field Posthorn-Quarantine into what
   * it wants apart or refused; `reject` refuses what it wants refused, lists and forwards among it (RFC 9989 §7.4).
   */
  dmarc: choice('off', 'record', 'mark', 'reject').prefault('mark'),
  /** Daily reports to the domains that ask for them; without it none are sent (RFC 9990 §3). */
  dmarcReports: reports.exactOptional(),
  arc: z
    .strictObject({
      /** Whether chains are looked at; `reject`: a broken one is refused (RFC 8617 §5.2). */
      verify: choice('off', 'record', 'reject').prefault('record'),
      /** Hosts whose seal outweighs what the author's domain says of mail that they passed on: by the domain that seals. */
      trust: z.array(mail.domain()).prefault([]),
      /** The key that mail of strangers is sealed with before it is passed on (RFC 8617 §5.1). */
      seal: signingKey.exactOptional(),
    })
    .prefault({}),
});

/** A key as it is configured. */
export type SigningKeyConfig = z.output<typeof signingKey>;
