/** What a client waits for; the step that decides about a recipient is one of these (RFC 5321 §4.5.3.2). */
export type Phase = 'connect' | 'greeting' | 'hello' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'text';

/** How long each reply is waited for, in milliseconds (RFC 5321 §4.5.3.2). */
export interface ClientTimeouts {
  /** Until the connection stands. */
  readonly connect: number;
  readonly greeting: number;
  readonly hello: number;
  /** The reply to STARTTLS, and the handshake. */
  readonly tls: number;
  /** Each reply of an AUTH exchange. */
  readonly auth: number;
  readonly mail: number;
  readonly rcpt: number;
  /** The go-ahead after DATA. */
  readonly data: number;
  /** Until the host has taken a piece of text. */
  readonly block: number;
  /** The reply to the whole text. */
  readonly text: number;
  /** RSET, NOOP, VRFY, EXPN. */
  readonly command: number;
  readonly quit: number;
  /** ATRN and TURN, for which the host may have to go through its queue (RFC 2645 §5.2.1). */
  readonly turn: number;
}

const minute = 60_000;

/** The least that is asked of a patient client (RFC 5321 §4.5.3.2, RFC 2645 §5.2.1). */
export const defaultTimeouts: ClientTimeouts = {
  connect: minute / 2,
  greeting: 5 * minute,
  hello: 5 * minute,
  tls: minute,
  auth: 5 * minute,
  mail: 5 * minute,
  rcpt: 5 * minute,
  data: 2 * minute,
  block: 3 * minute,
  text: 10 * minute,
  command: 2 * minute,
  quit: minute / 6,
  turn: 10 * minute,
};
