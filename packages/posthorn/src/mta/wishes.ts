import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { commonClasses, refuseSolicitation } from '@posthorn/smtp/command/solicitation';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, Session, Transaction } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { grantTracking } from './grant-tracking.ts';
import { type HeaderWishes, readHeaderWishes } from './header-wishes.ts';
import { HeldQuota } from './held-quota.ts';
import type { Log } from './log.ts';
import { isHere, Ownership } from './ownership.ts';
import type { Policy } from './policy.ts';
import { Priorities } from './priority.ts';

/** What wishes are judged with. */
export interface WishParts {
  readonly extensions: Config['extensions'];
  readonly policy: () => Pick<Policy, 'consent' | 'directory' | 'users'>;
  readonly store: Pick<QueueStore, 'list' | 'get'>;
  /** Whether so much is under way that no time can be promised. */
  readonly isCrowded: () => boolean;
  readonly log: Pick<Log, 'error'>;
  readonly now: () => number;
}

type Granted = { -readonly [Key in keyof Envelope]?: Envelope[Key] };

const nothing: Partial<Envelope> = {};
const congested = reply(455, '4.4.5', 'No time can be promised now: too much mail is under way');

/**
 * What clients ask for a message beyond its delivery: judged at MAIL and RCPT and behind the text, then told to the queue.
 * A message without such wishes passes by a look at a few fields.
 */
export class Wishes {
  readonly priorities: Priorities;
  readonly #parts: WishParts;
  readonly #held: HeldQuota | undefined;
  readonly #ownership: Ownership;
  /** When the MAIL came whose times are counted from it. */
  readonly #mailAt = new WeakMap<Session, number>();

  constructor(parts: WishParts) {
    const { extensions, store, log, now } = parts;
    this.#parts = parts;
    this.priorities = new Priorities(extensions.priority, () => parts.policy().users);
    const { futureRelease } = extensions;
    this.#held = futureRelease && new HeldQuota({ store, limits: futureRelease, now });
    this.#ownership = new Ownership(now, log);
  }

