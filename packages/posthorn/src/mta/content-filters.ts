import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { Failure } from '@posthorn/smtp/failure/failure';
import { formatTarget } from '@posthorn/smtp/net/connect';
import { isPositive, type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, IncomingText, Session, Transaction } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import type { ContentChange, ContentVerdict, FieldChange } from '../filters/content-verdict.ts';
import { fallbackReply } from '../filters/filter-rules.ts';
import type { MilterSession } from '../filters/milter-session.ts';
import type { Envelope } from '../queue/envelope.ts';
import type { Draft, QueueStore } from '../queue/queue-store.ts';
import { freshState } from '../queue/settle.ts';
import { applyEnvelopeChange } from './apply-envelope-change.ts';
import { type ContentFilter, createContentFilter, type FilterQuestion } from './content-filter.ts';
import { FilteredText } from './filtered-text.ts';
import type { Log } from './log.ts';
import { Refusal } from './refusal.ts';

/** What filters work with. */
export interface ContentFilterParts {
  readonly config: Config;
  readonly store: Pick<QueueStore, 'draft' | 'newId' | 'settle'>;
  readonly log: Log;
}

/** What filters have made of a message. */
export interface FilteredMessage {
  readonly transaction: Transaction;
  /** The one that was given, or one that takes its place. */
  readonly draft: Draft;
  readonly header: Buffer;
  /** Why it is kept back, if it is. */
  readonly hold: string | undefined;
}

/** What is known of a session that filters follow. */
interface Followed {
  readonly filters: readonly ContentFilter[];
  readonly milters: ReadonlyMap<ContentFilter, MilterSession>;
  /** The queue id of the message under way. */
  id: string;
}

/** The same as for what is kept: who sent it learns nothing from it. */
const discarded = reply(250, '2.0.0', 'Ok: queued');
const passes: ContentVerdict = { kind: 'pass', changes: [] };

/** Asks the filters of the configuration, one behind the other; the first that refuses decides (RFC 5321 §6.2). */
export class ContentFilters {
  readonly #parts: ContentFilterParts;
  readonly #filters: readonly ContentFilter[];
  readonly #followed = new WeakMap<Session, Followed>();

  constructor(parts: ContentFilterParts) {
    this.#parts = parts;
    this.#filters = parts.config.contentFilters.map((rules) =>
      createContentFilter(rules, (failure) => this.#failed(rules, failure)),
    );
  }

  async connect(session: Session): Promise<Reply | undefined> {
    const filters = this.#filters.filter(({ roles }) => roles.has(session.role));
    if (filters.length === 0) return undefined;
    const { hostname } = this.#parts.config;
    const milters = new Map(
      filters.flatMap((filter) => {
        const milter = filter.follow?.(session, hostname);
        return milter === undefined ? [] : [[filter, milter] as const];
      }),
    );
    this.#followed.set(session, { filters, milters, id: '' });
    return this.#each(session, (milter) => milter.connect());
  }

  hello(session: Session, name: string): Promise<Reply | undefined> {
    return this.#each(session, (milter) => milter.hello(name));
  }

  async mail(session: Session, transaction: Transaction): Promise<Reply | undefined> {
    const followed = this.#followed.get(session);
    if (followed === undefined || followed.milters.size === 0) return undefined;
    followed.id = this.#parts.store.newId();
    return this.#each(session, (milter) => milter.mail(transaction, followed.id));
  }

  recipient(session: Session, recipient: AcceptedRecipient, transaction: Transaction): Promise<Reply | undefined> {
    return this.#each(session, (milter, id) => milter.recipient(recipient, transaction, id));
  }

