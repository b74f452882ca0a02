import { z } from 'zod';
import { batchFields } from './batch-fields.ts';
import { directoryFields, disclosure, programs } from './directory-fields.ts';
import { domainConsentFields, extensionFields, userFields } from './extension-fields.ts';
import { count, duration, filePath, flag, size } from './fields.ts';
import { filterFields } from './filter-fields.ts';
import { hostileMarks } from './hostile-fields.ts';
import { listFields } from './list-fields.ts';
import { listenerMechanisms, loginFields, loginUserFields } from './login-fields.ts';
import { mailAuthenticationFields } from './mail-authentication-fields.ts';
import * as mail from './mail-fields.ts';
import { contentFilters } from './milter-fields.ts';
import { named } from './named.ts';
import { etrn, fetchSources, onDemand, onDemandUserFields, turn } from './on-demand-fields.ts';
import { srsFields } from './srs-fields.ts';
import { terminalFields } from './terminal-fields.ts';
import * as secure from './tls-fields.ts';
import { vacationFields } from './vacation-fields.ts';

const proxyProtocol = z.array(mail.network()).prefault([]);

function internetListener<const Role extends string>(role: Role, defaultPort: number) {
  return z.strictObject({
    role: z.literal(role),
    /** The address to listen on; all of this host by default. */
    host: mail.ipAddress().exactOptional(),
    port: mail.port().prefault(defaultPort),
    /** Whether MAIL is refused until TLS is active; not for a public port 25 (RFC 3207 §4). */
    requireTls: flag().prefault(false),
    mechanisms: listenerMechanisms(),
    /** Networks whose connections begin with a PROXY protocol header. */
    proxyProtocol,
  });
}

const lmtpListener = z.strictObject({
  role: z.literal('lmtp'),
  /** A UNIX socket, instead of host and port. */
  path: filePath('/run/posthorn/lmtp.sock').exactOptional(),
  host: mail.ipAddress().prefault('127.0.0.1'),
  port: mail.port().exactOptional(),
  requireTls: flag().prefault(false),
  proxyProtocol,
});

/** Answers those who ask where their message is (RFC 3887 §2). */
const mtqpListener = z.strictObject({
  role: z.literal('mtqp'),
  host: mail.ipAddress().exactOptional(),
  port: mail.port().prefault(1038),
  /** Whether queries are refused until TLS is active. */
  requireTls: flag().prefault(false),
  proxyProtocol,
});

/** Greets everybody with 521: this host takes no mail (RFC 7504 §2). */
const noMailListener = z.strictObject({
  role: z.literal('none'),
  host: mail.ipAddress().exactOptional(),
  port: mail.port().prefault(25),
  requireTls: z.literal(false).prefault(false),
  proxyProtocol,
});

const listener = z.discriminatedUnion('role', [
  internetListener('mx', 25),
  internetListener('submission', 587),
  internetListener('submissions', 465),
  internetListener('odmr', 366),
  mtqpListener,
  lmtpListener,
  noMailListener,
]);

/** A user, as the configuration or a file of users has it. */
export const userSchema = z.strictObject({
  /** `scrypt:N:r:p:salt:hash`, from `posthorn user hash`. Without it no password lets the user in by PLAIN or LOGIN. */
  password: mail.passwordHash().exactOptional(),
  /** The addresses that the user may send as. */
  addresses: z.array(mail.mailbox()).prefault([]),
  ...loginUserFields,
  ...userFields,
  ...onDemandUserFields,
});

const domain = z.strictObject({
  /** Where its mailboxes are: a target with `{local}` and `{domain}`. */
  deliver: mail.target('maildir:/var/mail/{domain}/{local}').exactOptional(),
  /** The names of its mailboxes, or `*` for any. */
  mailboxes: mail.mailboxNames().exactOptional(),
  /** Names that lead to others, or to addresses elsewhere. */
  aliases: named(mail.localPart(), z.array(mail.aliasTarget())).prefault({}),
  /** Whether mail for other names is taken from anyone and sent on. */
  relay: flag().prefault(false),
  /** Whether names that differ in case alone are different mailboxes. */
  caseSensitive: flag().prefault(false),
  /** The characters that part a name from its detail, as in alice+news; empty: none does (RFC 5233 §4). */
  separator: mail.separator().prefault('+'),
  ...directoryFields,
  ...listFields,
  ...batchFields,
  ...vacationFields,
  ...domainConsentFields,
});

const route = z.strictObject({
  domain: mail.domainPattern(),
  to: mail.target('smtp://relay.example.org:587?tls=starttls'),
});

