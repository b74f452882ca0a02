import { Failure } from '../failure/failure.ts';
import { isPositive, type Reply } from '../reply/reply.ts';
import { type ConnectOptions, connectClient } from './connect-client.ts';
import type { ClientConnection } from './connection.ts';
import { type RelayTargets, type RelayTrick, relayTricks } from './relay-tricks.ts';
import { ConnectionFailure } from './send-result.ts';

/** A host, and whom strangers would write to through it. */
export interface RelayTrial
  extends Pick<ConnectOptions, 'host' | 'port' | 'timeouts' | 'name' | 'socketFactory' | 'protocol'>,
    RelayTargets {
  /** A local-part that nobody has. */
  readonly nobody: string;
}

/**
 * What came of a trick: `relays`; `refused`; `local`: taken as the host takes every local-part of the domain; `unclear`:
 * put off, refused for another reason than relaying, or without a reply.
 */
export type RelayVerdict = 'relays' | 'refused' | 'local' | 'unclear';

/** One trick and what came of it. */
export interface TriedTrick extends RelayTrick {
  readonly verdict: RelayVerdict;
  /** The reply that decided; absent where the connection was lost instead. */
  readonly reply?: Reply;
}

/** Tricks of one session: hosts end those of clients that are refused too often. */
const perSession = 4;

/**
 * Tries to send mail through a host as strangers would, and sends no text. Rejects with ConnectionFailure when there is no
 * session at all (RFC 2505 §2.1).
 */
export async function tryRelaying(trial: RelayTrial, signal?: AbortSignal): Promise<TriedTrick[]> {
  const tricks = relayTricks(trial);
  const places = [...new Set(tricks.flatMap(({ place }) => place ?? []))];
  const asked = [...places.map((place) => nobodyAt(place, trial)), ...tricks];
  const replies: (Reply | undefined)[] = [];
  while (replies.length < asked.length) {
    const some = asked.slice(replies.length, replies.length + perSession);
    const session = await connectClient(targetOf(trial), signal);
    for (const trick of some) replies.push(await attempt(session, trick));
    await session.quit();
  }
  const open = new Set(places.filter((_, index) => isTaken(replies[index])));
  return tricks.map((trick, index) => {
    const reply = replies[places.length + index];
    const takesAll = trick.place !== undefined && open.has(trick.place);
    return { ...trick, verdict: judge(reply, takesAll), ...(reply === undefined ? {} : { reply }) };
  });
}

/** Whether a place takes any local-part. */
function nobodyAt(place: string, { nobody, foreign }: RelayTrial): RelayTrick {
  return { name: 'nobody', from: `<${foreign}>`, to: `<${nobody}${place}>`, leads: 'here', place };
}

function isTaken(reply: Reply | undefined): boolean {
  return reply !== undefined && isPositive(reply);
}

/** A host that asks for TLS is asked within it: a refusal for want of TLS would say nothing. */
function targetOf({ host, port, timeouts, name, socketFactory, protocol }: RelayTrial): ConnectOptions {
  const tls = port === 465 ? 'implicit' : 'opportunistic';
  const given = Object.entries({ host, port, timeouts, name, socketFactory, protocol, tls, verify: false });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** The reply to RCPT, or to MAIL where that was refused; RSET leaves nothing of it behind. */
async function attempt(session: ClientConnection, { from, to }: RelayTrick): Promise<Reply | undefined> {
  const mail = await say(session, `MAIL FROM:${from}`);
  if (mail === undefined || !isPositive(mail)) return mail;
  const reply = await say(session, `RCPT TO:${to}`);
  await say(session, 'RSET');
  return reply;
}

function judge(reply: Reply | undefined, takesAll: boolean): RelayVerdict {
  if (reply === undefined || (reply.code >= 400 && reply.code < 500)) return 'unclear';
  // A domain that takes no mail is refused to those who may relay, too (RFC 7505 §4.1).
  if (!isPositive(reply)) return reply.code === 556 || reply.status === '5.1.2' ? 'unclear' : 'refused';
  return takesAll ? 'local' : 'relays';
}

async function say(session: ClientConnection, line: string): Promise<Reply | undefined> {
  try {
    return await session.command(line);
  } catch (error) {
    if (error instanceof Failure) return error instanceof ConnectionFailure ? error.reply : undefined;
    throw error;
  }
}
