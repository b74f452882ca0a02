import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { Failure } from '@posthorn/smtp/failure/failure';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { formatReceived } from '@posthorn/smtp/message/received';
import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { IncomingText, Session, Transaction } from '@posthorn/smtp/server';
import type { Directory } from '../directory/directory.ts';
import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { Content, Draft, NewMessage } from '../queue/queue-store.ts';
import { freshState } from '../queue/settle.ts';
import { composeEnvelope, protocolOf } from './compose-envelope.ts';
import type { ContentFilters } from './content-filters.ts';
import { type ExpandedRecipients, expandRecipients } from './expand-recipients.ts';
import { reportExpansion } from './expansion-report.ts';
import type { ForwardedSenders } from './forwarded-senders.ts';
import { HeaderWatch } from './header-watch.ts';
import type { Intake } from './intake.ts';
import type { Judge, JudgedMessage } from './judge.ts';
import type { Log } from './log.ts';
import type { MessageCheck } from './message-check.ts';
import { Refusal } from './refusal.ts';
import type { ReportWriter } from './report-writer.ts';
import type { Scheduler } from './scheduler.ts';
import type { Wishes } from './wishes.ts';

/** What reception works with. */
export interface ReceptionParts {
  readonly hostname: string;
  readonly directory: Directory;
  readonly scheduler: Pick<Scheduler, 'take' | 'wake'>;
  readonly reports: Pick<ReportWriter, 'compose'>;
  /** The refusal of a message that none of its recipients takes for its size (RFC 3463 §3.3). */
  readonly refuseSize: (recipients: readonly Recipient[], size: number) => Reply | undefined;
  readonly wishes: Wishes;
  /** Writes the senders of forwarded mail; absent: they stay as they are. */
  readonly forwarded?: ForwardedSenders | undefined;
  /** Finds what is hostile; absent: nothing does. */
  readonly judge?: Judge | undefined;
  /** Programs that look at messages, and change them; absent: there are none. */
  readonly contentFilters?: ContentFilters | undefined;
  /** What filters found about the message that a session sends. */
  readonly judgementOf?: (session: Session) => Envelope['judgement'];
  readonly log: Log;
  readonly now: () => number;
  /** Whether the trace of a submission says nothing of its client (RFC 8314 §4.3). */
  readonly hideClient?: boolean;
  /** More Received fields than this are a loop (RFC 5321 §6.3). */
  readonly mostHops: number;
}

const none: readonly NewMessage[] = [];
/** The same as for what is kept: who sent it learns nothing from it. */
const discarded = reply(250, '2.0.0', 'Ok: queued');
const looped = reply(554, '5.4.6', 'Too many hops: this message loops');
const full = reply(452, '4.3.1', 'Insufficient system storage');
const trouble = reply(451, '4.3.0', 'The message cannot be stored now');

/** A message that comes in. */
interface Incoming {
  readonly transaction: Transaction;
  readonly intake: Intake;
  /** Says, once its text came, whether a stranger is whom it says. */
  readonly check?: Pick<MessageCheck, 'finish'> | undefined;
  /** Whether nobody here vouches for its sender. */
  readonly isStranger?: boolean;
}

