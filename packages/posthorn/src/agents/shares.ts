import { randomBytes } from 'node:crypto';
import type { ConnectOptions } from '@posthorn/smtp/client/connect-client';
import type { DeliveryJob } from '../queue/delivery-agent.ts';
import type { Envelope } from '../queue/envelope.ts';
import type { Unfinished } from '../queue/outcome.ts';

/** Recipients of a job that have transactions of their own. */
export interface Share {
  /** Of the recipients of the job. */
  readonly indexes: readonly number[];
  /** What their transaction is called, so that it can go on after a cut; small messages have no need of it. */
  readonly name?: string;
  /** The address that may have the beginning of the text: it is tried first (RFC 1845 §3). */
  readonly place?: string;
}

/** Octets of a message that are worth a name, and the round trip that it costs. */
const worthAName = 262_144;
/** Characters of the domain in a name: with what is before it, no more than 80 (RFC 1845 §2). */
const longestDomain = 36;

/** The recipients by the transactions in which they go: those that were cut off together go on together (RFC 1845 §3). */
export function sharesOf({ content, envelope, recipients, earlier = [] }: DeliveryJob): Share[] {
  const all = recipients.map((_, index) => index);
  if (content.size < worthAName) return [{ indexes: all }];
  const shares: Share[] = [];
  for (const [{ name, place, recipients: count }, indexes] of groupByName(earlier)) {
    // The host has all of them: whoever has the message from elsewhere by now would get it again.
    if (indexes.length === count) shares.push({ indexes, name, place });
  }
  const going = new Set(shares.flatMap(({ indexes }) => indexes));
  const others = all.filter((index) => !going.has(index));
  return others.length === 0 ? shares : [...shares, { indexes: others, name: newName(envelope) }];
}

function groupByName(earlier: NonNullable<DeliveryJob['earlier']>): [Unfinished, number[]][] {
  const groups = new Map<string, [Unfinished, number[]]>();
  for (const [index, outcome] of earlier.entries()) {
    const unfinished = outcome?.unfinished;
    if (unfinished === undefined) continue;
    const group = groups.get(unfinished.name);
    if (group === undefined) groups.set(unfinished.name, [unfinished, [index]]);
    else group[1].push(index);
  }
  return [...groups.values()];
}

/** A name that no other transaction of this host has: chance tells those of one message apart. */
export function newName({ id }: Pick<Envelope, 'id'>): string {
  return `${id}.${randomBytes(6).toString('hex')}`;
}

const marks: Readonly<Record<Envelope['body'], string>> = { '7BIT': '7', '8BITMIME': '8', BINARYMIME: 'b' };

/** TRANSID of a share's transaction at a host; each form of the text has one of its own, for offsets count in one form (RFC 1845 §2). */
export function transactionIdOf(name: string, body: Envelope['body'], { name: hello = '' }: ConnectOptions): string {
  const end = hello.replace(/[^a-z0-9.-]/gi, '').slice(-longestDomain);
  const domain = end.split('.').filter(Boolean).join('.');
  return `${name}.${marks[body]}@${domain === '' ? 'posthorn' : domain}`;
}

/** An address as it is remembered: without a secret. */
export function placeOf({ host, port, path }: ConnectOptions): string {
  return path ?? `${host} ${port}`;
}
