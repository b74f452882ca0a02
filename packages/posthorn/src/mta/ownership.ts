import { Failure } from '@posthorn/smtp/failure/failure';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Directory } from '../directory/directory.ts';
import type { Consent } from './consent.ts';
import type { Log } from './log.ts';

/** What is known about who has which mailbox. */
export interface OwnershipParts {
  readonly consent: Consent;
  readonly directory: Directory;
}

const otherOwner = reply(550, '5.7.17', 'The mailbox has another owner now');
const otherDomainOwner = reply(550, '5.7.18', 'The domain has another owner now');
const notRecorded = reply(550, '5.7.19', 'It is not recorded since when the mailbox has its owner');
const notKnownNow = reply(451, '4.3.0', 'It cannot be found out now since when the mailbox has its owner');
const probing = reply(450, '4.7.1', 'Too many different dates were asked of this mailbox');

/** Names of functions, not of people: whoever fulfils them is meant (RFC 2142 §3, RFC 2142 §4, RFC 2142 §5). */
const roles: ReadonlySet<string> = new Set(
  [
    ['info', 'marketing', 'sales', 'support', 'abuse', 'noc', 'security', 'postmaster'],
    ['hostmaster', 'usenet', 'news', 'webmaster', 'www', 'uucp', 'ftp'],
  ].flat(),
);

/** Different dates that may be asked of one mailbox within the hour; more are a search for the date of its change. */
const mostDates = 5;
const hour = 60 * 60_000;
const mostMailboxes = 1000;

/** Says whether a mailbox still has the owner whom a sender means (RFC 7293 §5.1). */
export class Ownership {
  readonly #now: () => number;
  readonly #log: Pick<Log, 'error'>;
  /** Dates that were asked of mailboxes which have something to hide. */
  readonly #asked = new Map<string, { since: number; readonly dates: Set<number> }>();

  constructor(now: () => number, log: Pick<Log, 'error'>) {
    this.#now = now;
    this.#log = log;
  }

  /** The refusal of mail for whoever had the address then; undefined when it is still the same, or nobody here knows. */
  check(address: string, since: number, parts: OwnershipParts): Reply | undefined {
    try {
      return this.#check(address, since, parts);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#log.error({ address, err: error }, 'it cannot be found out since when a mailbox has its owner');
      return notKnownNow;
    }
  }

  #check(address: string, since: number, { consent, directory }: OwnershipParts): Reply | undefined {
    if (!isHere(directory, address) || roles.has(localPartOf(address))) return undefined;
    const expanded = directory.expand(address);
    const only =
      expanded.kind === 'recipients' && expanded.recipients.length === 1 ? expanded.recipients[0] : undefined;
    const refusal = this.#checkOne(address, since, consent);
    if (refusal !== undefined || only === undefined || only === address || !isHere(directory, only)) return refusal;
    return this.#checkOne(only, since, consent);
  }

  /** A mailbox that always had one owner passes whatever the date is: its age is nobody's business (RFC 7293 §9). */
  #checkOne(address: string, since: number, consent: Consent): Reply | undefined {
    const owner = consent.ownerSince(address);
    const domain = consent.ownedSince(address);
    if (owner === undefined && domain === undefined) return undefined;
    if (this.#isProbed(address, since)) return probing;
    if (owner === 'unknown') return notRecorded;
    if (owner !== undefined && owner > since) return otherOwner;
    return domain !== undefined && domain > since ? otherDomainOwner : undefined;
  }

  /** Who asks of one mailbox date after date learns the day of the change (RFC 7293 §13.1). */
  #isProbed(address: string, since: number): boolean {
    const now = this.#now();
    const key = address.toLowerCase();
    let asked = this.#asked.get(key);
    if (asked === undefined || now - asked.since >= hour) {
      asked = { since: now, dates: new Set() };
      this.#asked.delete(key);
      if (this.#asked.size >= mostMailboxes) this.#asked.delete(this.#asked.keys().next().value ?? '');
      this.#asked.set(key, asked);
    }
    if (asked.dates.size < mostDates) asked.dates.add(since);
    return !asked.dates.has(since);
  }
}

/** Whether mail for the address ends here, and does not only pass through. */
export function isHere(directory: Directory, address: string): boolean {
  const { kind } = directory.lookup(address);
  return kind !== 'foreign' && kind !== 'relay' && kind !== 'unknown-mailbox';
}

function localPartOf(address: string): string {
  return address.slice(0, address.lastIndexOf('@')).toLowerCase();
}
