import type { TlsState } from '../protocol/dialogue.ts';

/** What a session tells or asks; `starttls` is a question that only a host with a certificate can say yes to. */
export interface AnyEvent {
  readonly kind: string;
}

/** The server's side of a session of any protocol, as a connection pumps it; times are those of a steady clock. */
export interface ServedSession<E extends AnyEvent, A> {
  /** The answer that stands for a fault of ours, and the one to `starttls` without a certificate. */
  readonly failed: A;
  readonly tlsUnavailable: A;
  /** Whether nothing follows but the output at hand. */
  readonly isOver: boolean;
  /** Whether the connection belongs to somebody else behind the output at hand: the roles of its ends are reversed. */
  readonly isTurned?: boolean;
  /** Whether a question is open. */
  readonly isAsking: boolean;
  /** Whether the TLS handshake is due, once the output is written. */
  readonly awaitsTls: boolean;
  /** Whether the output must not wait for the answer to an open question. */
  readonly isUrgent: boolean;
  /** Characters of output at hand. */
  readonly outputLength: number;
  receive(bytes: Buffer, now: number): void;
  /** The next event; undefined while a question is open, or when more octets are needed. */
  next(): E | undefined;
  answer(answer: A, now: number): void;
  /** What is to be written, as UTF-8. */
  takeOutput(): string;
  /** Milliseconds that the output is to be held back; asking resets it. */
  takeDelay(): number;
  secured(tls: TlsState, now: number): void;
  /** When `expire` has something to do. */
  deadline(): number;
  expire(now: number): void;
  /** Ends the session when what is under way is done. */
  shutdown(): void;
  /** Ends the session at once. */
  abandon(why: 'shutdown' | 'fault'): void;
}
