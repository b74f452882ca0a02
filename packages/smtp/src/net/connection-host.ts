import type { ServerTls } from './server-tls.ts';

/** What all connections of a listener have in common. */
export interface ConnectionHost {
  /** Undefined when there is no certificate. */
  readonly tls: ServerTls | undefined;
  /** Milliseconds that a question may take. */
  readonly handlerTime: number;
  /** Milliseconds of a steady clock. */
  now(): number;
  /** An application's exception, or a fault of our own. */
  report(error: unknown): void;
  closed(connection: Connection): void;
}

/** A connection, as whoever holds many of them needs it. */
export interface Connection {
  tick(now: number): void;
  drain(): void;
  abandon(why: 'shutdown' | 'fault'): void;
  destroy(): void;
}