const limits = z.strictObject({
  connections: count(1, 1_000_000).prefault(10_000),
  connectionsPerAddress: count(1, 1_000_000).prefault(100),
  /** Octets of one message. */
  messageSize: size(65_536, '50MB').prefault('50MB'),
  /** Recipients of one message; at least 100 (RFC 5321 §4.5.3.1.8). */
  recipients: count(100, 100_000).prefault(1000),
  /** Refused commands after which a session ends. */
  errors: count(1, 10_000).prefault(20),
  /** How long the reply to each further fault waits once half of the errors are used up. */
  errorDelay: duration('0s', '1s').prefault('1s'),
  /** Messages that one login may hand in within an hour (RFC 5068 §3.1). */
  loginMessages: count(1, 10_000_000).prefault(1000),
  /** Recipients of one login within an hour. */
  loginRecipients: count(1, 100_000_000).prefault(10_000),
  /** The longest that a session may last. */
  sessionTime: duration('1s', '2h').prefault('2h'),
  /** The longest that a session waits for its client; five minutes or more for mail from anywhere (RFC 5321 §4.5.3.2.7). */
  idleTime: duration('1s', '5m').prefault('5m'),
  /** Octets of message text that are held in memory. */
  memory: size(1_048_576, '256MB').prefault('256MB'),
});

const submission = z.strictObject({
  /** What completes addresses without a domain, or with a single label, in mail from logins; without it they are refused (RFC 6409 §4.2). */
  completeDomain: mail.domain().exactOptional(),
  /** Whether mail from logins goes out without the name and address of the client it came from (RFC 8314 §4.3). */
  hideClient: flag().prefault(false),
  /** A socket where every user of this host may hand mail in; by default only the user of the server may, in `dataDir`. */
  socket: filePath('/run/posthorn/submission').exactOptional(),
});

const queue = z.strictObject({
  /** The waits behind the first, second, … try; the last one repeats (RFC 5321 §4.5.4.1). */
  retry: z.array(duration('1s', '30m')).min(1).prefault(['30m', '30m', '2h', '3h']),
  /** How long a message is tried. */
  lifetime: duration('1s', '5d').prefault('5d'),
  /** The same for reports, whose sender is `<>`. */
  reportLifetime: duration('1s', '2d').prefault('2d'),
  /** When the sender is told that a message is late (RFC 3461 §5.2.5). */
  delayWarningAfter: duration('1s', '4h').prefault('4h'),
  /** Connections at a time to one next hop. */
  concurrencyPerDestination: count(1, 1000).prefault(20),
  /** Messages that go over one connection before it is closed. */
  messagesPerConnection: count(1, 100_000).prefault(1000),
  /** How long an open connection waits for the next message. */
  connectionIdleTime: duration('0s', '5s').prefault('5s'),
});

/** The configuration of the agent. */
export const configSchema = z.strictObject({
  /** The name that it greets with and that its mail names; DNS has to know it (RFC 5321 §2.3.5). */
  hostname: mail.hostname(),
  /** Where the queue is kept. */
  dataDir: filePath('/var/lib/posthorn'),
  listeners: z.array(listener).min(1),
  tls: secure.tls.exactOptional(),
  /** PEM file of authorities whose certificates are believed of other hosts, in place of those that Node knows. */
  authorities: filePath('ca.pem').exactOptional(),
  extensions: extensionFields.prefault({}),
  /** Networks whose clients may send to anyone without a login. */
  relayFrom: z.array(mail.network()).prefault([]),
  /** Lets `relayFrom` hold networks so wide that strangers send through it. */
  iKnowThisIsAnOpenRelay: flag().prefault(false),
  limits: limits.prefault({}),
  users: named(mail.login(), userSchema).prefault({}),
  /** More users, in files that `posthorn user` keeps; a change holds from the next login on. */
  userFiles: z.array(filePath('/etc/posthorn/users')).prefault([]),
  logins: loginFields,
  domains: named(mail.domain(), domain).prefault({}),
  disclosure: disclosure.prefault({}),
  programs: programs.prefault({}),
  /** The first that fits a domain decides; mail exchangers for all others. */
  routes: z.array(route).prefault([]),
  submission: submission.prefault({}),
  odmr: onDemand.prefault({}),
  /** Without it ETRN is not offered. */
  etrn: etrn.exactOptional(),
  turn: turn(),
  fetch: fetchSources,
  terminals: terminalFields.exactOptional(),
  queue: queue.prefault({}),
  dns: secure.dns.prefault({}),
  outboundTls: secure.outboundTls.prefault({}),
  /** Without it nobody gets reports on TLS. */
  tlsReports: secure.tlsReports.exactOptional(),
  /** Rewrites the sender of mail that is forwarded to other hosts; without it that stays as it is. */
  srs: srsFields.exactOptional(),
  /** What strangers that bring mail are judged by. */
  filters: filterFields.prefault({}),
  /** Which mail of strangers is what it says, and the signatures of one's own. */
  mailAuthentication: mailAuthenticationFields.prefault({}),
  /** Programs that look at messages before they are accepted, in the order in which they are asked. */
  contentFilters,
  /** Marks of mail that is never delivered nor reported: what a filter before this server found hostile (RFC 5321 §6.2). */
  hostile: hostileMarks.prefault([]),
  /** Who reads mail for a postmaster that has no mailbox of its own (RFC 5321 §4.5.1). */
  postmaster: mail.mailbox().exactOptional(),
});

/** A configuration as it is written. */
export type ConfigInput = z.input<typeof configSchema>;

/** A configuration that was checked: defaults are filled in, sizes are octets, durations milliseconds. */
export type Config = z.output<typeof configSchema>;
