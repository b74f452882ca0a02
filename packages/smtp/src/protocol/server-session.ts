import { fault } from '../command/fault.ts';
import { type CommandRules, parseCommand } from '../command/parse-command.ts';
import type { Reply } from '../reply/reply.ts';
import { isOtherProtocol, lineLimit, readCommandLine } from './command-line.ts';
import { Dialogue, type TlsState } from './dialogue.ts';
import { type Answer, settle } from './server-answers.ts';
import { readAuthLine } from './server-auth.ts';
import { count, obey } from './server-commands.ts';
import type { Hello, Question, ServerEvent } from './server-event.ts';
import { serverReply } from './server-reply.ts';
import type { ServerRules } from './server-rules.ts';
import type { ServerState } from './server-table.ts';
import { askEnd, readChunk, readText, type Step } from './server-text.ts';

const LF = 0x0a;
/** Mail programs of end users are not always exact; a relay is, or is none. */
const grammar: Readonly<Record<ServerRules['role'], CommandRules>> = {
  mx: {},
  lmtp: {},
  odmr: {},
  submission: { lenient: true },
  submissions: { lenient: true },
};
/** The first octet of a TLS handshake (RFC 8446 §5.1). */
const tlsRecord = 0x16;

/**
 * The server's side of one session, pure: octets in, events out, answers in, octets out.
 *
 * `receive` what came; take events with `next` until there is none; answer each that is a question before the next;
 * write what `takeOutput` gives. No event follows a question until its answer, so a slow answer holds the client back,
 * and the replies to a group of commands leave together (RFC 2920 §3.2). Times are milliseconds of any steady clock.
 */
export class ServerSession {
  /** The answers that stand for a fault of ours, and for the want of a certificate. */
  readonly failed = serverReply.failed;
  readonly tlsUnavailable = serverReply.tlsUnavailable;
  readonly #dialogue: Dialogue;
  #question: Question | undefined;
  #began = false;
  #draining = false;
  /** A bare LF in a line that is not complete was answered: the rest of that line is not. */
  #answered = false;
  #now: number;
  /** Since when the client's next word is awaited. */
  #since: number;
  readonly #start: number;

  constructor(rules: ServerRules, now: number) {
    this.#dialogue = new Dialogue(rules);
    this.#now = now;
    this.#since = now;
    this.#start = now;
  }

  get state(): ServerState {
    return this.#dialogue.state;
  }

  /** The last accepted HELO, EHLO or LHLO; none since TLS began. */
  get hello(): Hello | undefined {
    return this.#dialogue.hello;
  }

  get login(): string | undefined {
    return this.#dialogue.login;
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.#dialogue.transaction !== undefined;
  }

  /** Negative replies so far. */
  get faults(): number {
    return this.#dialogue.faults;
  }

  /** The first negative reply. */
  get firstFault(): Reply | undefined {
    return this.#dialogue.firstFault;
  }

  get tls(): TlsState | undefined {
    return this.#dialogue.tls;
  }

  /** Whether nothing follows but the output at hand. */
  get isOver(): boolean {
    return this.#dialogue.state === 'over';
  }

  /** Whether the roles are reversed: behind the output at hand the connection belongs to another session (RFC 2645 §5.3). */
  get isTurned(): boolean {
    return this.#dialogue.state === 'turned';
  }

  /** Whether a question is open. */
  get isAsking(): boolean {
    return this.#question !== undefined;
  }

  /** Whether the TLS handshake is due, once the output is written; `secured` ends it (RFC 3207 §4). */
  get awaitsTls(): boolean {
    return this.#dialogue.reading === 'tls';
  }

  /** Whether the output must not wait for the answer to an open question (RFC 2920 §3.2). */
  get isUrgent(): boolean {
    return this.#dialogue.urgent;
  }

  /** Takes what came in. */
  receive(bytes: Buffer, now: number): void {
    this.#now = now;
    const { state, reading, input } = this.#dialogue;
    // What comes between STARTTLS and the handshake is not the client's for sure (RFC 3207 §4.2).
    if (state !== 'over' && state !== 'turned' && reading !== 'tls') input.push(bytes);
  }

