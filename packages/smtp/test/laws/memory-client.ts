import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import type { MailParameters, RcptParameters } from '@posthorn/smtp/command/parameters';
import { type ClientEvent, ClientSession, type ClientSessionOptions } from '@posthorn/smtp/protocol/client-session';
import { defaultTimeouts } from '@posthorn/smtp/protocol/client-timeouts';
import type { ClientTransaction, RecipientAnswer } from '@posthorn/smtp/protocol/client-transaction';
import { login } from '@posthorn/smtp/sasl/login';
import { plain } from '@posthorn/smtp/sasl/plain';
import { expect } from 'vitest';
import type { Peer } from './run-dialogue.ts';
import { Said } from './said.ts';

/** A message in a dialogue file. */
export interface TestMessage {
  readonly from?: string;
  readonly to?: readonly (string | ({ readonly address: string } & RcptParameters))[];
  readonly text?: string;
  /** Sends the text in these pieces instead. */
  readonly pieces?: readonly string[];
  readonly mail?: MailParameters;
}

function mailbox(address: string): Mailbox {
  const read = parseMailbox(address, { utf8: true });
  if (read === undefined) throw new Error(`No address: ${address}`);
  return read;
}

const sessionDefaults: Omit<ClientSessionOptions, 'clock'> = {
  protocol: 'smtp',
  name: 'client.example.test',
  startTls: 'no',
  privacy: 'clear',
  mechanisms: [plain, login],
  cleartextAuth: false,
  timeouts: defaultTimeouts,
};

/** Answers as `kind phase code`, without those parts that are not there. */
export function formatAnswer(answer: RecipientAnswer | undefined): string {
  if (answer === undefined) return 'none';
  const { kind, phase, reply, refusal } = answer;
  return [kind, phase, reply?.code ?? refusal?.status].join(' ');
}

/** A client session in memory with a clock of its own, pumped as a connection would. */
export class MemoryClient implements Peer {
  session: ClientSession;
  readonly events: ClientEvent[] = [];
  readonly transactions: ClientTransaction[] = [];
  /** How many times something was written. */
  writes = 0;
  now = 0;
  readonly #said = new Said();
  readonly #pieces = new Map<ClientTransaction, (string | undefined)[]>();

  constructor(options: Partial<ClientSessionOptions> = {}) {
    this.session = this.#start(options);
  }

  /** All that was said. */
  get transcript(): string {
    return this.#said.text;
  }

  /** Gives it a message. */
  submit({ from = 'a@example.org', to = ['b@example.com'], text = 'Hi\r\n', pieces, mail = {} }: TestMessage): void {
    const transaction = this.session.submit({
      reversePath: from === '' ? null : mailbox(from),
      mail,
      recipients: to.map((recipient) => {
        const { address, ...parameters } = typeof recipient === 'string' ? { address: recipient } : recipient;
        return { mailbox: mailbox(address), parameters };
      }),
      text: pieces === undefined ? Buffer.from(text) : 'pieces',
    });
    this.transactions.push(transaction);
    if (pieces !== undefined) this.#pieces.set(transaction, [...pieces, undefined]);
    this.pump();
  }

  /** What became of the recipients of a message. */
  answers(index = 0): string[] {
    return this.transactions[index]?.answers.map(formatAnswer) ?? [];
  }

  /** Replies of the host, each line with its CRLF. */
  hear(...lines: string[]): void {
    this.send(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
  }

  send(octets: Buffer): void {
    // Whatever was said had to be read first: a client that talks ahead of its turn is found out here.
    const unread = this.#said.rest();
    if (unread !== '') expect(unread, 'said too early').toBe('');
    this.session.receive(octets);
    this.pump();
  }

  line(): string {
    return this.#said.line();
  }

  event(event: string): void {
    const space = event.indexOf(' ');
    const [name, argument] = space === -1 ? [event, ''] : [event.slice(0, space), event.slice(space + 1)];
    switch (name) {
      case 'options':
        this.session = this.#start(JSON.parse(argument));
        break;
      case 'send':
        this.submit(JSON.parse(argument));
        break;
      case 'tls':
        expect(this.events.at(-1)).toEqual({ kind: 'handshake' });
        this.session.secured(argument !== 'unverified');
        break;
      case 'clock':
        this.now += Number(argument) * 1000;
        this.session.expire(this.now);
        break;
      case 'quit':
        this.session.quit();
        break;
      case 'command':
        this.session.command(argument);
        break;
      case 'lost':
        this.session.drop('lost');
        break;
      case 'abort':
        this.session.abort(this.transactions[Number(argument)] as ClientTransaction);
        break;
      default:
        this.#check(name, argument);
    }
    this.pump();
  }

  rest(): string {
    return this.#said.rest();
  }

  /** Works off events and output. */
  pump(): void {
    do {
      for (let event = this.session.next(); event !== undefined; event = this.session.next()) this.#handle(event);
    } while (this.#write());
  }

  #start(options: Partial<ClientSessionOptions>): ClientSession {
    return new ClientSession({ ...sessionDefaults, ...options, clock: () => this.now });
  }

  #check(name: string, argument: string): void {
    const [first = '', ...rest] = argument.split(': ');
    if (name === 'result') expect(this.answers(Number(first)).join(', ')).toBe(rest.join(': '));
    else if (name === 'ending') expect(this.transactions[Number(first)]?.ending).toBe(rest.join(': '));
    else if (name === 'begun') expect(this.transactions[Number(first)]?.begun).toBe(rest.join(': ') === 'yes');
    else if (name === 'ready') expect(this.session.ready).toBe(true);
    else if (name === 'over') expect(this.#find('over')).toMatchObject(JSON.parse(argument));
    else if (name === 'refused') expect(this.#find('refused')).toMatchObject(JSON.parse(argument));
    else if (name === 'reply') expect(this.#find('reply')).toMatchObject({ reply: JSON.parse(argument) });
    else throw new Error(`No event ${name}`);
  }

  #find(kind: ClientEvent['kind']): ClientEvent | undefined {
    return this.events.findLast((event) => event.kind === kind);
  }

  #handle(event: ClientEvent): void {
    this.events.push(event);
    if (event.kind !== 'text') return;
    const piece = this.#pieces.get(event.transaction)?.shift();
    this.session.feed(event.transaction, piece === undefined ? undefined : Buffer.from(piece));
  }

  #write(): boolean {
    const output = this.session.takeOutput();
    if (output === undefined) return false;
    this.writes += 1;
    const said = Buffer.concat([...output]).toString('utf8');
    this.#said.add(said);
    this.session.drained();
    return true;
  }
}
