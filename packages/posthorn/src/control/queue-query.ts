import type { QueueQuery } from '../queue/queue-store.ts';

const longest = 1000;
const mostMessages = 1000;

/** Reads which messages are wanted from the parameters of a URL; a text says what is wrong with them. */
export function readQuery(parameters: URLSearchParams): QueueQuery | string {
  const query: { -readonly [Key in keyof QueueQuery]: QueueQuery[Key] } = {};
  for (const [name, value] of parameters) {
    if (value.length > longest) return `${name} is too long`;
    switch (name) {
      case 'sender':
      case 'recipient':
      case 'domain':
      case 'after':
        query[name] = value;
        break;
      case 'held':
        if (value !== 'true' && value !== 'false') return 'held is true or false';
        query.held = value === 'true';
        break;
      case 'limit':
        if (!/^\d{1,9}$/.test(value) || Number(value) < 1) return 'limit is a number from 1';
        query.limit = Math.min(Number(value), mostMessages);
        break;
      default:
        return `${name} is not known`;
    }
  }
  return query;
}

/** Writes a query as parameters of a URL. */
export function formatQuery(query: QueueQuery): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.toString();
}