  /** The next event; undefined while a question is open, or when more octets are needed. */
  next(): ServerEvent | undefined {
    if (this.#question !== undefined) return undefined;
    if (!this.#began) {
      this.#began = true;
      return this.#ask({ kind: 'connect' });
    }
    for (;;) {
      // When all is over, the end of the connection says so.
      if (this.#dialogue.aborting && !this.isOver) {
        this.#dialogue.aborting = false;
        return this.#ask({ kind: 'abort' });
      }
      if (this.#dialogue.forgetting) {
        this.#dialogue.forgetting = false;
        return this.#ask({ kind: 'forget' });
      }
      if (this.#draining) this.#drain();
      const step = this.#takeNext() ?? this.#step();
      if (step === 'more') return undefined;
      this.#since = this.#now;
      if (step !== 'done') return step.kind === 'text' ? step : this.#ask(step);
    }
  }

  /** Answers the open question. */
  answer(answer: Answer, now: number): void {
    const question = this.#question;
    this.#question = undefined;
    this.#now = now;
    this.#since = now;
    if (question !== undefined && !this.isOver) settle(this.#dialogue, question, answer);
  }

  /** What is to be written, as UTF-8. */
  takeOutput(): string {
    const { output } = this.#dialogue;
    this.#dialogue.output = '';
    this.#dialogue.urgent = false;
    return output;
  }

  /** Characters of output at hand. */
  get outputLength(): number {
    return this.#dialogue.output.length;
  }

  /** Milliseconds that the output is to be held back and nothing is to be read; asking resets it (RFC 5321 §7.8). */
  takeDelay(): number {
    const { delay } = this.#dialogue;
    this.#dialogue.delay = 0;
    return delay;
  }

  /** TLS is active: all that was known before is forgotten (RFC 3207 §4.2). */
  secured(tls: TlsState, now: number): void {
    const dialogue = this.#dialogue;
    this.#since = now;
    dialogue.tls = tls;
    dialogue.hello = undefined;
    dialogue.login = undefined;
    if (dialogue.reading === 'tls') dialogue.reading = 'secured';
  }

  /** When `expire` has something to do; never while a question is open, for the client is not to blame then. */
  deadline(): number {
    if (this.#question !== undefined || this.isOver || this.isTurned) return Number.POSITIVE_INFINITY;
    const { idleTime, sessionTime } = this.#dialogue.rules.limits;
    return Math.min(this.#since + idleTime, this.#start + sessionTime);
  }

  /** Ends the session if its deadline is past (RFC 5321 §4.5.3.2.7). */
  expire(now: number): void {
    if (now < this.deadline()) return;
    this.#dialogue.farewell(now - this.#start >= this.#dialogue.rules.limits.sessionTime ? 'lifetime' : 'idle');
  }

  /** Ends the session with 421 as soon as no transaction is open (RFC 5321 §3.8). */
  shutdown(): void {
    this.#draining = true;
    if (this.#question === undefined && this.#began) this.#drain();
  }

  /** Ends the session with 421 at once, whatever it is doing (RFC 5321 §3.8). */
  abandon(why: 'shutdown' | 'fault'): void {
    this.#dialogue.farewell(why);
  }

  #drain(): void {
    const { reading, transaction } = this.#dialogue;
    if (reading === 'command' && transaction === undefined) this.#dialogue.farewell('shutdown');
  }

  #ask(question: Question): Question {
    this.#question = question;
    return question;
  }

  #takeNext(): Question | undefined {
    const { next } = this.#dialogue;
    this.#dialogue.next = undefined;
    return this.isOver ? undefined : next;
  }

  #step(): Step {
    const dialogue = this.#dialogue;
    switch (dialogue.reading) {
      case 'command':
        return this.#readCommand();
      case 'text':
        return dialogue.text ? readText(dialogue, dialogue.text) : 'more';
      case 'chunk':
        return dialogue.chunk ? readChunk(dialogue, dialogue.chunk) : 'more';
      case 'end':
        return dialogue.text ? askEnd(dialogue, dialogue.text) : 'more';
      case 'sasl':
        return dialogue.exchange ? readAuthLine(dialogue, dialogue.exchange) : 'more';
      case 'secured':
        return { kind: 'secured' };
      default:
        return 'more';
    }
  }

  #readCommand(): Step {
    const dialogue = this.#dialogue;
    const line = dialogue.input.takeLine(lineLimit);
    if (line === undefined) return this.#readPart();
    if (this.#answered) {
      this.#answered = false;
      return 'done';
    }
    if (line === 'too long') dialogue.fail(fault.lineTooLong);
    else return this.#readLine(line) ?? 'done';
    return 'done';
  }

  /** A client that ends its lines with LF would wait for ever, and one that speaks TLS sends no line at all. */
  #readPart(): Step {
    const { input } = this.#dialogue;
    if (input.length === 0 || this.#answered) return 'more';
    const part = input.peek();
    if (part[0] === tlsRecord) this.#dialogue.farewell('otherProtocol');
    else if (part.includes(LF)) {
      this.#answered = true;
      this.#dialogue.fail(serverReply.bareLf);
    }
    return 'more';
  }

  #readLine(octets: Buffer): ServerEvent | undefined {
    const dialogue = this.#dialogue;
    const line = readCommandLine(octets);
    const command = typeof line === 'string' ? parseCommand(line, grammar[dialogue.rules.role]) : line;
    if ('verb' in command) return obey(dialogue, command);
    const verb = octets.toString('latin1', 0, 5).trimEnd().toUpperCase();
    if (dialogue.state === 'refused') dialogue.fail(dialogue.refusal);
    else if (isUnknown(command) && isOtherProtocol(octets)) dialogue.farewell('otherProtocol');
    else {
      count(dialogue, verb);
      dialogue.fail(command);
      // The octets of a chunk of unknown size would be read as commands.
      if (verb === 'BDAT') dialogue.farewell('lostPlace');
    }
    return undefined;
  }
}

function isUnknown(refusal: Reply): boolean {
  return refusal === fault.unknownVerb || refusal === fault.syntax;
}
