import { Input } from '../bytes/input.ts';
import { type MtqpCommand, parseMtqpCommand, type TrackingQuery } from './mtqp-command.ts';
import { formatMtqpOptions, type MtqpOptions } from './mtqp-options.ts';
import { formatMtqpReply, hasDetail, longestMtqpLine, type MtqpReply, mtqpReply } from './mtqp-reply.ts';
import { type MtqpState, mtqpTable, refusalIn } from './mtqp-table.ts';

/** All that is the same for every session of a listener. */
export interface MtqpRules {
  /** Named in the greeting: a domain or an address literal. */
  readonly hostname: string;
  /** Whether STARTTLS is served, and needed for queries (RFC 3887 §3). */
  readonly startTls: MtqpOptions['startTls'];
  readonly limits: MtqpLimits;
}

/** How a connection is secured. */
export interface MtqpTls {
  readonly protocol: string;
  readonly cipher: string;
}

/** What one session may use up. */
export interface MtqpLimits {
  /** Milliseconds that a command may be awaited; at least ten minutes (RFC 3887 §2.5). */
  readonly idleTime: number;
  /** Milliseconds that a session may last. */
  readonly sessionTime: number;
  /** Commands until the session is ended. */
  readonly commands: number;
  /** Commands that were none until the session is ended. */
  readonly errors: number;
}

/**
 * What a session asks, each answered by a reply or, where nothing is against it, by undefined. `connect`: whether to greet,
 * once more inside TLS, where the detail `insecure` shuts all but QUIT out; `starttls`: whether the name is one of ours.
 */
export type MtqpQuestion =
  | { readonly kind: 'connect'; readonly isSecure: boolean }
  | { readonly kind: 'starttls'; readonly domain: string }
  | ({ readonly kind: 'track' } & TrackingQuery);

const failed = mtqpReply('TEMP', 'unavailable', 'This cannot be answered now');
const noInformation = mtqpReply('ERR', 'noinfo', 'No information');
const lineTooLong = mtqpReply('BAD', '', 'The line is too long');
const ok = mtqpReply('OK', '', '');
const beginTls = mtqpReply('OK', '', 'Begin TLS');
const unsupported = mtqpReply('BAD', 'unsupported', 'TLS is not served here');
const noCertificate = mtqpReply('ERR', 'unavailable', 'TLS is not available now');

/**
 * The server's side of one session of the tracking query protocol, pure: octets in, questions out, answers in, octets out
 * (RFC 3887 §2). No question follows another until its answer, so that commands of a group are answered in their order.
 */
export class MtqpServerSession {
  readonly failed = failed;
  readonly tlsUnavailable = noCertificate;
  readonly #rules: MtqpRules;
  readonly #input = new Input();
  readonly #start: number;
  #state: MtqpState = 'greeting';
  #question: MtqpQuestion | undefined;
  #tls: MtqpTls | undefined;
  #isGreeted = false;
  #isDraining = false;
  #commands = 0;
  #errors = 0;
  #output = '';
  #since: number;

  constructor(rules: MtqpRules, now: number) {
    this.#rules = rules;
    this.#start = now;
    this.#since = now;
  }

  get state(): MtqpState {
    return this.#state;
  }

  /** How the session is secured; undefined in clear text. */
  get tls(): MtqpTls | undefined {
    return this.#tls;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  get isAsking(): boolean {
    return this.#question !== undefined;
  }

  /** Whether the TLS handshake is due, once the output is written; `secured` ends it (RFC 3887 §6). */
  get awaitsTls(): boolean {
    return this.#state === 'handshake';
  }

  /** Replies to a group of commands leave together (RFC 3887 §8). */
  get isUrgent(): boolean {
    return false;
  }

  get outputLength(): number {
    return this.#output.length;
  }

