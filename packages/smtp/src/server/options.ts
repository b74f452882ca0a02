import type { ListenAddress } from '../net/server-host.ts';
import type { TlsSettings } from '../net/server-tls.ts';
import type { ExtensionRules } from '../protocol/extension-rules.ts';
import type { Role, ServerRules, SessionLimits } from '../protocol/server-rules.ts';
import type { TokenRefusal } from '../sasl/oauth.ts';
import type { ErrorListener } from './conversation.ts';
import type { ServerHandlers } from './handlers.ts';
import type { MechanismName } from './mechanisms.ts';

/** All that a server bounds; what is left out has a default. */
export interface ServerLimits extends SessionLimits {
  /** Connections at once. */
  readonly connections: number;
  /** From one IPv4 address, or one IPv6 network of 64 bits. */
  readonly connectionsPerAddress: number;
  /** Milliseconds that a handler may take for an answer; on submission never more than two minutes (RFC 5321 §4.5.3.2.6, RFC 6409 §5.3). */
  readonly handlerTime: number;
}

const minute = 60_000;

/** What holds where nothing else is said. */
export const defaultLimits: ServerLimits = {
  connections: 10_000,
  connectionsPerAddress: 100,
  messageSize: 52_428_800,
  recipients: 1000,
  mails: 0,
  recipientDomains: 0,
  errors: 20,
  authFailures: 5,
  errorDelay: 1000,
  idleTime: 5 * minute,
  sessionTime: 120 * minute,
  handlerTime: 5 * minute,
};

/** A server: what it is called, what it proves itself with, what it decides. */
export interface ServerOptions<State = unknown> {
  /** The name it greets with: a domain or an address literal (RFC 5321 §4.3.1). */
  readonly hostname: string;
  readonly handlers: ServerHandlers<State>;
  /** Makes `session.state` when a session begins. */
  readonly state?: () => State;
  /** Without it there is neither STARTTLS nor TLS from the beginning, and so no AUTH. */
  readonly tls?: TlsSettings;
  readonly limits?: Partial<ServerLimits>;
  /**
   * Extensions that the handlers keep the promises of: what a client asks for is in `transaction.mail` and in the parameters of
   * each recipient. Default: none.
   */
  readonly extensions?: ExtensionRules;
  /** A text with a bare CR or LF: refused (the default), or each is made a CRLF (RFC 5321 §2.3.8). */
  readonly bareLineEnds?: ServerRules['bareLineEnds'];
  /** Clients that talk before they are asked: allowed (the default), or turned away (RFC 5321 §4.3.1, RFC 2920 §3.1). */
  readonly earlyTalk?: ServerRules['earlyTalk'];
  /** Lets passwords go over the wire for all to see (RFC 8314 §4). */
  readonly allowCleartextAuth?: boolean;
  /** What a client is told whose token is not taken. */
  readonly tokens?: TokenRefusal;
  /**
   * 32 octets or more that only the server knows: from them SCRAM invents users that there are none of, so that they look the
   * same as others each time. Default: new ones at each start (RFC 5802 §9).
   */
  readonly secret?: Buffer;
  /** The time of day, in milliseconds since the epoch; by default the system's. */
  readonly now?: () => number;
  /** Is told of every exception of a handler; by default it goes to standard error. */
  readonly onError?: ErrorListener<State>;
}

/** Where to listen, and what for. */
export type Listener = ListenAddress & {
  readonly role: Role;
  /** Whether MAIL waits for TLS; always so on submission. Not for a public port 25 (RFC 3207 §4). */
  readonly requireTls?: boolean;
  /**
   * Ways to log in, in the order in which they are told; default: PLAIN and LOGIN, before them on the role `odmr` CRAM-MD5,
   * with the handler `scramKeys` SCRAM-SHA-256, and with `askForCertificate` EXTERNAL. The handler
   * `authenticate` has to know what it is asked by each.
   */
  readonly mechanisms?: readonly MechanismName[];
  /**
   * Whether the handshake asks clients for a certificate, which they need not have; any is taken, so that the application has
   * to know it by its fingerprint. Not for a public port 25: some clients end the handshake then (RFC 8446 §4.3.2).
   */
  readonly askForCertificate?: boolean;
  /** Lets whoever can open the socket submit without a login, for a UNIX socket on `submission` (RFC 6409 §3.3). */
  readonly trusted?: boolean;
  /** Clients that talk before they are asked; default: as the option of the server says. */
  readonly earlyTalk?: ServerRules['earlyTalk'];
  /** Networks whose connections begin with a PROXY header: `10.0.0.0/8`, `::1` (PROXY protocol §5). */
  readonly proxies?: readonly string[];
};
