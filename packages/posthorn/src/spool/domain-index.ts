import type { DomainQuery, QueuedMessage } from '../queue/queue-store.ts';
import { pendingDomains } from '../queue/recipient-domain.ts';
import type { Table } from './table.ts';

const PAGE = 256;

/** Labels from the last to the first, so that a domain and all below it stand together. */
function reverse(domain: string): string {
  return domain.split('.').reverse().join('.');
}

/** The keys in `domains` of a message of which an attempt was recorded: one for each domain that it waits for. */
export function domainKeysOf(message: QueuedMessage): string[] {
  if (message.state.held) return [];
  return [...pendingDomains(message)].map((domain) => `${reverse(domain)} ${message.envelope.id}`);
}

/** The ids of the messages that wait for a domain; a page of keys is in memory at a time. */
export function* idsOf(table: Table, { domain, below = false }: DomainQuery): Iterable<string> {
  const name = reverse(domain);
  // A blank sorts before all that a label is made of, and a dot before all but the hyphen.
  yield* walk(table, `${name} `, `${name}!`);
  if (below) yield* walk(table, `${name}.`, `${name}/`);
}

function* walk(table: Table, first: string, end: string): Iterable<string> {
  let start = first;
  for (;;) {
    const keys = table.keys({ start, end, limit: PAGE });
    for (const key of keys) yield key.slice(key.indexOf(' ') + 1);
    const last = keys.at(-1);
    if (last === undefined || keys.length < PAGE) return;
    start = `${last}!`;
  }
}
