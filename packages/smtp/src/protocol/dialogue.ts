import type { ReversePath } from '../address/mailbox.ts';
import { Input } from '../bytes/input.ts';
import type { MailParameters } from '../command/parameters.ts';
import { formatReply } from '../reply/format-reply.ts';
import { isPositive, isTemporary, type Reply } from '../reply/reply.ts';
import type { BindingOf, ClientCertificate } from '../sasl/channel.ts';
import type { ServerExchange } from '../sasl/mechanism.ts';
import { type Offer, offerOf } from './extensions.ts';
import type { Hello, Question } from './server-event.ts';
import { type Farewell, farewell, serverReply } from './server-reply.ts';
import type { ServerRules } from './server-rules.ts';
import { type ServerInput, type ServerState, serverTable } from './server-table.ts';
import type { TextIntake } from './text-intake.ts';
import type { AcceptedRecipient, TerminalVerb } from './transaction.ts';

/** So many commands that are of no use are borne for each error that is. */
const dawdlesPerError = 5;

/** What the next octets are: lines of commands, a text, a chunk, an authentication exchange, or nothing to be read yet. */
export type Reading = 'nothing' | 'command' | 'text' | 'chunk' | 'end' | 'sasl' | 'tls' | 'secured';

/** How a connection is secured. */
export interface TlsState {
  readonly protocol: string;
  readonly cipher: string;
  /** The name that the client asked for (RFC 6066 §3). */
  readonly serverName?: string;
  /** Names this connection and no other (RFC 9266 §3, RFC 5929 §4). */
  readonly binding?: BindingOf;
  /** What the client showed, where it was asked for one. */
  readonly certificate?: ClientCertificate;
}

/** A transaction as its session keeps it. */
export interface OpenTransaction {
  readonly verb?: TerminalVerb;
  readonly reversePath: ReversePath;
  readonly mail: MailParameters;
  readonly recipients: AcceptedRecipient[];
  readonly offset?: number;
}

/** Who is let in, or why nobody is. */
export type Verdict = Reply | { readonly login: string };

/** A BDAT chunk on its way. */
export interface Chunk {
  readonly size: number;
  readonly last: boolean;
  /** Octets still to come. */
  remaining: number;
  /** Why its octets are thrown away. */
  refusal: Reply | undefined;
}

const noKeywords: ReadonlySet<string> = new Set();
const withTransaction: ReadonlySet<ServerState> = new Set(['mail', 'rcpt', 'resumed', 'chunks', 'broken']);

/** All that a session knows, and the writing of replies; its parts work on it in turn. */
export class Dialogue {
  readonly rules: ServerRules;
  readonly input = new Input();
  state: ServerState = 'greeted';
  reading: Reading = 'nothing';
  hello: Hello | undefined;
  login: string | undefined;
  tls: TlsState | undefined;
  transaction: OpenTransaction | undefined;
  /** Present from the 354, or the first chunk, to the final reply. */
  text: TextIntake | undefined;
  chunk: Chunk | undefined;
  exchange: ServerExchange | undefined;
  /** How the exchange ends, once the client has answered the last word of its mechanism. */
  verdict: Verdict | undefined;
  /** What every command but QUIT earns in the state `refused`. */
  refusal: Reply = serverReply.noMailHere;
  /** Index of the recipient whose final reply is next. */
  replied = 0;
  /** A text was begun that will have no end, and the application does not know it yet. */
  aborting = false;
  /** A transaction of this session had a TRANSID, and the client may still come back to ask for it (RFC 1845 §3). */
  promised = false;
  /** The client shows that it will not, and the application does not know it yet. */
  forgetting = false;
  /** What is asked once the application knows. */
  next: Question | undefined;
  /** MAIL commands of the session, and RCPT commands of the transaction, refused ones too. */
  mails = 0;
  rcpts = 0;
  domains: Set<string> | undefined;
  /** The latest time that the last EHLO gave for the release of a held message, in milliseconds since the epoch (RFC 4865 §3). */
  latestRelease = 0;
  errors = 0;
  /** Commands that brought no message nearer, since the last accepted one. */
  dawdled = 0;
  /** Negative replies of the whole session, and the first of them. */
  faults = 0;
  firstFault: Reply | undefined;
  authFailures = 0;
  /** Milliseconds before anything else is said. */
  delay = 0;
  /** Whether the output has a reply that must not wait for those of later commands (RFC 2920 §3.2). */
  urgent = false;
  output = '';

