import { createServer, type Server, type Socket } from 'node:net';

/** What the far side of one connection can do in a test. */
export class HostSession {
  /** All lines that came, text lines too. */
  readonly lines: string[] = [];
  readonly socket: Socket;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  #input = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (bytes) => {
      this.#input = Buffer.concat([this.#input, bytes]);
      this.#wake?.();
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('close', end).on('end', end).on('error', end);
  }

  send(...lines: string[]): void {
    if (!this.socket.destroyed) this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** Octets that came and were not read. */
  get unread(): string {
    return this.#input.toString('latin1');
  }

  /** The next line, or undefined when the client has gone. */
  async line(): Promise<string | undefined> {
    const end = await this.#until(() => this.#input.indexOf('\r\n'));
    if (end === -1) return undefined;
    const line = this.#input.toString('latin1', 0, end);
    this.#input = this.#input.subarray(end + 2);
    this.lines.push(line);
    return line;
  }

  /** The next octets, fewer when the client has gone. */
  async octets(count: number): Promise<Buffer> {
    await this.#until(() => (this.#input.length >= count ? 0 : -1));
    const octets = this.#input.subarray(0, count);
    this.#input = this.#input.subarray(count);
    return octets;
  }

  /** The octets of DATA, dots still stuffed, without the closing dot; undefined when the client has gone before it. */
  async text(): Promise<string | undefined> {
    let text = '';
    for (let line = await this.line(); line !== undefined; line = await this.line()) {
      if (line === '.') return text;
      text += `${line}\r\n`;
    }
    return undefined;
  }

  /** Resolves when the client has gone. */
  async gone(): Promise<void> {
    await this.#until(() => -1);
  }

  async #until(found: () => number): Promise<number> {
    for (;;) {
      const place = found();
      if (place !== -1 || this.#ended) return place;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A host on a free port of the loopback that does what a script says. */
export interface ScriptedHost extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly sessions: HostSession[];
}

/** Starts a host; `script` runs once for each connection, which is closed when it returns. */
export async function startHost(
  script: (session: HostSession, index: number) => Promise<void>,
  place: { readonly path?: string; readonly host?: string; readonly port?: number } = {},
): Promise<ScriptedHost> {
  const { path, host = '127.0.0.1', port = 0 } = place;
  const sessions: HostSession[] = [];
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const session = new HostSession(socket);
    sessions.push(session);
    void script(session, sessions.length - 1).then(() => socket.end());
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(port, host, resolve);
    else server.listen(path, resolve);
  });
  const address = server.address();
  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    sessions,
    async [Symbol.asyncDispose]() {
      for (const { socket } of sessions) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A message that a mail host took. */
export interface Taken {
  readonly mail: string;
  readonly rcpt: readonly string[];
  /** As it is meant: dots unstuffed. */
  readonly text: string;
}

/** How a mail host behaves; a reply left out is a good one, `drop` closes the connection without one. */
export interface MailHostOptions {
  readonly greeting?: string;
  /** EHLO keywords. */
  readonly offers?: readonly string[];
  readonly lmtp?: boolean;
  /** The reply to a command line, `text` for the end of a text (in LMTP with the recipient). */
  readonly reply?: (verb: string, line: string, session: number) => string | 'drop' | undefined;
}

/** A script of a host that takes mail; what it took is in `taken`. */
export function mailHost(options: MailHostOptions = {}) {
  const taken: Taken[] = [];
  const script = async (session: HostSession, index: number): Promise<void> => {
    const answer = (verb: string, line: string, good: string): number => {
      const reply = options.reply?.(verb, line, index) ?? good;
      if (reply === 'drop') session.socket.destroy();
      else session.send(...reply.split('\n'));
      return Number(reply.slice(0, 1)) || 0;
    };
    if (answer('greeting', '', options.greeting ?? '220 mx.example ready') !== 2) return;
    let mail = '';
    let rcpt: string[] = [];
    let chunks = '';
    const finish = (text: string) => {
      if (options.lmtp) {
        const good = rcpt.filter((recipient) => answer('text', recipient, '250 2.0.0 taken') === 2);
        if (good.length > 0) taken.push({ mail, rcpt: good, text });
      } else if (answer('text', text, '250 2.0.0 taken') === 2) taken.push({ mail, rcpt, text });
      [mail, rcpt, chunks] = ['', [], ''];
    };
    for (let line = await session.line(); line !== undefined; line = await session.line()) {
      const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? '';
      switch (verb) {
        case 'EHLO':
        case 'LHLO': {
          const lines = [
            'mx.example',
            ...(options.offers ?? ['PIPELINING', '8BITMIME', 'SIZE', 'ENHANCEDSTATUSCODES']),
          ];
          answer(verb, line, lines.map((text, at) => `250${at === lines.length - 1 ? ' ' : '-'}${text}`).join('\n'));
          break;
        }
        case 'MAIL':
          if (mail !== '') session.send('503 5.5.1 transaction open');
          else if (answer(verb, line, '250 2.1.0 ok') === 2) mail = line;
          break;
        case 'RCPT':
          if (mail === '') session.send('503 5.5.1 no MAIL');
          else if (answer(verb, line, '250 2.1.5 ok') === 2) rcpt.push(line);
          break;
        case 'DATA': {
          if (rcpt.length === 0) session.send('503 5.5.1 no RCPT');
          else if (answer(verb, line, '354 go') === 3) {
            const text = await session.text();
            if (text === undefined) return;
            finish(text.replace(/^\./gm, ''));
          }
          break;
        }
        case 'BDAT': {
          const [, size, last] = line.split(' ');
          chunks += (await session.octets(Number(size))).toString('latin1');
          if (rcpt.length === 0) session.send('503 5.5.1 no RCPT');
          else if (last === undefined) answer(verb, line, '250 2.0.0 chunk');
          else finish(chunks);
          break;
        }
        case 'RSET':
          [mail, rcpt, chunks] = ['', [], ''];
          answer(verb, line, '250 2.0.0 reset');
          break;
        case 'QUIT':
          answer(verb, line, '221 2.0.0 bye');
          return;
        default:
          answer(verb, line, '250 2.0.0 ok');
      }
    }
  };
  return { script, taken };
}
