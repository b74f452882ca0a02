import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import {
  AUTHENTIC_DATA,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type Question,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { FixtureZone } from '../../src/dns/fixture-resolver.ts';
import { answerFromZone, type ZoneSettings } from './zone-answer.ts';

/** One query as the server saw it. */
interface SeenQuery {
  readonly question: Question;
  readonly transport: 'udp' | 'tcp';
  readonly port: number;
  readonly packet: DecodedPacket;
}

/** Messages to send in place of the answer; an empty list is silence, undefined no trouble. */
export type Trouble = (query: SeenQuery, answer: Packet) => readonly (Packet | Buffer)[] | undefined;

export interface DnsServer extends AsyncDisposable {
  /** `address:port`. */
  readonly address: string;
  readonly port: number;
  readonly queries: readonly SeenQuery[];
}

export interface DnsServerOptions extends ZoneSettings {
  readonly zone?: FixtureZone;
  readonly trouble?: Trouble;
  /** Whether it listens on TCP too; it does by default. */
  readonly tcp?: boolean;
}

const response = 1 << 15;

/** A small name server on loopback, UDP and TCP on one free port. */
export async function startDnsServer(options: DnsServerOptions = {}): Promise<DnsServer> {
  const { udp, tcp, port } = await listen();
  const queries: SeenQuery[] = [];
  const replies = (bytes: Buffer, transport: 'udp' | 'tcp', from: number): Buffer[] => {
    const packet = decode(bytes);
    const question = packet.questions?.[0] as Question;
    const query = { question, transport, port: from, packet };
    queries.push(query);
    const { code, answers, authorities } = answerFromZone(options.zone ?? {}, question, options);
    const flags = code | (options.authentic ? AUTHENTIC_DATA : 0);
    const answer: Packet = { type: 'response', id: packet.id ?? 0, flags, questions: [question], answers, authorities };
    const messages = options.trouble?.(query, answer) ?? [fit(answer, transport)];
    return messages.map((message) => (Buffer.isBuffer(message) ? message : encode(message)));
  };
  udp.on('message', (bytes: Buffer, remote: RemoteInfo) => {
    for (const reply of replies(bytes, 'udp', remote.port)) udp.send(reply, remote.port, remote.address);
  });
  if (options.tcp === false) tcp.close();
  tcp.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      for (const reply of replies(bytes.subarray(2), 'tcp', socket.remotePort ?? 0)) socket.write(framed(reply));
      socket.end();
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    port,
    queries,
    async [Symbol.asyncDispose]() {
      udp.close();
      if (tcp.listening) await new Promise((resolve) => tcp.close(resolve));
    },
  };
}

/** A datagram says that there is more than it can hold. */
function fit(answer: Packet, transport: 'udp' | 'tcp'): Packet {
  if (transport === 'tcp' || encode(answer).length <= 1232) return answer;
  return { ...answer, flags: (answer.flags ?? 0) | TRUNCATED_RESPONSE, answers: [] };
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** A copy of a message whose header is changed: the id, or the bits of the flags. */
export function withHeader(packet: Packet, change: { id?: number; flags?: number }): Buffer {
  const bytes = Buffer.from(encode(packet));
  if (change.id !== undefined) bytes.writeUInt16BE(change.id, 0);
  if (change.flags !== undefined) bytes.writeUInt16BE(response | change.flags, 2);
  return bytes;
}

/** UDP and TCP take their ports from different pools: the same one may be in use. */
async function listen(): Promise<{ udp: Socket; tcp: Server; port: number }> {
  for (;;) {
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address() as AddressInfo;
    const tcp = createServer();
    const free = await new Promise<boolean>((resolve) => {
      tcp.once('error', () => resolve(false));
      tcp.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) return { udp, tcp, port };
    udp.close();
  }
}
