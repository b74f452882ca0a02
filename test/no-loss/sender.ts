import { connect, type Socket } from 'node:net';

const kinds = ['good', 'good', 'good', 'defer', 'bounce'] as const;

/** Sends numbered messages to a server that may vanish at any moment, and remembers which of them got their 250. */
export class Sender {
  readonly accepted = new Map<number, (typeof kinds)[number]>();
  /** Text went out, but neither a 250 nor a refusal came: it may or may not have been taken. */
  readonly unknown = new Set<number>();
  #next = 0;

  /** Keeps one session busy until it breaks. */
  session(port: number): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' });
      const talk = new Talk(this, socket, () => this.#next++);
      socket.setEncoding('latin1');
      socket.on('data', (piece: string) => talk.read(piece));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        talk.broke();
        resolve();
      });
    });
  }
}

class Talk {
  #text = '';
  #wanted: 'greeting' | 'ready' | 'final' = 'greeting';
  #number = -1;
  readonly #sender: Sender;
  readonly #socket: Socket;
  readonly #nextNumber: () => number;

  constructor(sender: Sender, socket: Socket, nextNumber: () => number) {
    this.#sender = sender;
    this.#socket = socket;
    this.#nextNumber = nextNumber;
  }

  read(piece: string): void {
    this.#text += piece;
    for (let end = this.#text.indexOf('\r\n'); end !== -1; end = this.#text.indexOf('\r\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      if (line[3] === ' ') this.#reply(Number(line.slice(0, 3)));
    }
  }

  broke(): void {
    if (this.#wanted === 'final') this.#sender.unknown.add(this.#number);
  }

  #reply(code: number): void {
    if (this.#wanted === 'greeting') {
      this.#wanted = 'ready';
      this.#socket.write('EHLO sender.example\r\n');
    } else if (this.#wanted === 'ready' && code === 354) {
      this.#wanted = 'final';
      this.#socket.write(`Subject: number ${this.#number}\r\n\r\n${'x'.repeat(70)}\r\n.\r\n`);
    } else if (this.#wanted === 'final') {
      if (code === 250) this.#sender.accepted.set(this.#number, this.#kind);
      this.#start();
    } else if (this.#number === -1) {
      this.#start();
    }
  }

  get #kind(): (typeof kinds)[number] {
    return kinds[this.#number % kinds.length] ?? 'good';
  }

  #start(): void {
    this.#number = this.#nextNumber();
    this.#wanted = 'ready';
    this.#socket.write(
      `MAIL FROM:<n${this.#number}@sender.example>\r\nRCPT TO:<${this.#kind}@far.example>\r\nDATA\r\n`,
    );
  }
}
