import type { Envelope } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';

/** The part of a `pino` logger that the agent writes to. */
export interface LogSink {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** The agent's log: one line an event, the queue id first, never a secret nor content. */
export class Log {
  readonly #sink: LogSink;

  constructor(sink: LogSink) {
    this.#sink = sink;
  }

  info(fields: object, text: string): void {
    this.#sink.info(fields, text);
  }

  warn(fields: object, text: string): void {
    this.#sink.warn(fields, text);
  }

  error(fields: object, text: string): void {
    this.#sink.error(fields, text);
  }

  /** One line for each recipient that an attempt decided about. */
  outcomes({ id, recipients }: Envelope, outcomes: ReadonlyMap<number, Outcome>): void {
    for (const [index, { kind, status, remoteHost, reply, text }] of outcomes) {
      const to = recipients[index]?.address;
      const said = reply === undefined ? text : `${reply.code} ${reply.lines.join(' ')}`;
      this.#sink.info({ id, to, status, host: remoteHost, said }, kind);
    }
  }
}
