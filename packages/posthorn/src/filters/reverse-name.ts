import { reply } from '@posthorn/smtp/reply/reply';
import type { Finding } from './finding.ts';
import type { Lookups } from './lookups.ts';

/** Whether a filter only counts what it finds, or refuses for it. */
export type Strictness = 'score' | 'refuse';

const filter = 'reverse-dns';
const scores = { missing: 2, unconfirmed: 1 } as const;
/** Names of one address that are looked at. */
const mostNames = 5;
const unnamed = reply(550, '5.7.25', 'The address of the client has no name in DNS');
const unknown = reply(450, '4.7.25', 'The name of the address of the client cannot be looked up now');

/**
 * What the name of a client's address says: that it has none, or one that does not lead back. Many good hosts have no name
 * or another one, so that even the strict form refuses only for none at all (RFC 7372 §3.3).
 */
export async function checkReverseName(
  lookups: Lookups,
  address: string,
  strictness: Strictness,
): Promise<Finding | undefined> {
  const names = await lookups.reverse(address);
  const isStrict = strictness === 'refuse';
  if (names.kind === 'failed') {
    return { filter, score: 0, text: 'cannot be looked up', ...(isStrict ? { reply: unknown } : {}) };
  }
  if (names.kind !== 'found') {
    return { filter, score: scores.missing, text: 'no name', ...(isStrict ? { reply: unnamed } : {}) };
  }
  const family = address.includes(':') ? 6 : 4;
  const some = names.records.slice(0, mostNames);
  const answers = await Promise.all(some.map((name) => lookups.addresses(name, family)));
  const leadsBack = answers.some((answer) => answer.kind === 'found' && answer.records.includes(address));
  if (leadsBack || answers.some(({ kind }) => kind === 'failed')) return undefined;
  return { filter, score: scores.unconfirmed, text: 'the name does not lead back' };
}
