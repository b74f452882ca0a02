import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parseDialogue } from '../../../smtp/test/laws/dialogue.ts';
import { type Peer, runDialogue } from '../../../smtp/test/laws/run-dialogue.ts';
import { SocketClient } from '../../../smtp/test/laws/socket-client.ts';

/** A clock that stands still until an event moves it: Sat, 21 Nov 2026 10:00:00 UTC. */
export class GoldenClock {
  #now = Date.UTC(2026, 10, 21, 10);

  readonly now = (): number => this.#now;

  /** Moves on by `22s`, `20m` or `72h`. */
  advance(span: string): void {
    const match = /^(\d+)([smh])$/.exec(span);
    if (match === null) throw new Error(`No span of time: ${span}`);
    this.#now += Number(match[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 's' | 'm' | 'h'];
  }
}

/** A host that the agent relays to: a port on loopback whose connections the dialogue plays. */
export class GoldenHost implements AsyncDisposable {
  readonly #server = createServer({ noDelay: true });
  readonly #waiting: Socket[] = [];
  #wake: (() => void) | undefined;

  static async listen(): Promise<GoldenHost> {
    const host = new GoldenHost();
    host.#server.on('connection', (socket) => {
      host.#waiting.push(socket);
      host.#wake?.();
    });
    host.#server.listen(0, '127.0.0.1');
    await once(host.#server, 'listening');
    return host;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next connection that the agent opens. */
  async accept(): Promise<SocketClient> {
    while (this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return new SocketClient(this.#waiting.shift() as Socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    this.#server.close();
  }
}

/** What a dialogue is run against. */
export interface GoldenRun {
  /** The end that the harness plays: C towards a listener of the agent, S as a host that the agent relays to. */
  readonly plays: 'C' | 'S';
  /** For `connect 25`: the port of the agent that stands for it. */
  readonly ports?: Readonly<Record<string, number>>;
  /** For `connect mx1.example.com 25`: the host that stands for it. */
  readonly hosts?: Readonly<Record<string, GoldenHost>>;
  readonly clock?: GoldenClock;
  /** Makes of the file what holds for the agent. */
  readonly adapt?: (text: string) => string;
  /** What the other events of the file do, by their text. */
  readonly events?: Readonly<Record<string, (peer: SocketClient) => void | Promise<void>>>;
}

/**
 * Runs one dialogue of this folder against the running agent, over sockets. Events are `connect PORT`, `connect HOST PORT`,
 * `clock +20m`, `cut`, `close`, `send "octets"`, `tls handshake`, `text` (reads the text up to its dot), and those of `events`.
 */
export async function runGolden(file: string, run: GoldenRun): Promise<GoldenPeer> {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  const dialogue = parseDialogue(run.adapt === undefined ? text : run.adapt(text));
  const peer = new GoldenPeer(run);
  await runDialogue(dialogue, { plays: run.plays, peer });
  return peer;
}

/** The end that the harness plays, over as many connections as the dialogue has. */
class GoldenPeer implements Peer {
  /** The lines of the texts that were read by `text`. */
  readonly texts: string[][] = [];
  readonly #run: GoldenRun;
  #peer: SocketClient | undefined;
  #pushed: string[] = [];

  constructor(run: GoldenRun) {
    this.#run = run;
  }

  send(octets: Buffer): void {
    this.#now().send(octets);
  }

  async line(): Promise<string> {
    return this.#pushed.shift() ?? (await this.#now().line());
  }

  async event(event: string): Promise<void> {
    const own = this.#run.events?.[event];
    const [verb = '', first = '', second] = event.split(' ');
    if (own !== undefined) await own(this.#now());
    else if (verb === 'connect') await this.#connect(first, second);
    else if (verb === 'clock') this.#run.clock?.advance(first.replace('+', ''));
    else if (verb === 'cut') await this.#cut();
    else if (verb === 'send') this.#now().send(JSON.parse(event.slice(5)) as string);
    else if (event === 'text') await this.#readText();
    else await this.#now().event(event === 'tls handshake' ? 'tls' : event);
  }

  async rest(): Promise<string> {
    return this.#peer?.isClosed === false ? this.#peer.rest() : '';
  }

  #now(): SocketClient {
    if (this.#peer === undefined) throw new Error('The dialogue has opened no connection');
    return this.#peer;
  }

  async #connect(where: string, hostPort: string | undefined): Promise<void> {
    const host = hostPort === undefined ? undefined : this.#run.hosts?.[where];
    const port = this.#run.ports?.[hostPort ?? where];
    if (host !== undefined) this.#peer = await host.accept();
    else if (port !== undefined) this.#peer = SocketClient.connect({ port });
    else throw new Error(`Nothing stands for ${where} ${hostPort ?? ''}`);
  }

  async #cut(): Promise<void> {
    const { stream } = this.#now();
    const closed = once(stream, 'close');
    stream.destroy();
    await closed;
  }

  async #readText(): Promise<void> {
    const lines: string[] = [];
    let line = await this.line();
    for (; line !== '.'; line = await this.line()) lines.push(line);
    this.#pushed = [line];
    this.texts.push(lines);
  }
}