  data(session: Session, transaction: Transaction): Promise<Reply | undefined> {
    return this.#each(session, async (milter, id) => {
      // Those of an earlier session come with MAIL, and no RCPT tells of them (RFC 1845 §3).
      for (const recipient of transaction.offset === undefined ? [] : transaction.recipients) {
        const refusal = await milter.recipient(recipient, transaction, id);
        if (refusal !== undefined) return refusal;
      }
      return milter.data(transaction, id);
    });
  }

  /** The queue id that the message has, where filters were told one already. */
  idOf(session: Session): string | undefined {
    return this.#followed.get(session)?.id || undefined;
  }

  /** Asks about a message that is all there. Rejects with Refusal where it is not taken; undefined: nobody was asked. */
  async filter(
    session: Session,
    {
      transaction,
      draft,
      text,
    }: { readonly transaction: Transaction; readonly draft: Draft; readonly text: Pick<IncomingText, 'signal'> },
  ): Promise<FilteredMessage | undefined> {
    const followed = this.#followed.get(session);
    if (followed === undefined) return undefined;
    const { config, store } = this.#parts;
    const filtered = await FilteredText.open({ store, draft, most: config.limits.messageSize });
    const about = { hostname: config.hostname, session, id: draft.id, signal: text.signal };
    let message: Pick<FilteredMessage, 'transaction' | 'hold'> = { transaction, hold: undefined };
    try {
      for (const filter of followed.filters) {
        const question = { ...about, transaction: message.transaction, content: filtered.content() };
        const verdict = await this.#judge(filter, question, followed.milters.get(filter));
        if (verdict.kind !== 'pass') throw this.#refuse(filter, question, verdict);
        message = this.#apply(message, verdict.changes);
        await filtered.change(verdict.changes.filter(isFieldChange), verdict);
      }
      if (message.transaction.recipients.length === 0) {
        this.#parts.log.warn({ id: draft.id, client: session.clientAddress }, 'filters left no recipient, discarded');
        throw new Refusal(discarded);
      }
      return { ...message, draft: await filtered.settle(), header: filtered.header };
    } finally {
      await filtered.close();
    }
  }

  /** Keeps a committed message back until an operator lets it go. */
  async hold({ id, recipients, receivedAt }: Envelope, reason: string): Promise<void> {
    const state = { ...freshState(recipients, receivedAt), held: true };
    await this.#parts.store.settle(id, { state, reports: [] });
    this.#parts.log.warn({ id, reason }, 'held for a filter');
  }

  closed(session: Session): void {
    for (const milter of this.#followed.get(session)?.milters.values() ?? []) milter.close();
    this.#followed.delete(session);
  }

  async #each(
    session: Session,
    ask: (milter: MilterSession, id: string) => Promise<Reply | undefined>,
  ): Promise<Reply | undefined> {
    const followed = this.#followed.get(session);
    if (followed === undefined) return undefined;
    for (const milter of followed.milters.values()) {
      const answer = await ask(milter, followed.id);
      if (answer !== undefined && !isPositive(answer)) return answer;
    }
    return undefined;
  }

  async #judge(
    filter: ContentFilter,
    question: FilterQuestion,
    milter: MilterSession | undefined,
  ): Promise<ContentVerdict> {
    try {
      return await filter.judge(question, milter);
    } catch (error) {
      if (!(error instanceof Failure) || question.signal.aborted || isOurs(error)) throw error;
      this.#failed(filter.rules, error);
      const refusal = fallbackReply(filter.rules.fallback);
      return refusal === undefined ? passes : { kind: 'refuse', reply: refusal };
    }
  }

  #refuse(
    { rules }: ContentFilter,
    { id, session, transaction }: FilterQuestion,
    verdict: Exclude<ContentVerdict, { kind: 'pass' }>,
  ): Refusal {
    const from = transaction.reversePath === null ? '' : formatMailbox(transaction.reversePath);
    const isRefused = verdict.kind === 'refuse';
    const said = isRefused ? `${verdict.reply.code} ${verdict.reply.lines.join(' ')}` : verdict.reason;
    const about = { id, from, client: session.clientAddress, filter: rules.kind, said };
    this.#parts.log.warn(about, isRefused ? 'refused by a filter' : 'discarded by a filter');
    return new Refusal(isRefused ? verdict.reply : discarded);
  }

  #apply(
    message: Pick<FilteredMessage, 'transaction' | 'hold'>,
    changes: readonly ContentChange[],
  ): Pick<FilteredMessage, 'transaction' | 'hold'> {
    let { transaction, hold } = message;
    for (const change of changes) {
      if (change.kind === 'hold') hold ??= change.reason;
      else if (!isFieldChange(change)) {
        const changed = applyEnvelopeChange(transaction, change);
        if (changed === undefined) this.#parts.log.warn({ change: change.kind }, 'a filter names a malformed address');
        transaction = changed ?? transaction;
      }
    }
    return { transaction, hold };
  }

  #failed({ kind, address }: Config['contentFilters'][number], failure: Failure): void {
    this.#parts.log.warn({ filter: kind, at: formatTarget(address), err: failure }, 'a filter cannot be asked');
  }
}

function isFieldChange(change: ContentChange): change is FieldChange {
  return change.kind === 'add' || change.kind === 'insert' || change.kind === 'change' || change.kind === 'remove';
}

/** What is wrong with the store is not the filter's fault. */
function isOurs({ kind }: Failure): boolean {
  return kind === 'full' || kind === 'storage';
}
