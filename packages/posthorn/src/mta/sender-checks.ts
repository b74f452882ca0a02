import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import type { Reply } from '@posthorn/smtp/reply/reply';
import type { Session, Transaction } from '@posthorn/smtp/server';
import { checkSpf } from '../authentication/check-spf.ts';
import type { Found, Lookups } from '../authentication/lookups.ts';
import { type SenderRules, type SpfFinding, spfRefusal } from '../authentication/sender-policy.ts';
import type { Config } from '../config/schema.ts';
import type { Resolver } from '../dns/resolver.ts';
import { FetchTally } from './fetch-tally.ts';
import { type CheckedMessage, MessageCheck } from './message-check.ts';
import type { Policy } from './policy.ts';

/** What senders are checked with. */
export interface SenderCheckParts {
  readonly hostname: string;
  readonly policy: () => Pick<Policy, 'isRelayClient' | 'mailAuthentication'>;
  readonly resolver: Resolver;
  readonly now: () => number;
  /** Is told what was found of every message that was looked at, and from which address it came. */
  readonly observe: (checked: CheckedMessage, session: Session) => void;
}

/** Milliseconds that all look-ups of a message may take together (RFC 7208 §4.6.4). */
const longest = 20_000;

interface SpfCheck {
  readonly reversePath: string;
  readonly findings: Promise<readonly SpfFinding[]>;
}

/** Finds out of strangers whether they are whom they say. */
export class SenderChecks {
  readonly #parts: SenderCheckParts;
  /** What is asked already about the sender that a session has named last. */
  readonly #spf = new WeakMap<Session, SpfCheck>();

  constructor(parts: SenderCheckParts) {
    this.#parts = parts;
  }

  /** Whether nobody here vouches for who sends: what it calls itself is not signed as one's own. */
  isStranger({ login, role, clientAddress, state }: Session): boolean {
    if (login !== undefined) return false;
    if (role === 'lmtp' || state instanceof FetchTally) return true;
    return !(isThisHost(clientAddress) || this.#parts.policy().isRelayClient(clientAddress));
  }

  /** Refuses a sender by SPF alone, where that is wanted; nothing is asked before the text otherwise (RFC 7208 §8). */
  checkMail(session: Session, transaction: Transaction): Promise<Reply | undefined> | undefined {
    if (!this.#isChecked(session)) return undefined;
    const rules = rulesOf(this.#parts.policy().mailAuthentication);
    if (rules.spf !== 'reject' && rules.spf !== 'strict') return undefined;
    return this.#askSpf(session, transaction, this.#lookups()).then((findings) => spfRefusal(findings, rules));
  }

  /** Begins the check of a message; undefined where nothing is to be checked. */
  begin(session: Session, transaction: Transaction): MessageCheck | undefined {
    if (!this.#isChecked(session)) return undefined;
    const { hostname, now, policy } = this.#parts;
    const { mailAuthentication } = policy();
    const rules = rulesOf(mailAuthentication);
    const spf = rules.spf === 'off' ? Promise.resolve([]) : this.#askSpf(session, transaction, this.#lookups());
    // What is not waited for, when the client breaks off, must not end the process.
    spf.catch(() => undefined);
    return new MessageCheck({
      hostname,
      rules,
      verifiesDkim: mailAuthentication.dkim.verify || rules.dkim !== 'nothing',
      lookups: () => this.#lookups(),
      spf,
      now: now(),
      observe: (checked) => this.#parts.observe(checked, session),
    });
  }

  #isChecked(session: Session): boolean {
    return session.role === 'mx' && !(session.state instanceof FetchTally) && this.isStranger(session);
  }

  #askSpf(session: Session, { reversePath }: Transaction, lookups: Lookups): Promise<readonly SpfFinding[]> {
    const sender = reversePath === null ? '' : formatMailbox(reversePath);
    const known = this.#spf.get(session);
    if (known?.reversePath === sender) return known.findings;
    const { hostname: receiver, now } = this.#parts;
    const hello = session.hello?.name ?? '';
    const common = { client: session.clientAddress, hello, receiver, now: now() };
    const ask = async (identity: SpfFinding['identity'], localPart: string, domain: string): Promise<SpfFinding> => {
      const answer = await checkSpf({ ...common, localPart, domain }, lookups);
      return { ...answer, identity, domain, value: identity === 'helo' ? hello : sender };
    };
    const findings = Promise.all([
      ...(reversePath === null ? [] : [ask('mailfrom', reversePath.localPart, reversePath.domain)]),
      // The null path is spoken for by the name of the host (RFC 7208 §2.4).
      ask('helo', '', hello),
    ]);
    this.#spf.set(session, { reversePath: sender, findings });
    return findings;
  }

  /** Look-ups that end in time, all together: what is not known then is unknown for now. */
  #lookups(): Lookups {
    const { resolver } = this.#parts;
    const signal = AbortSignal.timeout(longest);
    const bound = <T>(asked: Promise<Found<T>>): Promise<Found<T>> =>
      asked.catch(() => ({ kind: 'failed', text: 'no answer in time' }));
    return {
      txt: (name) => bound(resolver.txt(name, signal)),
      addresses: (host, family) => bound(resolver.addresses(host, family, signal)),
      mx: (domain) => bound(resolver.mx(domain, signal)),
      reverse: (address) => bound(resolver.reverse(address, signal)),
    };
  }
}

function rulesOf({ spf, dkim, dmarc, arc }: Config['mailAuthentication']): SenderRules {
  return { spf, dkim: dkim.require, dmarc, arc: arc.verify, trusted: arc.trust };
}

function isThisHost(address: string): boolean {
  return address === 'local' || address === '::1' || /^(?:::ffff:)?127\./i.test(address);
}
