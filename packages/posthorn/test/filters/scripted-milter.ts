import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A command as a filter reads it: its letter, and its payload as texts or octets. */
export interface Seen {
  readonly letter: string;
  readonly payload: Buffer;
  /** The texts of the payload, each of which ends in NUL. */
  readonly texts: readonly string[];
}

/** A filter that plays a script. */
export interface ScriptedMilter extends AsyncDisposable {
  /** For the configuration. */
  readonly address: string;
  readonly port: number;
  /** All commands but macros, over all connections. */
  readonly seen: Seen[];
  /** The last macros of each command, by its letter. */
  readonly macros: Map<string, Record<string, string>>;
  /** Connections so far. */
  readonly connections: () => number;
  /** Says something over all connections that are open. */
  say(bytes: Buffer): void;
  /** Ends the connections that are open. */
  cut(): void;
}

export interface Script {
  readonly version?: number;
  readonly actions?: number;
  readonly steps?: number;
  /** Macros it wants, by the number of their stage. */
  readonly macros?: Readonly<Record<number, string>>;
  /** What it says to a command; nothing: that it goes on. An empty list: it says nothing. */
  readonly answer?: (seen: Seen) => readonly Buffer[] | Buffer | undefined;
  /** On a UNIX socket. */
  readonly local?: boolean;
}

const silentLetters = 'DAQK';

export function packet(letter: string, payload: Buffer | string = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length + 1);
  head.write(letter, 4, 'latin1');
  return Buffer.concat([head, bytes]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export const goOn = packet('c');
export const accept = packet('a');

/** Name and value of a field, perhaps behind an index. */
export function field(letter: 'h' | 'i' | 'm', name: string, value: string, index?: number): Buffer {
  const text = Buffer.from(`${name}\0${value}\0`, 'latin1');
  return packet(letter, index === undefined ? text : Buffer.concat([uint32(index), text]));
}

/** The terms that a filter answers negotiation with. */
export function terms({ version = 6, actions = 0x1ff, steps = 0, macros = {} }: Script): Buffer {
  const wanted = Object.entries(macros).map(([stage, names]) =>
    Buffer.concat([uint32(Number(stage)), Buffer.from(`${names}\0`)]),
  );
  return packet('O', Buffer.concat([uint32(version), uint32(actions), uint32(steps), ...wanted]));
}

/** Starts it on a free port. */
export async function startMilter(script: Script = {}): Promise<ScriptedMilter> {
  const seen: Seen[] = [];
  const macros = new Map<string, Record<string, string>>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let input = Buffer.alloc(0);
    socket.on('data', (piece) => {
      input = Buffer.concat([input, piece]);
      while (input.length >= 4 && input.length >= 4 + input.readUInt32BE(0)) {
        const end = 4 + input.readUInt32BE(0);
        const payload = input.subarray(5, end);
        const letter = String.fromCharCode(input[4] ?? 0);
        input = input.subarray(end);
        take({ letter, payload, texts: payload.toString('utf8').split('\0').slice(0, -1) }, socket);
      }
    });
  });
  function take(command: Seen, socket: Socket): void {
    if (command.letter === 'D') {
      const [first = '', ...rest] = command.texts;
      const words = [first.slice(1), ...rest];
      const pairs = words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? ''] as const] : []));
      macros.set(first[0] ?? '', Object.fromEntries(pairs));
      return;
    }
    seen.push(command);
    const said = script.answer?.(command);
    if (said !== undefined) for (const each of Array.isArray(said) ? said : [said]) socket.write(each);
    else if (command.letter === 'O') socket.write(terms(script));
    else if (!silentLetters.includes(command.letter)) socket.write(goOn);
    if (command.letter === 'Q') socket.end();
  }
  const folder = script.local ? mkdtempSync(join(tmpdir(), 'milter-')) : undefined;
  const path = folder === undefined ? undefined : join(folder, 'socket');
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  const listening = server.address();
  const port = typeof listening === 'object' && listening !== null ? listening.port : 0;
  return {
    address: path ?? `127.0.0.1:${port}`,
    port,
    seen,
    macros,
    connections: () => connections,
    say(bytes) {
      for (const socket of sockets) socket.write(bytes);
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
