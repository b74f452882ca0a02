import { formatMtqpCommand, type TrackingQuery } from './mtqp-command.ts';
import { type MtqpOptions, parseMtqpOptions } from './mtqp-options.ts';
import { type MtqpReply, mtqpReply } from './mtqp-reply.ts';
import { MtqpReplyReader } from './mtqp-reply-reader.ts';

/** What a session is made for. */
export interface MtqpClientOptions {
  /** The name that the server is believed to have, for STARTTLS (RFC 3887 §6). */
  readonly serverName: string;
  /** `try`: go on in clear text where TLS is not to be had; `require`: then do not (RFC 3887 §6.1). */
  readonly startTls: 'no' | 'try' | 'require';
  /** Milliseconds that the server may be silent; at least two minutes, for it may ask others first (RFC 3887 §2.5). */
  readonly replyTime: number;
  /** Milliseconds that only ever grow. */
  readonly clock: () => number;
}

/** Why a session ended; `bye`: QUIT was answered. */
export type MtqpEnding = 'bye' | 'lost' | 'timeout' | 'protocol' | 'aborted';

/** What a session tells. Behind `handshake` nothing is read until `secured`; behind `over` nothing comes. */
export type MtqpClientEvent =
  | { readonly kind: 'handshake' }
  | { readonly kind: 'ready'; readonly options: MtqpOptions }
  /** The greeting, or the reply to STARTTLS, says that no query can be made. */
  | { readonly kind: 'refused'; readonly reply: MtqpReply }
  | { readonly kind: 'reply'; readonly reply: MtqpReply }
  | { readonly kind: 'over'; readonly why: MtqpEnding };

type Stage = 'greeting' | 'starttls' | 'handshake' | 'ready' | 'refused' | 'over';

const noTls = mtqpReply('ERR', 'unsupported', 'The server offers no TLS');

/**
 * The client's side of one session of the tracking query protocol, pure: octets of the server go in by `receive`, events
 * come out by `next`, octets for the server by `takeOutput` (RFC 3887 §2). Queries of a group leave together, and their
 * replies come in their order (RFC 3887 §8).
 */
export class MtqpClientSession {
  readonly #options: MtqpClientOptions;
  readonly #reader = new MtqpReplyReader();
  readonly #events: MtqpClientEvent[] = [];
  #stage: Stage = 'greeting';
  #isSecure = false;
  /** What was asked before the session was ready. */
  #waiting = '';
  #output = '';
  /** Replies that are awaited; with `#quits` the last of them is the goodbye. */
  #awaited = 0;
  #quits = false;
  #since: number;
  #offered: MtqpOptions = parseMtqpOptions([]);

  constructor(options: MtqpClientOptions) {
    this.#options = options;
    this.#since = options.clock();
  }

  get isReady(): boolean {
    return this.#stage === 'ready';
  }

  /** Asks where a message is; `reply` brings the answer (RFC 3887 §4). */
  track(query: TrackingQuery): void {
    this.#say(formatMtqpCommand({ verb: 'TRACK', ...query }));
  }

  /** Says goodbye behind all that was asked (RFC 3887 §7). */
  quit(): void {
    if (this.#quits || this.#stage === 'over') return;
    this.#quits = true;
    this.#say('QUIT\r\n');
  }

  receive(bytes: Buffer): void {
    if (this.#stage !== 'over' && this.#stage !== 'handshake') this.#reader.push(bytes);
  }

  /** The next event; undefined when there is nothing to do but to wait. */
  next(): MtqpClientEvent | undefined {
    while (this.#events.length === 0 && this.#stage !== 'over' && this.#stage !== 'handshake') {
      const reply = this.#reader.next();
      if (reply === undefined) break;
      if (reply === 'garbage') this.#end('protocol');
      else this.#take(reply);
    }
    return this.#events.shift();
  }

  /** Octets to write now; undefined when there are none. */
  takeOutput(): readonly Buffer[] | undefined {
    if (this.#output === '') return undefined;
    const octets = Buffer.from(this.#output, 'latin1');
    this.#output = '';
    return [octets];
  }

  drained(): void {}

  /** Goes on inside TLS; what came before is dropped unread, and what was offered is forgotten (RFC 3887 §6.2). */
  secured(): void {
    if (this.#stage !== 'handshake') return;
    this.#reader.clear();
    this.#isSecure = true;
    this.#enter('greeting');
  }

  /** When the server has been silent for too long; undefined when nothing is awaited of it. */
  deadline(): number | undefined {
    const waits = this.#stage === 'greeting' || this.#stage === 'starttls' || this.#awaited > 0;
    return waits && this.#stage !== 'over' ? this.#since + this.#options.replyTime : undefined;
  }

  /** Ends the session if its deadline has passed. */
  expire(now: number): void {
    const deadline = this.deadline();
    if (deadline !== undefined && deadline <= now) this.#end('timeout');
  }

  /** Ends the session: the connection is gone, or is to be dropped. */
  drop(why: 'lost' | 'aborted'): void {
    this.#end(why);
  }

  #say(line: string): void {
    if (this.#stage === 'over') return;
    if (this.#stage !== 'ready' && this.#stage !== 'refused') {
      this.#waiting += line;
      return;
    }
    if (this.#awaited === 0) this.#since = this.#options.clock();
    this.#awaited += 1;
    this.#output += line;
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#since = this.#options.clock();
  }

  #take(reply: MtqpReply): void {
    this.#since = this.#options.clock();
    if (this.#stage === 'greeting') this.#takeGreeting(reply);
    else if (this.#stage === 'starttls') this.#takeTls(reply);
    else if (this.#awaited === 0) this.#end('protocol');
    else {
      this.#awaited -= 1;
      if (this.#quits && this.#awaited === 0) this.#end('bye');
      else this.#events.push({ kind: 'reply', reply });
    }
  }

  #takeGreeting(greeting: MtqpReply): void {
    const { startTls, serverName } = this.#options;
    if (greeting.indicator !== 'OK') {
      this.#refuse(greeting);
      return;
    }
    this.#offered = parseMtqpOptions(greeting.lines ?? []);
    if (this.#isSecure || startTls === 'no') this.#begin();
    else if (this.#offered.startTls !== 'no') {
      this.#enter('starttls');
      this.#output += formatMtqpCommand({ verb: 'STARTTLS', domain: serverName });
    } else if (startTls === 'require') this.#refuse(noTls);
    else this.#begin();
  }

  #takeTls(reply: MtqpReply): void {
    if (reply.indicator === 'OK') {
      this.#stage = 'handshake';
      this.#events.push({ kind: 'handshake' });
    } else if (this.#options.startTls === 'require') this.#refuse(reply);
    else this.#begin();
  }

  #begin(): void {
    this.#enter('ready');
    this.#events.push({ kind: 'ready', options: this.#offered });
    const lines = this.#waiting;
    this.#waiting = '';
    for (const line of lines.split(/(?<=\r\n)/)) if (line !== '') this.#say(line);
  }

  #refuse(reply: MtqpReply): void {
    this.#waiting = '';
    this.#enter('refused');
    this.#events.push({ kind: 'refused', reply });
  }

  #end(why: MtqpEnding): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#output = '';
    this.#events.push({ kind: 'over', why });
  }
}
