import type { MailParameters, RcptParameters } from '../command/parameters.ts';
import type { Reply } from '../reply/reply.ts';

/** How a connection is secured; every one but `opportunistic` and `none` fails closed (RFC 3207 §4, RFC 8314 §3). */
export type Tls = 'implicit' | 'starttls' | 'opportunistic' | 'none';

/** The text of a message: CRLF or LF line ends for strings and streams alike. */
export type Text = string | Uint8Array | AsyncIterable<Uint8Array>;

/** Who a message goes to (RFC 5321 §2.3.1); addresses are `local@domain`. */
export interface ClientEnvelope {
  /** The empty string is the null reverse-path. */
  readonly from: string;
  readonly to: readonly (string | ({ readonly address: string } & RcptParameters))[];
  readonly mail?: MailParameters;
}

/** What became of one recipient (RFC 5321 §4.2.1, RFC 2033 §4.2). */
export interface RecipientResult {
  readonly address: string;
  readonly kind: 'accepted' | 'deferred' | 'refused';
  /** The reply that decided; absent when the connection failed first (then `kind` is deferred). */
  readonly reply?: Reply;
  /** The step that decided. */
  readonly phase: 'connect' | 'greeting' | 'hello' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'text';
}