  /** Takes what came in. What comes between STARTTLS and the handshake is not the client's for sure (RFC 3887 §6.2). */
  receive(bytes: Buffer, now: number): void {
    this.#since = now;
    if (this.#state !== 'over' && this.#state !== 'handshake') this.#input.push(bytes);
  }

  /** The next question; undefined while one is open, or when more octets are needed. */
  next(): MtqpQuestion | undefined {
    if (this.#question !== undefined || this.#state === 'handshake') return undefined;
    if (this.#state === 'greeting' && !this.#isGreeted) {
      this.#isGreeted = true;
      return this.#ask({ kind: 'connect', isSecure: this.#isSecure });
    }
    while (this.#question === undefined && this.#isReading) {
      if (this.#isDraining) this.#end();
      const line = this.#isReading ? this.#input.takeLine(longestMtqpLine + 2) : undefined;
      if (line === undefined) return undefined;
      this.#read(line);
    }
    return this.#question;
  }

  /** Answers the open question. */
  answer(answer: MtqpReply | undefined, now: number): void {
    const question = this.#question;
    this.#question = undefined;
    this.#since = now;
    if (question === undefined || this.isOver) return;
    if (question.kind === 'connect') this.#greet(answer);
    else if (question.kind === 'track') this.#write(answer ?? noInformation);
    else if (answer !== undefined && answer.indicator !== 'OK') this.#refuse(answer);
    else this.#beginTls();
  }

  /** What is to be written, as UTF-8. */
  takeOutput(): string {
    const output = this.#output;
    this.#output = '';
    return output;
  }

  takeDelay(): number {
    return 0;
  }

  /** TLS is active: all that was known before is forgotten, and the session begins anew (RFC 3887 §6.2). */
  secured(tls: MtqpTls, now: number): void {
    this.#since = now;
    if (this.isOver) return;
    this.#input.clear();
    this.#tls = tls;
    this.#isGreeted = false;
    this.#state = 'greeting';
  }

  /** When `expire` has something to do; never while a question is open, for the client is not to blame then. */
  deadline(): number {
    if (this.#question !== undefined || this.isOver) return Number.POSITIVE_INFINITY;
    const { idleTime, sessionTime } = this.#rules.limits;
    return Math.min(this.#since + idleTime, this.#start + sessionTime);
  }

  /** Ends the session if its deadline is past, without a word: a client would take one for the reply to its next command. */
  expire(now: number): void {
    if (now >= this.deadline()) this.#end();
  }

  /** Ends the session when the question at hand is answered. */
  shutdown(): void {
    this.#isDraining = true;
    if (this.#question === undefined && this.#isReading) this.#end();
  }

  /** Ends the session at once; an open question is answered by a temporary failure (RFC 3887 §2.3). */
  abandon(_why: 'shutdown' | 'fault'): void {
    if (this.#question !== undefined) this.answer(failed, this.#since);
    this.#end();
  }

  get #isSecure(): boolean {
    return this.#tls !== undefined;
  }

  get #isReading(): boolean {
    return this.#state !== 'greeting' && this.#state !== 'handshake' && this.#state !== 'over';
  }

  #ask(question: MtqpQuestion): MtqpQuestion {
    this.#question = question;
    return question;
  }

  #greet(answer: MtqpReply | undefined): void {
    const { hostname, startTls } = this.#rules;
    const isShutOut = this.#isSecure && answer !== undefined && hasDetail(answer, 'insecure');
    if (answer !== undefined && answer.indicator !== 'OK' && !isShutOut) {
      const { indicator, details, text } = answer;
      this.#write({ indicator, details: ['MTQP', ...(details.length === 0 ? ['unavailable'] : details)], text });
      this.#end();
      return;
    }
    // Inside TLS it is not offered again (RFC 3887 §6.2).
    const lines = formatMtqpOptions(this.#isSecure ? 'no' : startTls);
    const greeting = { ...ok, details: ['MTQP'], text: `${hostname} tracking ready` };
    this.#write(lines.length === 0 ? greeting : { ...greeting, lines });
    const isLocked = startTls === 'required' && !this.#isSecure;
    this.#state = isShutOut ? 'insecure' : this.#isSecure ? 'secure' : isLocked ? 'locked' : 'clear';
  }

  #read(line: Buffer | 'too long'): void {
    this.#commands += 1;
    if (line === 'too long') this.#refuse(lineTooLong);
    else {
      const command = parseMtqpCommand(line.toString('latin1'));
      if ('verb' in command) this.#obey(command);
      else this.#refuse(command);
    }
    if (this.#commands >= this.#rules.limits.commands && this.#question === undefined) this.#end();
  }

  #obey(command: MtqpCommand): void {
    const next = mtqpTable[this.#state][command.verb];
    if (next === undefined) this.#refuse(refusalIn(this.#state));
    else if (command.verb === 'TRACK') this.#ask({ kind: 'track', ...query(command) });
    else if (command.verb === 'STARTTLS') this.#askTls(command.domain);
    else if (command.verb === 'COMMENT') this.#write(ok);
    else {
      this.#write({ ...ok, text: `${this.#rules.hostname} closing connection` });
      this.#end();
    }
  }

  #askTls(domain: string): void {
    if (this.#rules.startTls === 'no') this.#refuse(unsupported);
    else this.#ask({ kind: 'starttls', domain });
  }

  #beginTls(): void {
    this.#write(beginTls);
    this.#input.clear();
    this.#state = 'handshake';
  }

  /** Too many faults end the session: what makes them is no client (RFC 3887 §2.5). */
  #refuse(reply: MtqpReply): void {
    this.#write(reply);
    if (reply.indicator !== 'BAD') return;
    this.#errors += 1;
    if (this.#errors >= this.#rules.limits.errors) this.#end();
  }

  #write(reply: MtqpReply): void {
    this.#output += formatMtqpReply(reply);
  }

  #end(): void {
    this.#state = 'over';
    this.#input.clear();
  }
}

function query({ envelopeId, secret }: TrackingQuery): TrackingQuery {
  return { envelopeId, secret };
}
