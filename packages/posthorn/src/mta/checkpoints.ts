import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { clientNetwork } from '@posthorn/smtp/address/client-network';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { IncomingText, Resumption, Session, Transaction } from '@posthorn/smtp/server';
import type { Checkpoint, KeptTransaction } from '../queue/checkpoint.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { type Intake, plainIntake } from './intake.ts';
import { KeptIntake } from './kept-intake.ts';
import type { Log } from './log.ts';

/** Which session a transaction is in the hands of. */
interface Claim {
  readonly session: Session;
  /** What an earlier session left of it. */
  kept?: KeptTransaction;
  intake?: KeptIntake;
  /** Whether the session is over. */
  isOver?: true;
}

const sweepInterval = 3_600_000;
const takenOver = reply(451, '4.3.0', 'Another session goes on with this message');
const tooMuch = reply(554, '5.5.0', 'The message was complete before');

/** Lets clients go on with transactions that were cut off, each in the hands of one session at a time (RFC 1845 §3). */
export class Checkpoints {
  readonly #store: QueueStore;
  readonly #claims = new Map<string, Claim>();
  readonly #keys = new WeakMap<Session, string>();
  readonly #ending = new Set<Promise<unknown>>();
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;

  constructor(store: QueueStore, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#timer = setInterval(() => this.#sweep(), sweepInterval).unref();
    this.#sweep();
  }

  /** Where a transaction goes on; undefined when nothing is left of it, or of another one with its name. */
  async resume(session: Session, transaction: Transaction): Promise<Resumption | undefined> {
    const key = keyOf(session, transaction);
    this.#keys.set(session, key);
    const before = this.#claims.get(key);
    const claim: Claim = { session };
    this.#claims.set(key, claim);
    // Its session may not have noticed yet that its client is gone.
    await before?.intake?.supersede();
    // Meanwhile it may be in the hands of a third one.
    if (this.#claims.get(key) !== claim) return undefined;
    const { checkpoints } = this.#store;
    const kept = checkpoints.get(key);
    if (kept === undefined || !isSame(kept.checkpoint, transaction)) {
      await checkpoints.remove(key);
      return undefined;
    }
    claim.kept = kept;
    const { offset, isComplete, checkpoint } = kept;
    return { offset, recipients: checkpoint.recipients, by: isComplete ? 'DATA' : checkpoint.by };
  }

  /** What a message comes in through, by its id if it has one already; or the reply to one that was complete before. */
  async open(
    session: Session,
    transaction: Transaction,
    { text, id }: { readonly text: IncomingText; readonly id?: string | undefined },
  ): Promise<Intake | Reply> {
    const key = transaction.mail.transactionId === undefined ? undefined : this.#keys.get(session);
    if (key === undefined) return plainIntake(this.#store.draft(id), text);
    const claim = this.#claims.get(key);
    if (claim?.session !== session) return takenOver;
    const { kept } = claim;
    if (kept?.isComplete) return repeat(kept, text);
    const { checkpoints } = this.#store;
    const intake = await KeptIntake.open({
      transaction,
      text,
      client: session.login ?? clientNetwork(session.clientAddress),
      open: (describe) => (kept ? checkpoints.resume(key, kept, describe) : checkpoints.begin(key, describe)),
    });
    claim.intake = intake;
    return this.#watched(key, intake);
  }

  /** The client needs nothing any more of what it named. */
  async forget(session: Session): Promise<void> {
    const key = this.#keys.get(session);
    const claim = key === undefined ? undefined : this.#claims.get(key);
    if (key === undefined || claim?.session !== session) return;
    this.#keys.delete(session);
    this.#claims.delete(key);
    if (claim.intake !== undefined) claim.intake.isForgotten = true;
    await this.#store.checkpoints.remove(key);
  }

  /** The session is over; what it has in hand is ended by its own end. */
  closed(session: Session): void {
    const key = this.#keys.get(session);
    const claim = key === undefined ? undefined : this.#claims.get(key);
    if (key === undefined || claim?.session !== session) return;
    if (claim.intake === undefined) this.#claims.delete(key);
    else claim.isOver = true;
  }

  /** Waits for what is being kept. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.#ending);
  }

  #sweep(): void {
    void this.#track(this.#store.checkpoints.sweep());
  }

  /** What cannot be kept is as if it had not come, and what cannot be forgotten is tried again. */
  async #track(work: Promise<void>): Promise<void> {
    this.#ending.add(work);
    await work.catch((error: unknown) => this.#log.error({ err: error }, 'a transaction cannot be kept, or forgotten'));
    this.#ending.delete(work);
  }

  async #end(key: string, intake: KeptIntake, error: unknown): Promise<void> {
    const isKept = await intake.end(error);
    if (!isKept && !intake.isSuperseded) await this.#store.checkpoints.remove(key);
  }

  /** The intake, which gives up its claim when it ends. */
  #watched(key: string, intake: KeptIntake): Intake {
    const end = async (error: unknown) => {
      await this.#track(this.#end(key, intake, error));
      if (this.#claims.get(key)?.intake === intake) this.#claims.delete(key);
      if (intake.isSuperseded) throw new Failure('aborted', 'Another session goes on with the message');
    };
    const { draft, text, isResumed } = intake;
    const committed = () => {
      const claim = this.#claims.get(key);
      if (claim?.intake !== intake) return;
      delete claim.intake;
      if (claim.isOver) this.#claims.delete(key);
    };
    return { draft, text, isResumed, stored: () => intake.stored(), committed, end };
  }
}

/** A message that is committed is not committed twice: its reply is said again (RFC 1845 §3). */
async function repeat({ id }: KeptTransaction, text: IncomingText): Promise<Reply> {
  let size = 0;
  for await (const piece of text) size += piece.length;
  return size === 0 ? reply(250, '2.0.0', `Ok: queued as ${id}`) : tooMuch;
}

/** What tells a transaction from all others: its name, that of its client, and who that really is (RFC 1845 §2). */
function keyOf({ hello, login, clientAddress }: Session, { mail }: Transaction): string {
  const client = login === undefined ? ['address', clientAddress] : ['login', login];
  const parts = [hello?.name.toLowerCase(), mail.transactionId, ...client];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Whether MAIL says the same again; a time that is counted from MAIL is another one each time (RFC 2852 §4). */
function isSame(checkpoint: Checkpoint, { verb, reversePath, mail }: Transaction): boolean {
  const comparable = ({ deliverBy, hold, ...others }: Transaction['mail']) => ({ ...others, by: deliverBy?.mode });
  const kept = [checkpoint.verb, checkpoint.reversePath, comparable(checkpoint.mail)];
  return isDeepStrictEqual(kept, [verb, reversePath, comparable(mail)]);
}
