import { parseLiteral } from '@posthorn/smtp/address/domain';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { reply } from '@posthorn/smtp/reply/reply';
import type { Finding } from './finding.ts';
import type { Lookups } from './lookups.ts';
import type { Strictness } from './reverse-name.ts';

/** A name in HELO or EHLO, and what it is held against. */
export interface HelloFacts {
  readonly name: string;
  readonly clientAddress: string;
  /** The name of this host. */
  readonly hostname: string;
  readonly localAddress: string;
}

const filter = 'helo';
const scores = { impostor: 3, literal: 1, single: 1, unknown: 1 } as const;
const impostor = reply(550, '5.7.1', 'You are not this host');

/**
 * What the name says that a client greets with: the name of this very host, which spam has, or one that cannot be.
 * Deviates: the strict form refuses a client that says it is this host, though a name that is not the client's is no
 * reason to (RFC 5321 §4.1.4).
 */
export async function checkHelloName(
  lookups: Lookups,
  { name, clientAddress, hostname, localAddress }: HelloFacts,
  strictness: Strictness,
): Promise<Finding | undefined> {
  const literal = parseLiteral(name);
  const said = literal === undefined ? normalizeDomain(name) : addressOf(name);
  const isOwnName = said !== undefined && said === normalizeDomain(hostname);
  if (isOwnName || (said === localAddress && said !== clientAddress)) {
    const refusal = strictness === 'refuse' ? { reply: impostor } : {};
    return { filter, score: scores.impostor, text: 'claims to be this host', ...refusal };
  }
  if (literal !== undefined) {
    return said === clientAddress
      ? undefined
      : { filter, score: scores.literal, text: 'the literal is not its address' };
  }
  if (said === undefined || !said.includes('.')) return { filter, score: scores.single, text: 'no full name' };
  const answers = await Promise.all([lookups.addresses(said, 4), lookups.addresses(said, 6), lookups.mx(said)]);
  const isUnknown = answers.every(({ kind }) => kind === 'absent' || kind === 'none');
  return isUnknown ? { filter, score: scores.unknown, text: 'the name is not in DNS' } : undefined;
}

function addressOf(literal: string): string {
  return literal
    .replace(/^\[(?:IPv6:)?/i, '')
    .replace(/\]$/, '')
    .toLowerCase();
}
