import { setTimeout as wait } from 'node:timers/promises';
import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import { type Network, networkMatcher } from '@posthorn/smtp/address/network';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Session } from '@posthorn/smtp/server';
import type { Resolver } from '../dns/resolver.ts';
import { type ClientRateRules, ClientRates } from './client-rates.ts';
import { DnsList, type DnsListRules } from './dns-list.ts';
import { type Finding, formatFinding } from './finding.ts';
import type { GreylistRules } from './greylist.ts';
import { checkHelloName } from './hello-name.ts';
import { boundedLookups, type Lookups } from './lookups.ts';
import { checkReverseName, type Strictness } from './reverse-name.ts';
import { checkSenderDomain } from './sender-domain.ts';
import type { StoredGreylist } from './stored-greylist.ts';

/** What strangers are judged by; what is absent is not looked at. */
interface StrangerRules {
  /** Networks that nothing of this is for. */
  readonly exempt: readonly Network[];
  readonly rates: ClientRateRules;
  readonly dnsbl: readonly DnsListRules[];
  readonly greylist?: GreylistRules;
  readonly reverseDns?: Strictness;
  readonly helo?: Strictness;
  readonly senderDomain?: Strictness;
  /** Clients wait so many milliseconds for the greeting, and must not talk before. */
  readonly greetingDelay?: number;
  /** From which sum on mail is put off or refused. */
  readonly score: { readonly defer?: number; readonly refuse?: number };
}

/** What their judging works with. */
export interface StrangerParts {
  readonly rules: StrangerRules;
  readonly hostname: string;
  readonly resolver: Pick<Resolver, 'mx' | 'addresses' | 'txt' | 'reverse'>;
  readonly greylist: StoredGreylist | undefined;
  readonly now: () => number;
  /** Whether a client's address is in a network that may relay. */
  readonly isRelayClient: (address: string) => boolean;
}

/** A refusal and why, for the log. */
export interface StrangerRefusal {
  readonly reply: Reply;
  readonly reason: string;
}

/** What was found about a message that is taken. */
export interface Judgement {
  readonly score: number;
  readonly findings: readonly string[];
}

/** What is known of one session so far. */
interface Marks {
  client: readonly Promise<Finding | undefined>[];
  hello: readonly Promise<Finding | undefined>[];
  sender: readonly Promise<Finding | undefined>[];
  /** The first recipient of the transaction that came so far, whatever the answer was. */
  first?: string;
  judgement?: Judgement;
}

const loopback: readonly Network[] = [
  { family: 4, address: '127.0.0.0', prefix: 8 },
  { family: 6, address: '::1', prefix: 128 },
];
const refused = reply(550, '5.7.1', 'Refused by the policy of this host');
const putOff = reply(450, '4.7.1', 'Put off by the policy of this host; try again later');

/** Judges strangers that bring mail, in the order of what it costs; whoever is known is not looked at (RFC 2505 §2). */
export class Strangers {
  readonly #parts: StrangerParts;
  readonly #rates: ClientRates;
  readonly #lookups: Lookups;
  readonly #lists: readonly DnsList[];
  readonly #isKnown: (address: string) => boolean;
  readonly #marks = new WeakMap<Session, Marks>();

  constructor(parts: StrangerParts) {
    const { rules, now, resolver } = parts;
    this.#parts = parts;
    this.#rates = new ClientRates(rules.rates, now);
    this.#lookups = boundedLookups(resolver);
    this.#lists = rules.dnsbl.map((list) => new DnsList(list, { lookups: this.#lookups, now }));
    this.#isKnown = networkMatcher([...loopback, ...rules.exempt]);
  }

