import { connect, type Socket } from 'node:net';
import { Failure } from '@posthorn/smtp/failure/failure';

/** A password that Dovecot is asked about. */
export interface DovecotQuestion {
  readonly user: string;
  readonly password: string;
  readonly clientAddress: string;
  readonly secure: boolean;
}

interface Waiting {
  readonly resolve: (login: string | undefined) => void;
  readonly reject: (failure: Failure) => void;
  readonly timer: NodeJS.Timeout;
}

/** Questions at a time, and characters of one line. */
const mostWaiting = 1000;
const longestLine = 8192;

/**
 * Asks Dovecot's authentication service over its socket for clients; one connection for all questions, opened when there is
 * one, and again after it broke (Dovecot's authentication protocol, version 1).
 */
export class DovecotAuth {
  readonly #path: string;
  readonly #timeout: number;
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | undefined;
  #ready: Promise<Socket> | undefined;
  #next = 1;

  constructor(path: string, timeout: number) {
    this.#path = path;
    this.#timeout = timeout;
  }

  /** The login, as Dovecot calls the user; undefined when the password is wrong. Rejects with Failure when it does not say. */
  async verify(question: DovecotQuestion): Promise<string | undefined> {
    if (this.#waiting.size >= mostWaiting) throw new Failure('limit', 'Too many passwords wait for Dovecot');
    this.#ready ??= this.#open();
    const socket = await this.#ready;
    const id = this.#next;
    this.#next = id >= 0x7fff_ffff ? 1 : id + 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#drop(new Failure('timeout', 'Dovecot does not answer')), this.#timeout);
      this.#waiting.set(id, { resolve, reject, timer });
      socket.write(formatQuestion(id, question));
    });
  }

  close(): void {
    this.#drop(new Failure('aborted', 'The server ends'));
  }

  #open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path);
      this.#socket = socket;
      const give = (failure: Failure) => {
        clearTimeout(timer);
        if (this.#socket === socket) this.#drop(failure);
        reject(failure);
      };
      const timer = setTimeout(() => give(new Failure('timeout', 'Dovecot does not greet')), this.#timeout);
      const lines = new Lines((line) => {
        if (line === 'DONE') {
          clearTimeout(timer);
          resolve(socket);
        } else this.#take(line);
      });
      socket.setEncoding('utf8');
      socket.once('error', (error) => give(new Failure('unreachable', 'Dovecot cannot be reached', error)));
      socket.once('close', () => give(new Failure('lost', 'Dovecot closed the connection')));
      socket.on('data', (text: string) => {
        if (!lines.push(text)) give(new Failure('protocol', 'Dovecot sends a line without end'));
      });
      socket.write(`VERSION\t1\t1\nCPID\t${process.pid}\n`);
      // A service that waits for nobody keeps no process alive.
      socket.unref();
    });
  }

  #take(line: string): void {
    const [verb = '', id = '', ...words] = line.split('\t');
    if (verb === 'VERSION' && id !== '1') this.#drop(new Failure('protocol', 'Dovecot speaks another version'));
    const waiting = verb === 'OK' || verb === 'FAIL' || verb === 'CONT' ? this.#waiting.get(Number(id)) : undefined;
    if (waiting === undefined) return;
    this.#waiting.delete(Number(id));
    clearTimeout(waiting.timer);
    const login = words.find((word) => word.startsWith('user='))?.slice('user='.length);
    const isTemporary = words.includes('temp') || words.includes('code=temp_fail');
    if (verb === 'OK' && login) waiting.resolve(unescapeValue(login));
    else if (verb === 'FAIL' && !isTemporary) waiting.resolve(undefined);
    else waiting.reject(new Failure('refused', 'Dovecot cannot tell for now'));
  }

  #drop(failure: Failure): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#ready = undefined;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(failure);
    }
    this.#waiting.clear();
  }
}

function formatQuestion(id: number, { user, password, clientAddress, secure }: DovecotQuestion): string {
  const message = Buffer.from(`\0${user}\0${password}`).toString('base64');
  const words = ['AUTH', id, 'PLAIN', 'service=smtp', ...(secure ? ['secured'] : []), `rip=${clientAddress}`];
  // It has to be the last one.
  return `${words.join('\t')}\tresp=${message}\n`;
}

/** Tabs and line ends of a value are written behind 0x01. */
function unescapeValue(text: string): string {
  const plain: Readonly<Record<string, string>> = { '0': '\0', '1': '\x01', t: '\t', r: '\r', n: '\n' };
  return text.replace(/\x01(.)/gs, (_, letter: string) => plain[letter] ?? letter);
}

/** Cuts lines; false when one is too long. */
class Lines {
  readonly #take: (line: string) => void;
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  push(text: string): boolean {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    return this.#rest.length <= longestLine;
  }
}