  /** The reply to MAIL where it is not the usual one (RFC 5321 §4.1.1.11). */
  checkMail(session: Session, { mail }: Transaction): Reply | undefined | Promise<Reply | undefined> {
    const { deliverBy, hold } = mail;
    const answer = this.priorities.check(session, mail);
    if ((deliverBy === undefined && hold === undefined) || (answer?.code ?? 250) !== 250) return answer;
    this.#mailAt.set(session, this.#parts.now());
    if (deliverBy?.mode === 'R' && this.#parts.isCrowded()) return congested;
    if (hold === undefined || this.#held === undefined) return answer;
    return this.#held.check(session.login ?? session.clientAddress).then((refusal) => refusal ?? answer);
  }

  /** The refusal of an address that is admitted, but not for this message (RFC 3865 §2.3, RFC 7293 §5.1). */
  checkRecipient({ mailbox, parameters }: AcceptedRecipient, { mail }: Transaction): Reply | undefined {
    if (parameters.rrvs === undefined && mail.solicit === undefined) return undefined;
    const policy = this.#parts.policy();
    const address = formatMailbox(mailbox);
    const unwanted = commonClasses(mail.solicit ?? [], policy.consent.refusedClasses(address));
    if (unwanted.length > 0) return refuseSolicitation(unwanted);
    return parameters.rrvs && this.#ownership.check(address, parameters.rrvs.since, policy);
  }

  /** Recipients as they go on: who is here was checked, and whom an alias stands for is not whom the sender means (RFC 7293 §8.2). */
  settleOwners(recipients: Recipient[], transaction: Transaction): Recipient[] {
    if (!recipients.some(({ rrvs }) => rrvs !== undefined)) return recipients;
    const { directory } = this.#parts.policy();
    const given = new Set(transaction.recipients.map(({ mailbox }) => directory.keyOf(formatMailbox(mailbox))));
    return recipients.map((recipient) => {
      const { rrvs, ...others } = recipient;
      const isMeant = given.has(directory.keyOf(recipient.address)) && !isHere(directory, recipient.address);
      return rrvs === undefined || isMeant ? recipient : others;
    });
  }

  /**
   * What the header says of who is passed on stands in for what RCPT did not. Deviates: its fields stay where they are, so that
   * signatures hold; who gets the parameter heeds it alone (RFC 7293 §5, RFC 7293 §6.1).
   */
  adoptOwners(recipients: Recipient[], { owners }: HeaderWishes): Recipient[] {
    if (owners.length === 0 || !this.#parts.extensions.ownership) return recipients;
    const { directory } = this.#parts.policy();
    const dates = new Map(owners.map(({ address, since }) => [directory.keyOf(address), since]));
    return recipients.map((recipient) => {
      const { address, rrvs } = recipient;
      const since = dates.get(directory.keyOf(address));
      const isPassedOn = rrvs === undefined && since !== undefined && !isHere(directory, address);
      // With the field no host was bound to know what it means.
      return isPassedOn ? { ...recipient, rrvs: { since, fallback: 'C' } } : recipient;
    });
  }

  /** The result of the check of owners, for a message with one recipient: who else got it is nobody's business (RFC 7293 §11). */
  resultOf({ recipients }: Transaction, hostname: string): string {
    const only = recipients.length === 1 ? recipients[0] : undefined;
    if (only?.parameters.rrvs === undefined) return '';
    const address = formatMailbox(only.mailbox);
    if (!isHere(this.#parts.policy().directory, address) || !/^[!-~]+$/.test(address)) return '';
    return `Authentication-Results: ${hostname}; rrvs=pass\r\n\tsmtp.rcptto=${address}\r\n`;
  }

  /** Reads the wishes of a header, as far as they are heeded here. */
  readHeader(header: Buffer | undefined): HeaderWishes | undefined {
    return header && readHeaderWishes(header);
  }

  /** The refusal that a header earns; undefined when it earns none (RFC 3865 §2.3, RFC 7293 §5.2). */
  checkHeader({ solicit, owners }: HeaderWishes, { recipients }: Transaction): Reply | undefined {
    const { extensions } = this.#parts;
    const policy = this.#parts.policy();
    for (const { mailbox, parameters } of recipients) {
      const address = formatMailbox(mailbox);
      if (extensions.noSoliciting !== undefined && solicit.length > 0) {
        const refused = [...extensions.noSoliciting, ...policy.consent.refusedClasses(address)];
        const unwanted = commonClasses(solicit, refused);
        if (unwanted.length > 0) return refuseSolicitation(unwanted);
      }
      if (!extensions.ownership || parameters.rrvs !== undefined) continue;
      const key = policy.directory.keyOf(address);
      const meant = owners.find((owner) => policy.directory.keyOf(owner.address) === key);
      const refusal = meant && this.#ownership.check(address, meant.since, policy);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** What the queue is told of the wishes; `header` are those of the text. */
  grant(session: Session, { mail }: Transaction, header?: HeaderWishes): Partial<Envelope> {
    const { deliverBy, hold, priority, solicit, requireTls, auth, tracking } = mail;
    const asks = deliverBy ?? hold ?? priority ?? solicit ?? requireTls ?? auth ?? tracking ?? header;
    if (asks === undefined) return nothing;
    const granted: Granted = {};
    const from = this.#mailAt.get(session) ?? this.#parts.now();
    if (deliverBy !== undefined) {
      const { seconds, ...how } = deliverBy;
      granted.deliverBy = { ...how, until: from + seconds * 1000 };
    }
    if (hold !== undefined) {
      granted.hold = hold;
      granted.heldUntil = 'for' in hold ? from + hold.for * 1000 : hold.until;
    }
    const settled = this.priorities.of(session, mail);
    if (settled !== undefined) granted.priority = settled;
    if (tracking !== undefined) {
      granted.tracking = grantTracking(tracking, this.#parts.extensions.tracking, this.#parts.now());
    }
    this.#grantConsent(granted, solicit, header);
    if (requireTls) granted.requireTls = true;
    else if (header?.tlsOptional && this.#parts.extensions.requireTls) granted.tlsOptional = true;
    const submitter = this.#submitter(session, auth);
    if (submitter !== undefined) granted.submitter = submitter;
    return granted;
  }

  /** Takes note of a message that was taken. */
  taken(envelope: Envelope): void {
    if (envelope.heldUntil !== undefined) this.#held?.add(envelope);
  }

  /** What the header says stands in for what MAIL did not (RFC 3865 §2.3). */
  #grantConsent(granted: Granted, solicit: readonly string[] | undefined, header: HeaderWishes | undefined): void {
    const classes = solicit ?? (this.#parts.extensions.noSoliciting && header?.solicit);
    if (classes !== undefined && classes.length > 0) granted.solicit = classes;
  }

  /** Of whoever may vouch for others, and says for whom (RFC 4954 §5). */
  #submitter({ login }: Session, auth: string | null | undefined): string | undefined {
    if (auth === undefined || auth === null || login === undefined) return undefined;
    const { users } = this.#parts.policy();
    const isBelieved = Object.hasOwn(users, login) && users[login]?.vouches === true;
    return isBelieved && parseMailbox(auth) !== undefined ? auth : undefined;
  }
}
