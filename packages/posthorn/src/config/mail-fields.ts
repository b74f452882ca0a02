import { isIP } from 'node:net';
import { isDomain, parseLiteral } from '@posthorn/smtp/address/domain';
import { type Network, parseNetwork } from '@posthorn/smtp/address/network';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { parseEtrn } from '@posthorn/smtp/command/turn-arguments';
import { z } from 'zod';
import { parseAliasTarget } from '../directory/alias-target.ts';
import { parseNameServer } from '../dns/name-server.ts';
import { parseDomainPattern } from '../routing/domain-pattern.ts';
import { parseTarget } from '../routing/target.ts';
import { explain } from './explain.ts';
import { field } from './field.ts';
import { count, textField } from './fields.ts';
import { parsePasswordHash } from './password.ts';

/** A full host name, or an address literal (RFC 5321 §2.3.5). */
export const hostname = () =>
  textField(
    (text) => (isDomain(text) && text.includes('.') && !/^[\d.]+$/.test(text)) || parseLiteral(text) !== undefined,
    'a full host name or an address literal',
    'Write the name that DNS has for this host, such as "mx.example.org", or an address as "[192.0.2.1]".',
  );

/** An IP address without port. */
export const ipAddress = () =>
  textField((text) => isIP(text) !== 0, 'an IP address', 'Write an address such as "0.0.0.0", "::" or "127.0.0.1".');

/** A port; 0 lets the system choose. */
export const port = () => count(0, 65_535);

/** An IP network or address. */
export const network = () =>
  field<string, Network>({
    parse: (value) => (typeof value === 'string' ? parseNetwork(value) : undefined),
    expected: 'an IP network',
    remedy: 'Write an address with its prefix length, such as "10.0.0.0/8" or "2001:db8::/32", or a single address.',
  });

/** A name server with an optional port. */
export const nameServer = () =>
  textField(
    (text) => parseNameServer(text) !== undefined,
    'the address of a name server',
    'Write an address with or without a port, such as "127.0.0.1", "127.0.0.1:5353" or "[::1]:53".',
  );

/** A mailbox with its domain (RFC 5321 §4.1.2). */
export const mailbox = () =>
  textField(
    (text) => parseMailbox(text, { utf8: true }) !== undefined,
    'a mail address',
    'Write an address such as "alice@example.org".',
  );

/** The part of an address before the @ (RFC 5321 §4.1.2). */
export const localPart = () =>
  textField(isLocalPart, 'the part of an address before the @', 'Write a name such as "alice", without the domain.');

/** What an alias leads to: a local-part of the same domain, a mailbox, a program, a file, or what a file includes. */
export const aliasTarget = () =>
  textField(
    (text) => parseAliasTarget(text, 'example.org') !== undefined,
    'a mailbox of this domain, a mail address, a program or a file',
    'Write a name such as "alice", an address such as "alice@example.org", "|command", "/file" or ":include:/file".',
  );

/** Characters that part a name from its detail. */
export const separator = () =>
  textField((text) => /^[!#$%&'*+\-/=?^_`{|}~]{0,5}$/.test(text), 'up to five signs', 'Write "+", or "" for none.');

function isLocalPart(text: string): boolean {
  return parseMailbox(`${text}@example.org`, { utf8: true }) !== undefined;
}

/** A domain that mail is taken for; made comparable: lower case, A-labels (RFC 5890 §2.3.2.1). */
export const domain = () =>
  field<string>({
    parse: (value) => (typeof value === 'string' && !value.startsWith('[') ? normalizeDomain(value) : undefined),
    expected: 'a domain',
    remedy: 'Write a domain such as "example.org".',
  });

/** The domains that a route is for. */
export const domainPattern = () =>
  textField(
    (text) => parseDomainPattern(text) !== undefined,
    'a domain, *.domain or *',
    'Write a domain such as "example.org", "*.example.org" for all below it, or "*" for all.',
  );

/** Whose mail is asked for by ETRN (RFC 1985 §5). */
export const etrnNode = () =>
  textField(
    (text) => parseEtrn(text) !== undefined,
    'a domain, @domain or #queue',
    'Write a domain such as "example.org", or "@example.org" for it and all below it.',
  );

/** Where mail goes. Never shown, as it may hold a password. */
export const target = (example: string) =>
  field<string>({
    parse: (value) => (typeof value === 'string' && typeof parseTarget(value) !== 'string' ? value : undefined),
    expected: 'a target',
    remedy: `Write a target such as "${example}".`,
    complain: (value) => `must be a target: ${typeof value === 'string' ? parseTarget(value) : 'write it as text'}`,
  });

/** The hash of a password; a password in the clear is refused and never shown (RFC 7914 §6). */
export const passwordHash = () =>
  field<string>({
    parse: (value) => (typeof value === 'string' && parsePasswordHash(value) ? value : undefined),
    expected: 'a hash in the form scrypt:N:r:p:salt:hash',
    remedy: 'Run `posthorn user hash`, type the password, and write what it prints.',
    complain: () => 'must be a hash in the form scrypt:N:r:p:salt:hash, never the password itself',
  });

/** The name that a client logs in with. */
export const login = () =>
  textField(
    (text) => /^[^\s\0-\x1f\x7f]{1,255}$/.test(text),
    'a login',
    'Write a name without blanks, such as "alice".',
  );

/** A list of local-parts, or `*` for any. */
export const mailboxNames = () => {
  const list = z.array(localPart());
  return z
    .custom<readonly string[] | '*'>(() => true)
    .transform((value, context): readonly string[] | '*' => {
      if (value === '*') return value;
      const checked = list.safeParse(value, { error: explain });
      for (const issue of checked.error?.issues ?? []) context.issues.push({ ...issue, input: undefined });
      return checked.data ?? z.NEVER;
    });
};
