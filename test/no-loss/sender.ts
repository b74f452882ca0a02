import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type Kind, textOf } from './letters.ts';

const slice = 65_536;

interface Letter {
  readonly number: number;
  readonly kind: Kind;
}

/** Sends numbered messages to a server that may vanish at any moment, and remembers which of them got their 250. */
export class Sender {
  readonly accepted = new Map<number, Kind>();
  /** Text went out, but neither a 250 nor a refusal came: it may or may not have been taken. */
  readonly unknown = new Set<number>();
  /** Those with a name, to be gone on with. */
  readonly left: Letter[] = [];
  /** How often the server knew where to go on. */
  resumed = 0;
  #next = 0;
  readonly #turns = new Map<readonly Kind[], number>();

  /** Keeps one session busy until it breaks; with `isDone`, until that says so. */
  session(place: NetConnectOpts, kinds: readonly Kind[], isDone = () => false): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(place);
      const talk = new Talk(this, socket, () => (isDone() ? undefined : this.#take(kinds)));
      socket.setEncoding('latin1');
      socket.on('data', (piece: string) => talk.read(piece));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        talk.broke();
        resolve();
      });
    });
  }

  #take(kinds: readonly Kind[]): Letter | undefined {
    const left = kinds.some(({ named }) => named) ? this.left.shift() : undefined;
    if (left !== undefined) return left;
    const turn = this.#turns.get(kinds) ?? 0;
    this.#turns.set(kinds, turn + 1);
    const kind = kinds[turn % kinds.length];
    return kind && { number: this.#next++, kind };
  }
}

class Talk {
  #text = '';
  #wanted: 'greeting' | 'hello' | 'mail' | 'text' | 'final' = 'greeting';
  #letter: Letter | undefined;
  #offset = 0;
  readonly #sender: Sender;
  readonly #socket: Socket;
  readonly #take: () => Letter | undefined;

  constructor(sender: Sender, socket: Socket, take: () => Letter | undefined) {
    this.#sender = sender;
    this.#socket = socket;
    this.#take = take;
  }

  read(piece: string): void {
    this.#text += piece;
    for (let end = this.#text.indexOf('\r\n'); end !== -1; end = this.#text.indexOf('\r\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      if (line[3] === ' ') this.#reply(Number(line.slice(0, 3)), line.slice(4));
    }
  }

  broke(): void {
    if (this.#letter === undefined) return;
    if (this.#letter.kind.named) this.#sender.left.push(this.#letter);
    else if (this.#wanted === 'final') this.#sender.unknown.add(this.#letter.number);
  }

  #reply(code: number, words: string): void {
    if (this.#wanted === 'greeting') {
      this.#wanted = 'hello';
      this.#socket.write('EHLO sender.example\r\n');
    } else if (this.#wanted === 'hello' || this.#wanted === 'final') {
      if (this.#wanted === 'final' && code === 250 && this.#letter !== undefined) {
        this.#sender.accepted.set(this.#letter.number, this.#letter.kind);
      }
      this.#start();
    } else if (this.#wanted === 'mail' && this.#letter?.kind.named) this.#goOn(this.#letter, code, words);
    else if (code === 354) this.#sendText(this.#letter);
  }

  #start(): void {
    this.#letter = this.#take();
    if (this.#letter === undefined) {
      this.#socket.end('QUIT\r\n');
      return;
    }
    const { number, kind } = this.#letter;
    this.#wanted = 'mail';
    this.#offset = 0;
    const mail = `MAIL FROM:<n${number}@sender.example>${kind.mail?.(number) ?? ''}\r\n`;
    this.#socket.write(kind.named ? mail : `${mail}${rcpt(kind)}DATA\r\n`);
  }

  /** The reply to MAIL says whether the server knows the transaction, and how much of it. */
  #goOn({ kind }: Letter, code: number, words: string): void {
    this.#wanted = 'text';
    if (code === 355) {
      this.#sender.resumed += 1;
      this.#offset = Number.parseInt(words, 10);
    }
    this.#socket.write(code === 355 ? 'DATA\r\n' : `${rcpt(kind)}DATA\r\n`);
  }

  #sendText(letter: Letter | undefined): void {
    if (letter === undefined) return;
    this.#wanted = 'final';
    const text = textOf(letter.number, letter.kind).slice(this.#offset);
    const next = (at: number): void => {
      if (this.#socket.destroyed) return;
      this.#socket.write(at + slice < text.length ? text.slice(at, at + slice) : `${text.slice(at)}.\r\n`);
      if (at + slice < text.length) setTimeout(() => next(at + slice), 10);
    };
    next(0);
  }
}

function rcpt({ recipient, rcpt = '' }: Kind): string {
  return `RCPT TO:<${recipient}>${rcpt}\r\n`;
}
