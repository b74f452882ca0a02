import { parseScramKeys } from '@posthorn/smtp/sasl/scram-keys';
import { z } from 'zod';
import { field } from './field.ts';
import { count, duration, filePath, textField } from './fields.ts';

/** Ways to log in, the strongest first. */
const mechanisms = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'EXTERNAL',
  'OAUTHBEARER',
  'XOAUTH2',
  'CRAM-MD5',
  'NTLM',
  'PLAIN',
  'LOGIN',
] as const;

/** A way to log in. */
export type Mechanism = (typeof mechanisms)[number];

const mechanism = () =>
  field<Mechanism>({
    parse: (value) => mechanisms.find((name) => name === value),
    expected: 'a way to log in',
    remedy: `Write one of: ${mechanisms.join(', ')}.`,
  });

/**
 * How clients may log in on a listener. By default PLAIN and LOGIN; SCRAM-SHA-256 where every user has keys for it; EXTERNAL
 * on all but `mx` where one has a certificate; OAUTHBEARER and XOAUTH2 with `logins.oauth`; and CRAM-MD5 where mail is
 * fetched (RFC 4954 §3).
 */
export const listenerMechanisms = () => z.array(mechanism()).min(1).exactOptional();

/** Something that only the two ends of a login know; never shown. */
export const secret = () =>
  field<string>({
    parse: (value) => (typeof value === 'string' && /^[^\p{Cc}]{1,1000}$/u.test(value) ? value : undefined),
    expected: 'a secret',
    remedy: 'Write a text of up to 1000 characters on one line.',
    complain: () => 'must be a secret: a text on one line',
  });

/** What is kept of a password for SCRAM; never shown (RFC 5803 §2). */
const scramKeys = () =>
  field<string>({
    parse: (value) => (typeof value === 'string' && parseScramKeys(value) ? value : undefined),
    expected: 'keys in the form SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey',
    remedy: 'Run `posthorn user hash`, type the password, and write what it prints.',
    complain: () => 'must be keys in the form SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey',
  });

/** SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` and others write it; made 64 lower-case digits. */
const fingerprint = () =>
  field<string>({
    parse: (value) => {
      const text = typeof value === 'string' ? value.replaceAll(':', '').toLowerCase() : '';
      return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
    },
    expected: 'the SHA-256 fingerprint of a certificate',
    remedy: 'Run `openssl x509 -in cert.pem -noout -fingerprint -sha256`, and write what is behind "=".',
  });

/** How a user logs in, beside the password. */
export const loginUserFields = {
  /** What is kept of the password for SCRAM, from `posthorn user hash`; one for each hash function (RFC 5802 §3). */
  scramKeys: z.array(scramKeys()).prefault([]),
  /** Certificates that the user shows in the handshake, by their SHA-256 fingerprints, for EXTERNAL (RFC 4422 §A). */
  certificates: z.array(fingerprint()).prefault([]),
  /** The NT hash of the password for NTLM, 32 hexadecimal digits. It is as good as the password: keep the file to yourself ([MS-NLMP] §3.3.1). */
  ntHash: field<string>({
    parse: (value) => (typeof value === 'string' && /^[0-9a-f]{32}$/i.test(value) ? value : undefined),
    expected: 'an NT hash',
    remedy: 'Run `posthorn user hash --nt`, type the password, and write what it prints.',
    complain: () => 'must be an NT hash of 32 hexadecimal digits',
  }).exactOptional(),
};

/** A service over HTTP that passes no secret to strangers: within TLS, or on this host. */
const privateUrl = () =>
  textField(
    (text) => {
      if (!URL.canParse(text)) return false;
      const { protocol, hostname, username, password } = new URL(text);
      const isHere = hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
      return username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && isHere));
    },
    'an https address, or http on this host, without a login in it',
    'Write an address such as "https://id.example.org/introspect".',
  );

/** Where else it is known who may log in, and how often that may fail. */
export const loginFields = z
  .strictObject({
    /** The socket of Dovecot's authentication service, for clients: it is asked about passwords that are not right for a user here. */
    dovecot: filePath('/run/dovecot/auth-client').exactOptional(),
    /** Takes tokens by OAUTHBEARER and XOAUTH2 (RFC 7628 §3). */
    oauth: z
      .strictObject({
        /** Where it is asked whether a token is good (RFC 7662 §2). */
        introspection: privateUrl(),
        /** How this server says there who it is. */
        clientId: secret().exactOptional(),
        clientSecret: secret().exactOptional(),
        /** A file whose first line is that secret. */
        clientSecretFile: filePath('/etc/posthorn/oauth.secret').exactOptional(),
        /** What a token must be good for, a word that its scope holds; clients are told. */
        scope: textField(
          (text) => /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(text),
          'a scope',
          'Write one word, such as "smtp".',
        ).exactOptional(),
        /** The member of the answer that is the login: `username` by default. */
        loginField: textField(
          (text) => /^[\w.-]{1,100}$/.test(text),
          'the name of a member',
          'Write a name such as "username", "email" or "sub".',
        ).prefault('username'),
        /** Where clients learn how to get a token; they are told. */
        configuration: privateUrl().exactOptional(),
      })
      .exactOptional(),
    /** Failures of one client address within `period`, over all of its logins, after which it has to wait. */
    addressFailures: count(1, 1_000_000).prefault(20),
    /** Failures of one login within `period`, from all addresses that it never succeeded from. */
    loginFailures: count(1, 1_000_000).prefault(100),
    period: duration('1s', '1h').prefault('1h'),
    /** The longest that Dovecot or the introspection may take. */
    timeout: duration('100ms', '10s').prefault('10s'),
  })
  .prefault({});