  constructor(rules: ServerRules) {
    this.rules = rules;
  }

  get isLmtp(): boolean {
    return this.rules.role === 'lmtp';
  }

  /** What EHLO offers now. */
  get offer(): Offer {
    const { tls, login } = this;
    const circumstances = { secure: tls !== undefined, authenticated: login !== undefined };
    return offerOf(this.rules, { ...circumstances, bound: tls?.binding !== undefined });
  }

  /** EHLO keywords in force: none after HELO (RFC 5321 §3.2). */
  get extensions(): ReadonlySet<string> {
    return this.hello === undefined || this.hello.verb === 'HELO' ? noKeywords : this.offer.keywords;
  }

  /** Gives a reply; one without an enhanced status gets the general one of its class (RFC 2034 §4). */
  write(reply: Reply): undefined {
    this.output += formatReply(withStatus(reply));
    if (reply.code === 421) this.end();
  }

  /** Gives a reply that has no enhanced status: greeting, EHLO, 3yz (RFC 2034 §4). */
  writePlain(reply: Reply): undefined {
    this.output += formatReply(reply);
  }

  /** Gives a negative reply, and counts it if it is final; too many end the session (RFC 5321 §7.8). */
  fail(reply: Reply): undefined {
    this.write(reply);
    this.faults += 1;
    this.firstFault ??= reply;
    if (isTemporary(reply)) this.dawdle();
    else this.#blame();
  }

  /** Counts a command that brought no message nearer; beyond many each counts as an error (RFC 5321 §7.8). */
  dawdle(): undefined {
    this.dawdled += 1;
    if (this.dawdled > dawdlesPerError * this.rules.limits.errors) this.#blame();
  }

  /** Gives whatever the reply is. */
  conclude(reply: Reply): undefined {
    if (isPositive(reply)) this.write(reply);
    else this.fail(reply);
  }

  /** Says 421 and why; nothing follows (RFC 5321 §3.8). */
  farewell(why: Farewell): undefined {
    if (this.state !== 'over') this.write(farewell(this.rules.hostname, why));
  }

  /** Ends the session: what is still in the input is not read. */
  end(): undefined {
    this.enter('over');
    this.dropText();
    this.input.clear();
    this.reading = 'nothing';
  }

  /** Leaves the connection to another session: what is still in the input belongs to neither (RFC 2645 §5.3). */
  turn(): undefined {
    this.enter('turned');
    this.input.clear();
    this.reading = 'nothing';
  }

  /** Where the table leads; undefined is a bad sequence. */
  after(input: ServerInput): ServerState | undefined {
    return serverTable[this.state][input] ?? (this.#isUnheard(input) ? 'ready' : undefined);
  }

  /** Goes to a state; one without a transaction forgets it (RFC 5321 §4.1.4). */
  enter(state: ServerState): undefined {
    this.state = state;
    if (!withTransaction.has(state)) this.transaction = undefined;
  }

  /** Takes note that the client needs no transaction of before any more; the application is told next (RFC 1845 §3). */
  forget(): undefined {
    this.forgetting ||= this.promised;
    this.promised = false;
  }

  #blame(): void {
    const { errors, errorDelay } = this.rules.limits;
    this.errors += 1;
    if (this.errors * 2 > errors) this.delay = errorDelay;
    if (this.errors >= errors) this.farewell('errors');
  }

  /** A client that hears no replies sends its text, whatever became of the recipients (RFC 2442). */
  #isUnheard(input: ServerInput): boolean {
    return this.rules.unheard === true && this.state === 'mail' && input === 'DATA';
  }

  /** Forgets a text that has no end; the application is told next. */
  dropText(): undefined {
    if (this.text !== undefined) this.aborting = true;
    this.text = undefined;
  }
}

function withStatus(reply: Reply): Reply {
  const digit = Math.trunc(reply.code / 100);
  if (digit === 3 || reply.status?.charCodeAt(0) === digit + 48) return reply;
  return { ...reply, status: `${digit as 2}.0.0` };
}
