import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { z } from 'zod';
import { type TlsLevel, tlsLevels } from '../routing/outbound-tls.ts';
import { field } from './field.ts';
import { filePath, flag, textField } from './fields.ts';
import * as mail from './mail-fields.ts';
import { named } from './named.ts';
import { suggest } from './suggest.ts';

const tlsLevel = () =>
  field<TlsLevel>({
    parse: (value) => tlsLevels.find((level) => level === value),
    expected: 'a level of TLS',
    remedy: `Write one of ${tlsLevels.join(', ')}.`,
    complain: (value) => {
      const meant = typeof value === 'string' ? suggest(value, tlsLevels) : undefined;
      return `is no level of TLS${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    },
  });

const certifiedName = () =>
  textField(
    (text) => normalizeDomain(text.startsWith('.') ? text.slice(1) : text) !== undefined && !text.includes('['),
    'a name in a certificate',
    'Write the name of a host, such as "mx.example.org", or ".example.org" for all below it.',
  );

const certificate = {
  /** PEM file of the certificate and its chain. */
  cert: filePath('cert.pem'),
  /** PEM file of the private key. */
  key: filePath('key.pem'),
};

const served = () =>
  textField(
    (text) => {
      const name = text.startsWith('*.') ? text.slice(2) : text;
      return !name.startsWith('[') && normalizeDomain(name) === name.toLowerCase();
    },
    'a name that clients ask for',
    'Write the name of this host, such as "mail.example.net", or "*.example.net" for all one label below it.',
  );

/** The versions of TLS that may be the oldest one (RFC 8996 §4). */
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** What this host proves itself with. */
export const tls = z.strictObject({
  ...certificate,
  /** Certificates for clients that ask for another name of this host (RFC 6066 §3). */
  names: named(served(), z.strictObject(certificate)).exactOptional(),
  /** The oldest version that is spoken. */
  minVersion: field<(typeof versions)[number]>({
    parse: (value) => versions.find((version) => version === value),
    expected: 'TLSv1.2 or TLSv1.3',
    remedy: 'Write "TLSv1.2", which mail from everywhere needs, or "TLSv1.3"; older ones are broken.',
  }).prefault('TLSv1.2'),
});

/** How mail to other hosts is secured (RFC 3207 §6). */
export const outboundTls = z.strictObject({
  /**
   * For domains that are not named below: `none`, `may`, `encrypt`, `verify`, `dane` or `mta-sts`. Of `may` and `encrypt`
   * more is made where the domain publishes it.
   */
  default: tlsLevel().prefault('may'),
  /** Whether the policies of domains are asked for and heeded (RFC 8461 §5). */
  mtaSts: flag().prefault(true),
  /** What holds for some domains, exactly so; the first pattern that fits decides. */
  domains: named(
    mail.domainPattern(),
    z.strictObject({
      level: tlsLevel(),
      /** Names that the certificate may be for; needed for `verify` where others name the hosts of the domain. */
      names: z.array(certifiedName()).min(1).exactOptional(),
    }),
  ).prefault({}),
});

/** Which name servers are asked, and how far they are believed. */
export const dns = z.strictObject({
  /** Name servers instead of those of the system. */
  servers: z.array(mail.nameServer()).min(1).exactOptional(),
  /** Whether they validate what they say, so that TLSA records count: DANE (RFC 7672 §2). */
  validating: flag().prefault(false),
  /** Whether the way to servers beyond this machine is so safe that nobody can forge what they say (RFC 4035 §4.9.3). */
  trustAd: flag().exactOptional(),
});

/** Reports on TLS to the domains that want them (RFC 8460 §3). */
export const tlsReports = z.strictObject({
  /** Who reports. */
  organization: textField(
    (text) => text.trim() !== '' && text.length <= 200 && !/\p{Cc}/u.test(text),
    'a name',
    'Write the name of who runs this host, such as "Example Ltd".',
  ),
  /** Who answers for them; they come from this address. */
  contact: mail.mailbox(),
});