/** Takes responsibility for one message: text and envelope are on disk before the 250 (RFC 5321 §6.1). */
export async function receiveMessage(parts: ReceptionParts, session: Session, given: Incoming): Promise<Reply> {
  const { wishes } = parts;
  const { intake } = given;
  const asked = settleRecipients(parts, given.transaction);
  if (asked === 'loop') return looped;
  const head = asked.isReported || parts.judge !== undefined ? new HeaderCollector() : undefined;
  const { text } = intake;
  let { draft } = intake;
  try {
    const receivedAt = parts.now();
    if (!intake.isResumed) {
      draft.write(Buffer.from(composeTrace(parts, session, { ...given, id: draft.id, receivedAt })));
    }
    const written = await writeText(intake, { mostHops: parts.mostHops, head });
    const front = await given.check?.finish();
    if (front !== undefined) draft.prepend(front);
    const filtered = parts.contentFilters && (await parts.contentFilters.filter(session, { ...given, draft, text }));
    draft = filtered?.draft ?? draft;
    const { transaction } = filtered ?? given;
    const header = filtered?.header ?? head?.header;
    const whom = transaction === given.transaction ? asked : settleRecipients(parts, transaction);
    if (whom === 'loop') throw new Refusal(looped);
    const { recipients, expanded, isReported } = whom;
    const { size } = draft;
    const oversize = parts.refuseSize(recipients, size);
    if (oversize !== undefined) throw new Refusal(oversize);
    if (header !== undefined) await judge(parts, { session, transaction, header, size });
    const judgement = parts.judgementOf?.(session);
    const wished = grantWishes(wishes, session, { transaction, recipients, written });
    const granted = {
      ...wished,
      ...(judgement === undefined ? {} : { judgement }),
      ...(given.isStranger ? { isStranger: true as const } : {}),
    };
    const envelope = composeEnvelope(session, transaction, { id: draft.id, recipients, receivedAt, size, granted });
    const facts = { envelope, expanded, now: receivedAt };
    const reports =
      isReported && header !== undefined ? await reportExpansion(parts.reports, { ...facts, header }) : none;
    const content = await commitUnlessCancelled(draft, { envelope, reports, text });
    const hold = filtered?.hold;
    if (hold !== undefined) await holdBack(parts, draft, { envelope, reason: hold });
    const { id, reversePath: from, priority } = envelope;
    const client = session.clientAddress;
    parts.log.info({ id, from, size, client, login: session.login, priority }, 'queued');
    intake.committed();
    if (draft !== intake.draft) await intake.draft.discard();
    wishes.taken(envelope);
    if (hold === undefined) parts.scheduler.take({ envelope, state: freshState(recipients, receivedAt) }, content);
    if (reports.length > 0) parts.scheduler.wake();
    return reply(250, '2.0.0', `Ok: queued as ${envelope.id}`);
  } catch (error) {
    if (draft !== intake.draft) await draft.discard();
    await intake.end(error);
    return refusal(parts, session, error);
  }
}

/** Whom a message comes to. */
interface Settled extends ExpandedRecipients {
  /** Of mail with the null reverse-path nothing is ever reported (RFC 5321 §6.1). */
  readonly isReported: boolean;
}

function settleRecipients(parts: ReceptionParts, transaction: Transaction): Settled | 'loop' {
  const { directory, wishes, forwarded } = parts;
  const expansion = expandRecipients(directory, forwarded?.returned(transaction) ?? transaction);
  if (expansion === 'loop') return 'loop';
  const { expanded } = expansion;
  const owned = wishes.settleOwners(expansion.recipients, transaction);
  const recipients = forwarded?.rewritten(owned, transaction) ?? owned;
  return { recipients, expanded, isReported: expanded.length > 0 && transaction.reversePath !== null };
}

/** A message that cannot be held back as its filter wants it is not taken. */
async function holdBack(
  { contentFilters }: ReceptionParts,
  draft: Draft,
  { envelope, reason }: { readonly envelope: Envelope; readonly reason: string },
): Promise<void> {
  try {
    await contentFilters?.hold(envelope, reason);
  } catch (error) {
    await draft.takeBack();
    throw error;
  }
}

interface Commit {
  readonly envelope: Envelope;
  readonly reports: readonly NewMessage[];
  readonly text: Pick<IncomingText, 'cancelled'>;
}

/** The client that was told 451 for want of time sends it again: what is committed then would be there twice (RFC 1047). */
async function commitUnlessCancelled(draft: Draft, { envelope, reports, text }: Commit): Promise<Content> {
  if (text.cancelled !== undefined) throw text.cancelled;
  const content = await draft.commit(envelope, reports);
  if (text.cancelled !== undefined) {
    await draft.takeBack();
    throw text.cancelled;
  }
  return content;
}

