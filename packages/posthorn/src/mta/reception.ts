import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { Failure } from '@posthorn/smtp/failure/failure';
import { formatReceived, withKeyword } from '@posthorn/smtp/message/received';
import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { IncomingText, Session, Transaction } from '@posthorn/smtp/server';
import type { Directory } from '../directory/directory.ts';
import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { Content, Draft, QueueStore } from '../queue/queue-store.ts';
import { freshState } from '../queue/settle.ts';
import { HopCount } from './hop-count.ts';
import type { Log } from './log.ts';
import { Refusal } from './refusal.ts';
import type { Scheduler } from './scheduler.ts';

/** What reception works with. */
export interface ReceptionParts {
  readonly hostname: string;
  readonly directory: Directory;
  readonly store: Pick<QueueStore, 'draft' | 'settle'>;
  readonly scheduler: Pick<Scheduler, 'take'>;
  readonly log: Log;
  readonly now: () => number;
  /** Whether the trace of a submission says nothing of its client (RFC 8314 §4.3). */
  readonly hideClient?: boolean;
  /** More Received fields than this are a loop (RFC 5321 §6.3). */
  readonly mostHops: number;
}

const looped = reply(554, '5.4.6', 'Too many hops: this message loops');
const full = reply(452, '4.3.1', 'Insufficient system storage');
const trouble = reply(451, '4.3.0', 'The message cannot be stored now');

/** Takes responsibility for one message: text and envelope are on disk before the 250 (RFC 5321 §6.1). */
export async function receiveMessage(
  parts: ReceptionParts,
  session: Session,
  { transaction, text }: { readonly transaction: Transaction; readonly text: IncomingText },
): Promise<Reply> {
  const recipients = expandRecipients(parts.directory, transaction);
  if (recipients === 'loop') return looped;
  const draft = parts.store.draft();
  try {
    const receivedAt = parts.now();
    const trace = Buffer.from(composeTrace(parts, session, { transaction, id: draft.id, receivedAt }));
    const size = trace.length + (await writeText(draft, trace, { text, mostHops: parts.mostHops }));
    const envelope = composeEnvelope(session, transaction, { id: draft.id, recipients, receivedAt, size });
    const content = await commitUnlessCancelled(parts.store, draft, { envelope, signal: text.signal });
    parts.log.info(
      { id: envelope.id, from: envelope.reversePath, size, client: session.clientAddress, login: session.login },
      'queued',
    );
    parts.scheduler.take({ envelope, state: freshState(recipients, receivedAt) }, content);
    return reply(250, '2.0.0', `Ok: queued as ${envelope.id}`);
  } catch (error) {
    await draft.discard();
    return refusal(parts, session, error);
  }
}

/** The client that was told 451 for want of time sends it again: what is committed then would be there twice (RFC 1047). */
async function commitUnlessCancelled(
  store: Pick<QueueStore, 'settle'>,
  draft: Draft,
  { envelope, signal }: { readonly envelope: Envelope; readonly signal: AbortSignal },
): Promise<Content> {
  signal.throwIfAborted();
  const content = await draft.commit(envelope);
  if (signal.aborted) {
    await store.settle(envelope.id, { state: 'done', reports: [] });
    throw signal.reason;
  }
  return content;
}

async function writeText(
  draft: Draft,
  trace: Buffer,
  { text, mostHops }: { text: IncomingText; mostHops: number },
): Promise<number> {
  const hops = new HopCount();
  let size = 0;
  draft.write(trace);
  for await (const piece of text) {
    hops.write(piece);
    size += piece.length;
    const room = draft.write(piece);
    if (room !== undefined) await room;
  }
  if (hops.value >= mostHops) throw new Refusal(looped);
  return size;
}

function refusal({ log }: ReceptionParts, session: Session, error: unknown): Reply {
  if (error instanceof Refusal) return error.reply;
  if (!(error instanceof Failure)) throw error;
  // What the client broke off or the session refused is answered by the session itself.
  if (error.kind !== 'full' && error.kind !== 'storage') throw error;
  log.error({ client: session.clientAddress, err: error }, 'a message cannot be stored');
  return error.kind === 'full' ? full : trouble;
}

/** Aliases are replaced, doubles removed: one copy for each mailbox (RFC 5321 §3.9.1, RFC 5321 §4.1.1.3). */
function expandRecipients(directory: Directory, transaction: Transaction): Recipient[] | 'loop' {
  const recipients = new Map<string, Recipient>();
  for (const { mailbox, parameters } of transaction.recipients) {
    const expanded = directory.expand(formatMailbox(mailbox));
    if (expanded.kind === 'loop') return 'loop';
    for (const address of expanded.recipients) {
      const key = directory.keyOf(address);
      if (!recipients.has(key)) recipients.set(key, { address, ...parameters });
    }
  }
  return [...recipients.values()];
}

interface Facts {
  readonly transaction: Transaction;
  readonly id: string;
  readonly receivedAt: number;
}

function composeTrace(parts: ReceptionParts, session: Session, { transaction, id, receivedAt }: Facts): string {
  const { tls, hello, clientAddress, role } = session;
  const isHidden = parts.hideClient === true && isSubmission(role);
  return formatReceived({
    by: parts.hostname,
    id,
    date: receivedAt,
    offsetMinutes: -new Date(receivedAt).getTimezoneOffset(),
    protocol: protocolOf(session, transaction),
    recipients: transaction.recipients.map(({ mailbox }) => ({ address: formatMailbox(mailbox) })),
    ...(hello === undefined || isHidden ? {} : { from: hello.name }),
    ...(clientAddress === 'local' || isHidden ? {} : { address: clientAddress }),
    ...(tls === undefined
      ? {}
      : { tls: { version: tls.protocol, cipher: tls.cipher, form: isSubmission(role) ? 'clause' : 'comment' } }),
  });
}

function protocolOf(session: Session, transaction: Transaction): string {
  return withKeyword({
    lmtp: session.role === 'lmtp',
    esmtp: session.hello?.verb !== 'HELO',
    tls: session.tls !== undefined,
    authenticated: session.login !== undefined,
    utf8: transaction.mail.smtputf8 === true,
  });
}

function composeEnvelope(
  session: Session,
  transaction: Transaction,
  facts: Pick<Envelope, 'id' | 'recipients' | 'receivedAt' | 'size'>,
): Envelope {
  const { mail, reversePath } = transaction;
  return {
    ...facts,
    reversePath: reversePath === null ? '' : formatMailbox(reversePath),
    body: mail.body ?? '7BIT',
    smtputf8: mail.smtputf8 === true,
    ...(mail.ret === undefined ? {} : { ret: mail.ret }),
    ...(mail.envelopeId === undefined ? {} : { envelopeId: mail.envelopeId }),
    origin: {
      clientAddress: session.clientAddress,
      protocol: protocolOf(session, transaction),
      ...(session.hello === undefined ? {} : { helloName: session.hello.name }),
      ...(session.login === undefined ? {} : { login: session.login }),
    },
  };
}