  /** Looks at the test entries of the lists; which of them are of no use. */
  async prove(): Promise<string[]> {
    const proofs = await Promise.all(this.#lists.map(async (list) => ({ list, proof: await list.prove() })));
    return proofs.filter(({ proof }) => !Object.values(proof).includes(true)).map(({ list }) => list.rules.list);
  }

  /** A connection begins: what is looked up about it runs beside the greeting. */
  connect(session: Session): undefined | StrangerRefusal | Promise<undefined> {
    if (!this.isStranger(session)) return undefined;
    const { clientAddress } = session;
    const excess = this.#rates.connection(clientAddress);
    if (excess !== undefined) return { reply: excess, reason: 'rate: connections' };
    const { reverseDns, greetingDelay } = this.#parts.rules;
    const marks = this.#marksOf(session);
    marks.client = [
      ...(reverseDns === undefined ? [] : [checkReverseName(this.#lookups, clientAddress, reverseDns)]),
      ...this.#ask('client', clientAddress),
    ];
    return greetingDelay ? wait(greetingDelay, undefined, { ref: false }) : undefined;
  }

  hello(session: Session, name: string): void {
    if (!this.isStranger(session)) return;
    const { helo } = this.#parts.rules;
    const { clientAddress, localAddress } = session;
    const facts = { name, clientAddress, localAddress, hostname: this.#parts.hostname };
    const domain = normalizeDomain(name);
    this.#marksOf(session).hello = [
      ...(helo === undefined ? [] : [checkHelloName(this.#lookups, facts, helo)]),
      ...(domain === undefined ? [] : this.#ask('hello', domain)),
    ];
  }

  mail(session: Session, reversePath: Mailbox | null): StrangerRefusal | undefined {
    if (!this.isStranger(session)) return undefined;
    const sender = reversePath === null ? '' : formatMailbox(reversePath);
    const excess = this.#rates.message(session.clientAddress, sender);
    if (excess !== undefined) return { reply: excess, reason: 'rate: messages' };
    const { senderDomain } = this.#parts.rules;
    const marks = this.#marksOf(session);
    delete marks.first;
    delete marks.judgement;
    const domain = reversePath === null ? undefined : normalizeDomain(reversePath.domain);
    marks.sender =
      domain === undefined
        ? []
        : [
            ...(senderDomain === undefined ? [] : [checkSenderDomain(this.#lookups, domain, senderDomain)]),
            ...this.#ask('sender', domain),
          ];
    return undefined;
  }

  /** Counts a recipient, whoever it is. */
  count(session: Session): StrangerRefusal | undefined {
    if (!this.isStranger(session)) return undefined;
    const excess = this.#rates.recipient(session.clientAddress);
    return excess === undefined ? undefined : { reply: excess, reason: 'rate: recipients' };
  }

  /** A recipient that exists: what was found decides, and then whether the client has waited. */
  recipient(session: Session, recipient: Mailbox, reversePath: Mailbox | null) {
    if (!this.isStranger(session)) return undefined;
    const marks = this.#marksOf(session);
    const lookups = [...marks.client, ...marks.hello, ...marks.sender];
    if (lookups.length > 0) return this.#judge(session, { recipient, reversePath, lookups });
    return this.#parts.greylist === undefined ? undefined : this.#greylist(session, recipient, reversePath);
  }

  /** What was found about the message that the session is about to send; undefined: nothing. */
  judgementOf(session: Session): Judgement | undefined {
    return this.#marks.get(session)?.judgement;
  }

  async #judge(
    session: Session,
    {
      recipient,
      reversePath,
      lookups,
    }: {
      readonly recipient: Mailbox;
      readonly reversePath: Mailbox | null;
      readonly lookups: readonly Promise<Finding | undefined>[];
    },
  ): Promise<StrangerRefusal | undefined> {
    const findings = (await Promise.all(lookups)).filter((finding) => finding !== undefined);
    const score = findings.reduce((sum, each) => sum + each.score, 0);
    const marks = this.#marksOf(session);
    if (findings.length > 0) marks.judgement = { score, findings: findings.map(formatFinding) };
    // Who is refused by mistake can tell the postmaster.
    if (recipient.localPart.toLowerCase() === 'postmaster') return undefined;
    const reason = `score ${score}: ${findings.map(formatFinding).join(', ')}`;
    const decisive = findings.find((each) => each.reply !== undefined && each.reply.code >= 500);
    const { defer = Number.POSITIVE_INFINITY, refuse = Number.POSITIVE_INFINITY } = this.#parts.rules.score;
    if (decisive?.reply !== undefined) return { reply: decisive.reply, reason };
    if (score >= refuse) return { reply: refused, reason };
    const temporary = findings.find((each) => each.reply !== undefined);
    if (temporary?.reply !== undefined) return { reply: temporary.reply, reason };
    if (score >= defer) return { reply: putOff, reason };
    return this.#greylist(session, recipient, reversePath);
  }

  #greylist(session: Session, recipient: Mailbox, reversePath: Mailbox | null): StrangerRefusal | undefined {
    const { greylist, now } = this.#parts;
    if (greylist === undefined) return undefined;
    const marks = this.#marksOf(session);
    // Of a transaction the first recipient counts, also for those behind it.
    marks.first ??= formatMailbox(recipient);
    const sender = reversePath === null ? '' : formatMailbox(reversePath);
    const left = greylist.check({ client: session.clientAddress, sender, recipient: marks.first }, now());
    if (left === undefined) return undefined;
    const text = `Greylisted; try again in ${Math.ceil(left / 1000)} seconds`;
    return { reply: reply(450, '4.7.1', text), reason: 'greylist: not seen before' };
  }

  #ask(of: DnsListRules['of'], text: string): Promise<Finding | undefined>[] {
    return this.#lists.filter(({ rules }) => rules.of === of).map((list) => list.find(text));
  }

  /** Whether a session is judged at all. */
  isStranger({ role, login, clientAddress }: Session): boolean {
    if (role !== 'mx' || login !== undefined || clientAddress === 'local') return false;
    return !this.#isKnown(clientAddress) && !this.#parts.isRelayClient(clientAddress);
  }

  #marksOf(session: Session): Marks {
    let marks = this.#marks.get(session);
    if (marks === undefined) {
      marks = { client: [], hello: [], sender: [] };
      this.#marks.set(session, marks);
    }
    return marks;
  }
}
