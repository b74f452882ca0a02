import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A session that a test leads line by line, while it does other things in between. */
export class TestSession implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #replies: AsyncGenerator<string[], void, undefined>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#replies = readReplies(socket);
  }

  /** Connects and reads the greeting. */
  static async connect(port: number): Promise<TestSession> {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(20_000, () => socket.destroy(new Error('silence')));
    await once(socket, 'connect');
    const session = new TestSession(socket);
    await session.#replies.next();
    return session;
  }

  /** Says EHLO, too. */
  static async open(port: number): Promise<TestSession> {
    const session = await TestSession.connect(port);
    await session.say('EHLO client.example');
    return session;
  }

  /** Sends a line and gives the lines of its reply. */
  async lines(line: string): Promise<string[]> {
    this.#socket.write(`${line}\r\n`);
    const { value } = await this.#replies.next();
    if (value === undefined) throw new Error(`the session ended behind ${line}`);
    return value;
  }

  /** Sends a line and gives the last line of its reply. */
  async say(line: string): Promise<string> {
    return (await this.lines(line)).at(-1) ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}

async function* readReplies(socket: Socket): AsyncGenerator<string[], void, undefined> {
  let text = '';
  let reply: string[] = [];
  for await (const piece of socket) {
    text += String(piece);
    const lines = text.split('\r\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      reply.push(line);
      if (line[3] !== ' ') continue;
      yield reply;
      reply = [];
    }
  }
}
