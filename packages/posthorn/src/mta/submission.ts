import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { completeHeader, type HeaderFault } from '@posthorn/smtp/message/submission-header';
import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, IncomingText, Session, Transaction } from '@posthorn/smtp/server';
import { withoutForged } from '../authentication/authentication-results.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Policy } from './policy.ts';
import { exchangersOf, isNamed, isPartial, qualify } from './qualify.ts';
import { Refusal } from './refusal.ts';
import { checkSender, ownershipOf } from './sender-rights.ts';
import { withCompletedHeader } from './submission-text.ts';

/** What submissions are checked with. */
export interface SubmissionParts {
  readonly hostname: string;
  readonly policy: () => Policy;
  readonly resolver: Pick<Resolver, 'mx'>;
  readonly now: () => number;
  /** Something that no other message has, of letters and digits. */
  readonly newId: () => string;
}

const incompleteSender = reply(554, '5.1.8', 'The domain of the sender is incomplete');
const incompleteRecipient = reply(554, '5.1.2', 'The domain of the recipient is incomplete');
const incompleteHeader = reply(554, '5.6.0', 'The header has an address with an incomplete domain');
const noReturnPath = reply(
  550,
  '5.1.8',
  'Nobody could be told what becomes of this message: the sender does not exist',
);
/** Domains of one header that are looked at; one who writes to more has other troubles. */
const mostDomains = 20;

/** What mail from its author's own program is held to, beside what holds for all mail (RFC 6409 §3). */
export class Submission {
  readonly #parts: SubmissionParts;

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
  }

  /** The transaction with its domains in full; itself when they are, or when it is no submission. */
  complete(session: Session, transaction: Transaction): Transaction {
    if (!isSubmission(session.role)) return transaction;
    const { reversePath, recipients } = transaction;
    const sender = reversePath && this.#complete(session, reversePath);
    const completed = recipients.map((recipient) => this.#completeRecipient(session, recipient));
    const isSame = sender === reversePath && completed.every((recipient, index) => recipient === recipients[index]);
    return isSame ? transaction : { ...transaction, reversePath: sender, recipients: completed };
  }

  /** Refuses a sender that is incomplete, not the login's, or that nobody can be reached by (RFC 6409 §4.2, RFC 6409 §3.2). */
  async checkSender(session: Session, transaction: Transaction): Promise<Reply | undefined> {
    const { reversePath } = transaction;
    if (reversePath === null) return undefined;
    if (await this.#isIncomplete(session, reversePath)) return incompleteSender;
    const { users } = this.#parts.policy();
    const { reversePath: sender } = this.complete(session, transaction);
    if (ownershipOf(users, session.login) !== undefined) return checkSender(users, session, { reversePath: sender });
    const isUser = session.clientAddress === 'local' || this.#submitter(session) !== undefined;
    const isKnown = sender === null || isUser || (await this.#isReachable(sender));
    return isKnown ? undefined : noReturnPath;
  }

  /** Refuses a recipient whose domain is incomplete; `admit` decides about the complete one (RFC 6409 §4.2). */
  async checkRecipient(
    session: Session,
    recipient: AcceptedRecipient,
    admit: (recipient: AcceptedRecipient) => Reply | undefined | Promise<Reply | undefined>,
  ): Promise<Reply | undefined> {
    if (await this.#isIncomplete(session, recipient.mailbox)) return incompleteRecipient;
    return admit(this.#completeRecipient(session, recipient));
  }

  /** The text as it is sent on; it throws Refusal when its header cannot be (RFC 6409 §6, RFC 6409 §8). */
  completeText(session: Session, text: IncomingText): IncomingText {
    if (!isSubmission(session.role)) return text;
    return withCompletedHeader(text, (header) => this.#completeHeader(session, header));
  }

  async #completeHeader(session: Session, header: Buffer): Promise<Buffer> {
    const { hostname, now, newId, policy: current } = this.#parts;
    const policy = current();
    const owns = ownershipOf(policy.users, session.login);
    const submitter = this.#submitter(session);
    const completeDomain = this.#completeDomain(session);
    const time = now();
    const completed = completeHeader(header, {
      now: time,
      offsetMinutes: -new Date(time).getTimezoneOffset(),
      messageId: `<${newId()}@${hostname}>`,
      isOurs: (label) =>
        isNamed(policy, label) || (completeDomain !== undefined && label.toLowerCase() === 'localhost'),
      ...(owns === undefined ? {} : { owns }),
      ...(submitter === undefined ? {} : { submitter }),
      ...(completeDomain === undefined ? {} : { completeDomain }),
    });
    if ('kind' in completed) throw new Refusal(replyTo(completed));
    for (const domain of [...completed.domains].slice(0, mostDomains)) {
      if (await this.#isPartial(domain)) throw new Refusal(incompleteHeader);
    }
    return withoutForged(completed.header, hostname);
  }

  /** Programs of this host may leave out what everybody here knows (RFC 6409 §4.2). */
  #completeDomain({ clientAddress }: Session): string | undefined {
    const { submission, directory } = this.#parts.policy();
    return submission.completeDomain ?? (clientAddress === 'local' ? directory.homeDomain : undefined);
  }

  #completeRecipient(session: Session, recipient: AcceptedRecipient): AcceptedRecipient {
    const mailbox = this.#complete(session, recipient.mailbox);
    return mailbox === recipient.mailbox ? recipient : { ...recipient, mailbox };
  }

  #complete(session: Session, mailbox: Mailbox): Mailbox {
    return qualify(this.#parts.policy(), mailbox, this.#completeDomain(session)) ?? mailbox;
  }

  async #isIncomplete(session: Session, mailbox: Mailbox): Promise<boolean> {
    const completeDomain = this.#completeDomain(session);
    const qualified = qualify(this.#parts.policy(), mailbox, completeDomain);
    if (qualified === undefined) return true;
    return this.#isPartial(qualified.domain);
  }

  /** Names that lack their end are looked for where the operator lets people leave it out, and nowhere else. */
  async #isPartial(domain: string): Promise<boolean> {
    const policy = this.#parts.policy();
    if (policy.submission.completeDomain === undefined) return false;
    return isPartial(policy, { domain, resolver: this.#parts.resolver });
  }

  /** The address that a login has when none is listed for it: itself, or the mailbox of its name. */
  #submitter({ login }: Session): Mailbox | undefined {
    const { users, directory } = this.#parts.policy();
    if (login === undefined || ownershipOf(users, login) !== undefined) return undefined;
    const own = parseMailbox(login, { utf8: true });
    if (own !== undefined) return own;
    const local = parseMailbox(`${login}@${directory.homeDomain}`, { utf8: true });
    return local !== undefined && directory.lookup(formatMailbox(local)).kind === 'mailbox' ? local : undefined;
  }

  /** Whether there may be somebody at an address. */
  async #isReachable(mailbox: Mailbox): Promise<boolean> {
    const { directory, route } = this.#parts.policy();
    const address = formatMailbox(mailbox);
    const { kind } = directory.lookup(address);
    if (kind !== 'foreign') return kind !== 'unknown-mailbox';
    const nextHop = route(address);
    if (nextHop.kind !== 'mx' || nextHop.domain.startsWith('[')) return true;
    return (await exchangersOf(this.#parts.resolver, nextHop.domain)).kind !== 'absent';
  }
}

/** The reply that a header earns for its fault (RFC 6409 §4.1, RFC 6409 §6.3). */
function replyTo({ kind, text }: HeaderFault): Reply {
  return kind === 'rights' ? reply(550, '5.7.1', text) : reply(554, '5.6.0', text);
}
