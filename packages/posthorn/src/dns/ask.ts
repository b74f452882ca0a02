import { randomInt } from 'node:crypto';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { Exchange } from './exchange.ts';
import { exchangeTcp } from './exchange-tcp.ts';
import { exchangeUdp } from './exchange-udp.ts';
import { formatNameServer, isOnThisMachine, type NameServer } from './name-server.ts';
import { composeQuery, type Question, readReply, type WireReply } from './wire.ts';

/** How servers are asked. */
export interface AskOptions {
  readonly servers: readonly NameServer[];
  /** Milliseconds for one try. */
  readonly timeout: number;
  /** Rounds over the servers. */
  readonly attempts: number;
  /** Whether the AD bit of servers beyond this machine counts (RFC 4035 §4.9.3). */
  readonly trustAd: boolean;
}

/** A reply that is NOERROR or NXDOMAIN, or why there is none. */
type Asked =
  | { readonly kind: 'reply'; readonly reply: WireReply; readonly secure: boolean }
  | { readonly kind: 'failed'; readonly text: string };

/** Asks the servers in turn until one answers; rejects with Failure `aborted` alone. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Asked>;

/** Makes the function that asks these servers, beginning with the one that answered last. */
export function askServers({ servers, timeout, attempts, trustAd }: AskOptions): Ask {
  let preferred = 0;
  return async (question, signal) => {
    const order = servers.map((_, offset) => (preferred + offset) % servers.length);
    let text = 'no name server is left to ask';
    for (let round = 0; round < attempts; round += 1) {
      for (const index of [...order]) {
        const server = servers[index] as NameServer;
        const result = await tryServer({ server, timeout, signal }, question);
        if (typeof result !== 'string') {
          preferred = index;
          return { kind: 'reply', reply: result, secure: result.authentic && (trustAd || isOnThisMachine(server)) };
        }
        text = `${formatNameServer(server)}: ${result}`;
        // What a server says is not asked for again; only silence may have been bad luck (RFC 9520 §3.1).
        if (result !== silence) order.splice(order.indexOf(index), 1);
      }
    }
    return { kind: 'failed', text };
  };
}

const silence = 'no answer';

type Target = Pick<Exchange, 'server' | 'timeout' | 'signal'>;

/** The reply when it is of use, else what went wrong. */
async function tryServer(target: Target, question: Question): Promise<WireReply | string> {
  try {
    let reply = await exchange(target, question, true);
    // A server from before EDNS refuses the query as a whole (RFC 6891 §7).
    if (isUnknownEdns(reply.code)) reply = await exchange(target, question, false);
    if (reply.code === 'NOERROR' || reply.code === 'NXDOMAIN') return reply;
    return reply.code;
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'aborted') throw error;
    return error.kind === 'timeout' ? silence : error.message;
  }
}

function isUnknownEdns(code: string): boolean {
  return code === 'FORMERR' || code === 'NOTIMP' || code.startsWith('EXTENDED');
}

/** Over UDP; over TCP when the reply does not fit, or forged ones come (RFC 7766 §5). */
async function exchange(target: Target, question: Question, edns: boolean): Promise<WireReply> {
  const compose = (): Exchange => {
    const id = randomInt(0x1_0000);
    const read = (bytes: Buffer) => readReply(bytes, id, question);
    return { ...target, query: composeQuery(id, question, edns), read };
  };
  const overUdp = await exchangeUdp(compose()).catch((error: unknown) => {
    if (error instanceof Failure && error.kind === 'protocol') return undefined;
    throw error;
  });
  if (overUdp !== undefined && !overUdp.truncated) return overUdp;
  const reply = await exchangeTcp(compose());
  if (reply.truncated) throw new Failure('protocol', 'truncated over TCP');
  return reply;
}