/** Ends the taking of what is hostile: no report of it ever goes to the address that it bears (RFC 5321 §6.2). */
async function judge({ judge, log }: ReceptionParts, message: JudgedMessage): Promise<void> {
  const verdict = await judge?.(message);
  if (verdict === undefined) return;
  const { reversePath } = message.transaction;
  const from = reversePath === null ? '' : formatMailbox(reversePath);
  const said = verdict.kind === 'refuse' ? verdict.reply.lines.join(' ') : verdict.reason;
  log.warn(
    { from, client: message.session.clientAddress, said },
    `hostile, ${verdict.kind === 'refuse' ? 'refused' : 'discarded'}`,
  );
  throw new Refusal(verdict.kind === 'refuse' ? verdict.reply : discarded);
}

/** What came of a text. */
interface Written {
  readonly size: number;
  /** Its header, if that says what is to become of the message. */
  readonly wishes: Buffer | undefined;
}

interface Writing {
  readonly mostHops: number;
  /** Gets the header, where that is needed. */
  readonly head: HeaderCollector | undefined;
}

async function writeText({ draft, text, stored }: Intake, { mostHops, head }: Writing): Promise<Written> {
  const watch = new HeaderWatch();
  let isHeader = head !== undefined;
  for await (const piece of stored()) {
    watch.write(piece);
    if (isHeader) isHeader = head?.write(piece) === false;
  }
  for await (const piece of text) {
    watch.write(piece);
    if (isHeader) isHeader = head?.write(piece) === false;
    const room = draft.write(piece);
    if (room !== undefined) await room;
  }
  if (watch.hops >= mostHops) throw new Refusal(looped);
  return { size: draft.size, wishes: watch.wishes };
}

/** What asks for something: a transaction, and the header of its text. */
interface Asking {
  readonly transaction: Transaction;
  readonly recipients: Recipient[];
  readonly written: Written;
}

/** Judges a message as a whole: throws Refusal where it is not taken for what it asks. */
function grantWishes(
  wishes: Wishes,
  session: Session,
  { transaction, recipients, written }: Asking,
): Partial<Envelope> {
  const header = wishes.readHeader(written.wishes);
  const granted = wishes.grant(session, transaction, header);
  const refusal =
    (header && wishes.checkHeader(header, transaction)) ??
    wishes.priorities.checkSize(granted.priority ?? 0, written.size);
  if (refusal !== undefined) throw new Refusal(refusal);
  const adopted = header && wishes.adoptOwners(recipients, header);
  return adopted === undefined ? granted : { ...granted, recipients: adopted };
}

function refusal({ log }: ReceptionParts, session: Session, error: unknown): Reply {
  if (error instanceof Refusal) return error.reply;
  if (!(error instanceof Failure)) throw error;
  // What the client broke off or the session refused is answered by the session itself.
  if (error.kind !== 'full' && error.kind !== 'storage') throw error;
  log.error({ client: session.clientAddress, err: error }, 'a message cannot be stored');
  return error.kind === 'full' ? full : trouble;
}

interface Facts {
  readonly transaction: Transaction;
  readonly id: string;
  readonly receivedAt: number;
}

function composeTrace(parts: ReceptionParts, session: Session, { transaction, id, receivedAt }: Facts): string {
  const { tls, hello, clientAddress, role } = session;
  const isHidden = parts.hideClient === true && isSubmission(role);
  const { solicit } = transaction.mail;
  const priority = parts.wishes.priorities.of(session, transaction.mail);
  const received = formatReceived({
    by: parts.hostname,
    id,
    date: receivedAt,
    offsetMinutes: -new Date(receivedAt).getTimezoneOffset(),
    protocol: protocolOf(session, transaction),
    recipients: transaction.recipients.map(({ mailbox }) => ({ address: formatMailbox(mailbox) })),
    ...(hello === undefined || isHidden ? {} : { from: hello.name }),
    ...(clientAddress === 'local' || isHidden ? {} : { address: clientAddress }),
    ...(solicit === undefined ? {} : { solicit }),
    ...(priority === undefined ? {} : { priority }),
    ...(tls === undefined
      ? {}
      : { tls: { version: tls.protocol, cipher: tls.cipher, form: isSubmission(role) ? 'clause' : 'comment' } }),
  });
  return parts.wishes.resultOf(transaction, parts.hostname) + received;
}
