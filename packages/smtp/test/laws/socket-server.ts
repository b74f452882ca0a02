import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ServerHost } from '@posthorn/smtp/net/server-host';
import { openServerTls } from '@posthorn/smtp/net/server-tls';
import type { ServerRules } from '@posthorn/smtp/protocol/server-rules';
import type { Peer } from './run-dialogue.ts';
import { TestApplication } from './test-application.ts';
import { testCertificate } from './test-certificate.ts';

/** A server on a loopback port, and one client's connection to it. */
export class SocketServer implements Peer {
  readonly #host: ServerHost;
  #socket: Socket;
  #unread = '';
  #closed = false;
  #wake: (() => void) | undefined;

  private constructor(host: ServerHost, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    this.#listen();
  }

  static async open(rules: ServerRules): Promise<SocketServer> {
    const host = new ServerHost({
      limits: { connections: 10, connectionsPerAddress: 10 },
      tls: openServerTls(testCertificate),
      handlerTime: 60_000,
      report: (error) => {
        throw error;
      },
    });
    const server = await host.listen(
      { host: '127.0.0.1', port: 0 },
      { rules, implicitTls: false, application: () => new TestApplication() },
    );
    const { port } = server.address() as AddressInfo;
    return new SocketServer(host, connect(port, '127.0.0.1'));
  }

  send(octets: Buffer): void {
    this.#socket.write(octets);
  }

  async line(): Promise<string> {
    await this.#until(() => this.#unread.includes('\r\n'));
    const end = this.#unread.indexOf('\r\n');
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 2);
    return line;
  }

  async event(event: string): Promise<void> {
    if (event === 'tls') await this.#secure();
    else if (event === 'close') await this.#until(() => this.#closed);
    else throw new Error(`No event ${event} over a socket`);
  }

  /** Half-closes the connection and waits for the server to end it, so that nothing is missed. */
  async rest(): Promise<string> {
    this.#socket.end();
    await this.#until(() => this.#closed);
    return this.#unread;
  }

  async end(): Promise<void> {
    this.#socket.destroy();
    await this.#host.close(0);
  }

  #listen(): void {
    this.#socket.on('data', (octets: Buffer) => {
      this.#unread += octets.toString('utf8');
      this.#wake?.();
    });
    this.#socket.on('end', () => {
      this.#closed = true;
      this.#wake?.();
    });
    this.#socket.on('error', (error) => this.#socket.emit('end', error));
  }

  async #secure(): Promise<void> {
    const plain = this.#socket.removeAllListeners('data').removeAllListeners('end');
    const socket = connectTls({ socket: plain, ca: testCertificate.cert, servername: 'mx.example.test' });
    this.#socket = socket;
    this.#listen();
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#closed) throw new Error(`The connection is closed; unread is ${JSON.stringify(this.#unread)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
