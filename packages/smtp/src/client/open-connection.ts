import { formatCommand } from '../command/format-command.ts';
import { formatAtrn, formatEtrn, parseAtrn, parseEtrn } from '../command/turn-arguments.ts';
import { Failure } from '../failure/failure.ts';
import { AbortWatch } from '../net/abort-watch.ts';
import { Alarms } from '../net/alarms.ts';
import type { Capabilities } from '../protocol/client-capabilities.ts';
import type { Privacy } from '../protocol/client-setup.ts';
import type { Reply } from '../reply/reply.ts';
import type { ConnectOptions } from './connect-client.ts';
import { connectDiscovered, type DiscoveredOptions } from './connect-discovered.ts';
import type { ClientConnection, Turned } from './connection.ts';
import { Job, type Patience } from './job.ts';
import { type ClientMessage, toParcel } from './message.ts';
import type { SendResult } from './send-result.ts';

/** One session with one host (RFC 5321 §3.1). Messages given to it at the same time are pipelined where the host offers that. */
export interface Connection extends AsyncDisposable {
  readonly capabilities: Capabilities;
  readonly greeting: Reply | undefined;
  readonly privacy: Privacy;
  /** Whether messages can still be sent. */
  readonly usable: boolean;
  /**
   * Sends a message. Whatever the host or the network does is a result per recipient; it rejects only for what is wrong
   * with the message itself, with Failure `invalid`, before anything is sent.
   */
  send(message: ClientMessage, patience?: Patience): Promise<SendResult>;
  /**
   * VRFY. This and the following reject with ConnectionFailure when no reply comes, and with Failure `invalid` for letters
   * beyond ASCII where the host does not offer SMTPUTF8 (RFC 5321 §3.5, RFC 6531 §3.7.4.2).
   */
  verify(argument: string): Promise<Reply>;
  /** EXPN: the members of a list, one in each line (RFC 5321 §3.5). */
  expand(argument: string): Promise<Reply>;
  /**
   * ETRN for a node, or with `@` before it for a domain and all below it, or with `#` for a queue: the host sends what waits
   * on connections of its own. After a 5yz no more should be sent (RFC 1985 §5.2).
   */
  etrn(node: string): Promise<Reply>;
  /** ATRN for some domains, or all of the login: waits for ten minutes (RFC 2645 §5.2.1). */
  atrn(domains: readonly string[]): Promise<Turned>;
  /** TURN (RFC 821 §3.8). */
  turn(): Promise<Turned>;
  noop(): Promise<Reply>;
  reset(): Promise<Reply>;
  /** QUIT behind what is under way (RFC 5321 §4.1.1.10). */
  close(): Promise<void>;
  /** Drops the connection at once; what has no reply yet fails with `aborted`. */
  drop(): void;
}

class SingleConnection implements Connection {
  readonly #connection: ClientConnection;
  readonly #alarms = new Alarms();
  readonly #aborts = new AbortWatch();

  constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  get capabilities(): Capabilities {
    return this.#connection.capabilities;
  }

  get greeting(): Reply | undefined {
    return this.#connection.greeting;
  }

  get privacy(): Privacy {
    return this.#connection.privacy;
  }

  get usable(): boolean {
    return this.#connection.usable;
  }

  async send(message: ClientMessage, patience: Patience = {}): Promise<SendResult> {
    const parcel = await toParcel(message);
    return new Promise((resolve) => {
      const job = new Job({ ...patience, parcel, alarms: this.#alarms, aborts: this.#aborts, done: resolve });
      if (!job.finished) this.#run(job);
    });
  }

  verify(argument: string): Promise<Reply> {
    return this.#lookUp('VRFY', argument);
  }

  expand(argument: string): Promise<Reply> {
    return this.#lookUp('EXPN', argument);
  }

  async etrn(node: string): Promise<Reply> {
    const request = parseEtrn(node);
    if (request === undefined) throw new Failure('invalid', `ETRN takes no ${JSON.stringify(node)}`);
    return this.#connection.command(formatCommand({ verb: 'ETRN', argument: formatEtrn(request) }));
  }

  async atrn(domains: readonly string[]): Promise<Turned> {
    const argument = formatAtrn(domains);
    if (parseAtrn(argument) === undefined) throw new Failure('invalid', 'ATRN takes full domains in ASCII');
    return this.#connection.turn(formatCommand({ verb: 'ATRN', argument }));
  }

  turn(): Promise<Turned> {
    return this.#connection.turn(formatCommand({ verb: 'TURN' }));
  }

  noop(): Promise<Reply> {
    return this.#connection.command('NOOP');
  }

  reset(): Promise<Reply> {
    return this.#connection.command('RSET');
  }

  async close(): Promise<void> {
    await this.#connection.quit();
    this.#alarms.clearAll();
  }

  drop(): void {
    this.#connection.drop('aborted');
    this.#alarms.clearAll();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #lookUp(verb: 'VRFY' | 'EXPN', argument: string): Promise<Reply> {
    if (/\p{Cc}/u.test(argument)) throw new Failure('invalid', `${verb} takes one line`);
    const isForeign = /[^\0-\x7f]/.test(argument);
    if (isForeign && !this.capabilities.offered.has('SMTPUTF8')) {
      throw new Failure('invalid', `${verb} takes ASCII alone, as the host does not offer SMTPUTF8`);
    }
    return this.#connection.command(formatCommand({ verb, argument: isForeign ? `${argument} SMTPUTF8` : argument }));
  }

  #run(job: Job): void {
    const { failure } = this.#connection;
    const next = (step: 'again' | 'done') => (step === 'done' ? job.finish() : this.#run(job));
    if (failure !== undefined) job.cancel(failure);
    else if (!job.start(this.#connection, next)) {
      job.cancel(new Failure('limit', 'the host takes no more in this session'));
    }
  }
}

/** Opens a session with a host. Rejects with ConnectionFailure, or Failure `invalid` (RFC 5321 §3.1). */
export async function openConnection(
  options: (ConnectOptions | DiscoveredOptions) & { readonly signal?: AbortSignal },
): Promise<Connection> {
  return new SingleConnection(await connectDiscovered(options, options.signal));
}
