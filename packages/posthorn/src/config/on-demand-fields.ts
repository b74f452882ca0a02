import { z } from 'zod';
import { field } from './field.ts';
import { count, duration, filePath, flag, textField } from './fields.ts';
import { secret } from './login-fields.ts';
import * as mail from './mail-fields.ts';
import { named } from './named.ts';

/** One word of a list. */
function choice<const Word extends string>(words: readonly Word[], expected: string) {
  const list = words.join(', ');
  return field<Word>({
    parse: (value) => words.find((word) => word === value),
    expected,
    remedy: `Write one of: ${list}.`,
  });
}

const requestsPerMinute = () => count(1, 100_000).prefault(20);

const queueName = () =>
  textField(
    (text) => /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(text),
    'the name of a queue',
    'Write a name of letters, digits, ".", "_" and "-", such as "uucp".',
  );

/** What a user may fetch, and how it logs in without its password. */
export const onDemandUserFields = {
  /** The secret of CRAM-MD5. It stands here in the clear, since the mechanism needs it so: keep the file to yourself (RFC 2195 §4). */
  cramSecret: secret().exactOptional(),
  /** Networks whose clients are this user without any password, by EXTERNAL: only where nobody else can have an address of them (RFC 2645 §5.1.2). */
  networks: z.array(mail.network()).prefault([]),
  /** Domains whose mail the user may fetch by ATRN: those that a route leads to `odmr:` (RFC 2645 §4). */
  atrnDomains: z.array(mail.domain()).prefault([]),
};

/** Mail that its hosts fetch: what the listeners of the role `odmr` keep to. */
export const onDemand = z.strictObject({
  /** A file that says more of who may fetch what: lines with a login, a blank, and domains with blanks between them; read for each request. */
  domainsFile: filePath('/etc/posthorn/odmr').exactOptional(),
  /** Requests of one login within a minute; more are refused. */
  requestsPerMinute: requestsPerMinute(),
});

/** ETRN: who may have the queue for a domain worked off at once (RFC 1985 §3, RFC 2505 §2.12). */
export const etrn = z.strictObject({
  /** Networks whose clients may. */
  networks: z.array(mail.network()).prefault([]),
  /** Logins that may. */
  logins: z.array(mail.login()).prefault([]),
  /** For which domains; by default those that mail is relayed to. */
  domains: z.array(mail.domainPattern()).exactOptional(),
  /** What `#name` stands for: domains by the name of a queue (RFC 1985 §5.3). */
  queues: named(queueName(), z.array(mail.domain()).min(1)).prefault({}),
  /** Requests of one client within a minute; more are refused. */
  requestsPerMinute: requestsPerMinute(),
});

/** Whether logins may turn a connection to the role `mx` round by TURN, within TLS, for the mail that they may fetch (RFC 5321 §F.1). */
export const turn = () => flag().prefault(false);

/** Another host that keeps mail for this one. */
const fetchSource = z.strictObject({
  /** A name for the log and for the command line. */
  name: textField((text) => /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(text), 'a name', 'Write a name such as "provider".'),
  /** `atrn`: fetch it over the same connection; `turn`: the same in the old way; `etrn`: have it sent to this host. */
  by: choice(['atrn', 'turn', 'etrn'], 'a way to fetch mail').prefault('atrn'),
  host: textField(
    (text) => /^[a-z0-9.:[\]-]{1,255}$/i.test(text),
    'the name or address of a host',
    'Write a name such as "odmr.example.net".',
  ),
  /** By default 366 for ATRN, else 25. */
  port: mail.port().exactOptional(),
  /** By default `starttls` with a user, else `opportunistic`. A password never goes in the clear: without TLS only SCRAM and CRAM-MD5 are used. */
  tls: choice(['implicit', 'starttls', 'opportunistic', 'none'], 'a way to secure a connection').exactOptional(),
  user: mail.login().exactOptional(),
  password: secret().exactOptional(),
  /** A file whose first line is the password. */
  passwordFile: filePath('/etc/posthorn/provider.secret').exactOptional(),
  /** The domains whose mail is wanted; none: all of the login. For `etrn` nodes as the host knows them, `@` before a domain for all below it. */
  domains: z.array(mail.etrnNode()).prefault([]),
  /** How often. */
  every: duration('10s', '15m').prefault('15m'),
});

/** Mail that this host fetches from others. */
export const fetchSources = z.array(fetchSource).prefault([]);
