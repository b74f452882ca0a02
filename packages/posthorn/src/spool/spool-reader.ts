import { Failure } from '@posthorn/smtp/failure/failure';
import type { Content, DomainQuery, QueuedMessage, QueueQuery } from '../queue/queue-store.ts';
import { contentInHand, contentOfParts, readPart } from './content.ts';
import { domainKeysOf, idsOf } from './domain-index.ts';
import { dueKey } from './due-key.ts';
import { matchesQuery } from './matches-query.ts';
import { type Found, freshDueKey } from './plan.ts';
import { isQueueId } from './queue-id.ts';
import { parseRecord, parseState } from './record.ts';
import type { Tables } from './table.ts';

const PAGE = 100;
const DEFAULT_LIMIT = 1000;

/** Reads a queue from its tables. */
export class SpoolReader {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The message, where its entries are when nobody holds it, and its content if that is within the record. */
  find(id: string): Found | undefined {
    if (!isQueueId(id)) return undefined;
    const settled = this.#tables.states.get(id);
    if (settled !== undefined) {
      const message = parseState(id, settled);
      const { fresh, parts, state } = message;
      const place = { fresh, parts, domainKeys: domainKeysOf(message) };
      if (state.held) return { message, place };
      return { message, place: { ...place, dueKey: dueKey(state.due, id, message.envelope.priority) } };
    }
    const bytes = this.#tables.messages.get(id);
    if (bytes === undefined) return undefined;
    const { content, ...message } = parseRecord(id, bytes);
    return { message, content, place: { fresh: true, parts: message.parts, dueKey: freshDueKey(id) } };
  }

  get(id: string): QueuedMessage | undefined {
    const message = this.find(id)?.message;
    return message === undefined ? undefined : { envelope: message.envelope, state: message.state };
  }

  content(id: string): Content {
    const found = this.find(id);
    if (found === undefined) throw new Failure('storage', `Message ${id} is not in the spool`);
    const { message, content } = found;
    const { parts } = this.#tables;
    if (message.parts === 0) return contentInHand(content ?? Buffer.alloc(0));
    if (message.parts === 1) return contentInHand(readPart(parts, id, 0));
    return contentOfParts(parts, { id, count: message.parts, size: message.envelope.size });
  }

  /** Walks in the order of the ids, a page of keys and one message in memory at a time; skips what leaves meanwhile. */
  async *list(query: QueueQuery): AsyncIterable<QueuedMessage> {
    let left = query.limit ?? DEFAULT_LIMIT;
    let start = query.after === undefined ? '0' : `${query.after}!`;
    while (left > 0) {
      const ids = this.#ids(start);
      for (const id of ids) {
        const message = this.#getReadable(id);
        if (message === undefined || !matchesQuery(message, query)) continue;
        yield message;
        if (--left === 0) return;
      }
      const last = ids.at(-1);
      if (last === undefined) return;
      start = `${last}!`;
    }
  }

  waitingFor(query: DomainQuery): Iterable<string> {
    return idsOf(this.#tables.domains, query);
  }

  count(): number {
    return this.#tables.messages.count() + this.#tables.states.count();
  }

  /** One record that cannot be read must not hide those behind it. */
  #getReadable(id: string): QueuedMessage | undefined {
    try {
      return this.get(id);
    } catch {
      return undefined;
    }
  }

  #ids(start: string): string[] {
    const range = { start, limit: PAGE };
    const ids = [...this.#tables.messages.keys(range), ...this.#tables.states.keys(range)];
    return [...new Set(ids)].sort().slice(0, PAGE);
  }
}
