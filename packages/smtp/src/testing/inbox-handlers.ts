import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatMailbox, type ReversePath } from '../address/mailbox.ts';
import type { Transaction } from '../protocol/transaction.ts';
import { formatReply } from '../reply/format-reply.ts';
import { isPositive, type Reply, reply } from '../reply/reply.ts';
import type { ServerHandlers } from '../server/handlers.ts';
import type { IncomingText } from '../server/incoming-text.ts';
import type { Session } from '../server/session.ts';
import type { MailEnvelope } from './received-mail.ts';
import type { SessionRecorder } from './session-recorder.ts';
import type { DropPoint, TroublePoint } from './trouble.ts';
import type { TroubleFacts, TroubleScript } from './trouble-script.ts';

/** What an inbox knows of a session beside what the server does. */
export interface InboxSession {
  readonly recorder: SessionRecorder;
  /** Aborted when the connection is gone. */
  readonly ended: AbortController;
  /** RCPT commands of the transaction. */
  recipients: number;
  /** Loses the connection. */
  drop(): void;
}

/** A message that an inbox may keep, and the session that it came in. */
export interface Arrival {
  readonly source: Buffer;
  readonly envelope: MailEnvelope;
  readonly recorder: SessionRecorder;
}

/** What the handlers of an inbox act upon. */
interface InboxParts {
  readonly script: TroubleScript;
  readonly users: Readonly<Record<string, string>> | undefined;
  /** Keeps a message; false when there is no room for it. */
  keep(arrival: Arrival): boolean;
  /** Tells that the message was accepted. */
  accepted(arrival: Arrival): void;
}

type View = Session<InboxSession>;

const dropPoints: Readonly<Partial<Record<TroublePoint, DropPoint>>> = {
  connect: 'connect',
  hello: 'after-hello',
  mail: 'after-mail',
  rcpt: 'after-rcpt',
  data: 'after-data',
};
const kept = reply(250, '2.0.0', 'Ok: kept');
const full = reply(452, '4.3.1', 'The inbox is full; clear() makes room');
const wrongLogin = reply(535, '5.7.8', 'Authentication credentials invalid');

/** Takes all mail for everyone, as far as the script of trouble lets it (RFC 5321 §3.3). */
export function inboxHandlers({ script, users, keep, accepted }: InboxParts): ServerHandlers<InboxSession> {
  async function meet(point: TroublePoint, { state }: View, facts: TroubleFacts = {}): Promise<Reply | undefined> {
    await hold(script.delay(point), point, state);
    const drop = dropPoints[point];
    if (drop !== undefined && script.drops(drop)) await lose(drop, state);
    return refuse(point, state, facts);
  }

  function refuse(point: TroublePoint, { recorder }: InboxSession, facts: TroubleFacts): Reply | undefined {
    const refusal = script.refusal(point, facts);
    if (refusal !== undefined) recorder.note(`trouble at ${point}: ${formatReply(refusal).trimEnd()}`);
    return refusal;
  }

  async function message(view: View, transaction: Transaction, text: IncomingText): Promise<Reply | Reply[]> {
    const pieces: Buffer[] = [];
    for await (const piece of text) {
      if (script.drops('mid-text')) await lose('mid-text', view.state);
      pieces.push(piece);
    }
    await hold(script.delay('text'), 'text', view.state);
    const all = envelopeOf(view, transaction);
    // In LMTP each recipient has a reply of its own (RFC 2033 §4.2).
    const asked = view.role === 'lmtp' ? all.to.map((address) => [address]) : [all.to];
    const replies = asked.map((to) => refuse('text', view.state, { from: all.from, to }) ?? kept);
    const envelope = { ...all, ...takers(all, replies) };
    const arrival = { source: Buffer.concat(pieces), envelope, recorder: view.state.recorder };
    if (text.cancelled !== undefined || envelope.to.length === 0) return replies;
    if (!keep(arrival)) return replies.map((each) => (each === kept ? full : each));
    if (script.drops('after-text')) await lose('after-text', view.state);
    accepted(arrival);
    return replies;
  }

  return {
    connect: (view) => meet('connect', view),
    hello: (view) => meet('hello', view),
    ...(users === undefined
      ? {}
      : {
          async authenticate(view, credentials) {
            const refusal = await meet('auth', view);
            if (refusal !== undefined) return refusal;
            const { user, password } = credentials;
            const isRight = Object.hasOwn(users, user) && password !== undefined && users[user] === password;
            return isRight ? { login: user } : wrongLogin;
          },
        }),
    mail(view, { reversePath }) {
      view.state.recipients = 0;
      return meet('mail', view, { from: addressOf(reversePath) });
    },
    recipient(view, { mailbox }, { reversePath }) {
      view.state.recipients += 1;
      const facts = { from: addressOf(reversePath), to: [formatMailbox(mailbox)], nth: view.state.recipients };
      return meet('rcpt', view, facts);
    },
    data(view, { reversePath, recipients }) {
      const to = recipients.map(({ mailbox }) => formatMailbox(mailbox));
      return meet('data', view, { from: addressOf(reversePath), to });
    },
    message,
    close({ state }) {
      state.ended.abort();
      state.recorder.end();
    },
  };
}

async function hold(milliseconds: number, point: TroublePoint, { recorder, ended }: InboxSession): Promise<void> {
  if (milliseconds <= 0) return;
  recorder.note(`trouble at ${point}: ${milliseconds} ms of delay`);
  await sleep(milliseconds, undefined, { signal: ended.signal }).catch(() => {});
}

/** Loses the connection, and returns when it is gone: no reply goes out or is written down. */
async function lose(point: DropPoint, { recorder, ended, drop }: InboxSession): Promise<void> {
  recorder.note(`trouble: dropped, ${point}`);
  drop();
  if (!ended.signal.aborted) await once(ended.signal, 'abort');
}

function addressOf(path: ReversePath): string {
  return path === null ? '' : formatMailbox(path);
}

function envelopeOf({ hello, login, tls }: View, { reversePath, mail, recipients }: Transaction): MailEnvelope {
  const each = recipients.map(({ mailbox, parameters }) => ({ ...parameters, address: formatMailbox(mailbox) }));
  return {
    from: addressOf(reversePath),
    to: each.map(({ address }) => address),
    mail,
    recipients: each,
    hello: hello?.name ?? '',
    login,
    secure: tls !== undefined,
  };
}

/** Those whom the replies leave: one reply for all, or one for each. */
function takers({ recipients }: MailEnvelope, replies: readonly Reply[]): Pick<MailEnvelope, 'to' | 'recipients'> {
  const left = recipients.filter((_, index) => isPositive(replies[replies.length === 1 ? 0 : index] ?? kept));
  return { recipients: left, to: left.map(({ address }) => address) };
}
