import { Failure } from '../failure/failure.ts';
import { type Reply, reply } from '../reply/reply.ts';
import { matchesAddress } from './mail-filter.ts';
import type { CertificateFlaw } from './test-certificates.ts';
import type { DropPoint, LateBounce, Trouble, TroublePoint, TroubleReply } from './trouble.ts';

/** What is known of a transaction where trouble may come. */
export interface TroubleFacts {
  readonly from?: string;
  /** The recipient, or all of them behind the text. */
  readonly to?: readonly string[];
  /** Which RCPT it is. */
  readonly nth?: number;
}

interface Rule {
  readonly trouble: Trouble;
  left: number;
  /** When MAIL came, for a rate. */
  readonly mails: number[];
}

type Kind<K extends string> = Extract<Trouble, { readonly [key in K]: unknown }>;

/** The rules of an inbox, in order: the first that fits is obeyed; a delay, a drop and a reply do not stand in each other's way. */
export class TroubleScript {
  readonly #random: () => number;
  #rules: Rule[] = [];

  constructor(seed: number) {
    this.#random = chanceOf(seed);
  }

  /** Sets the rules. Throws Failure `invalid` for one that could never be obeyed, and changes nothing then. */
  set(troubles: readonly Trouble[]): void {
    for (const trouble of troubles) check(trouble);
    this.#rules = troubles.map((trouble) => ({ trouble, left: trouble.times ?? Number.POSITIVE_INFINITY, mails: [] }));
  }

  /** The reply in place of what would have been answered. */
  refusal(point: TroublePoint, facts: TroubleFacts): Reply | undefined {
    const rule = this.#find((trouble, mails) => {
      if ('rate' in trouble) return point === 'mail' && isOver(trouble.rate, mails);
      const asked = 'refuse' in trouble ? trouble.refuse : 'defer' in trouble ? trouble.defer : undefined;
      return asked !== undefined && fits(asked, point, facts);
    });
    if (rule === undefined) return undefined;
    if ('refuse' in rule) return replyOf(rule.refuse, { code: 550, status: '5.7.1', text: 'Refused' });
    if ('defer' in rule) return replyOf(rule.defer, { code: 451, status: '4.3.0', text: 'Try again later' });
    return reply(451, '4.7.1', 'Too many messages');
  }

  /** Whether the connection is lost here. */
  drops(point: DropPoint): boolean {
    return this.#take('drop', ({ drop }) => drop === point) !== undefined;
  }

  /** Milliseconds that the answer waits. */
  delay(point: TroublePoint): number {
    return this.#take('delay', ({ delay }) => (delay.at ?? 'text') === point)?.delay.milliseconds ?? 0;
  }

  /** Octets in a second, of the replies in a session that begins. */
  drip(): number | undefined {
    return this.#take('drip', () => true)?.drip.octetsPerSecond;
  }

  /** What is wrong with the certificate of a session that begins. */
  flaw(): CertificateFlaw | undefined {
    return this.#take('badCertificate', () => true)?.badCertificate;
  }

  /** The report that follows a message. */
  bounce(recipients: readonly string[]): LateBounce | undefined {
    return this.#take('lateBounce', ({ lateBounce: { to } }) => to === undefined || someMatches(recipients, to))
      ?.lateBounce;
  }

  #take<K extends string>(kind: K, isMeant: (trouble: Kind<K>) => boolean): Kind<K> | undefined {
    return this.#find((trouble) => kind in trouble && isMeant(trouble as Kind<K>)) as Kind<K> | undefined;
  }

  /** The first rule that is meant and has its chance; it counts as obeyed. */
  #find(isMeant: (trouble: Trouble, mails: number[]) => boolean): Trouble | undefined {
    const rule = this.#rules.find(({ trouble, left, mails }) => {
      if (left <= 0 || !isMeant(trouble, mails)) return false;
      return trouble.chance === undefined || this.#random() < trouble.chance;
    });
    if (rule !== undefined) rule.left -= 1;
    return rule?.trouble;
  }
}

/** Counts a MAIL, and tells whether it is one too many. */
function isOver({ messages, milliseconds }: Kind<'rate'>['rate'], mails: number[]): boolean {
  const now = performance.now();
  while (mails[0] !== undefined && now - mails[0] >= milliseconds) mails.shift();
  if (mails.length >= messages) return true;
  mails.push(now);
  return false;
}

function fits(rule: TroubleReply, point: TroublePoint, { from, to = [], nth }: TroubleFacts): boolean {
  const at = rule.at ?? (rule.from !== undefined && rule.to === undefined && rule.nth === undefined ? 'mail' : 'rcpt');
  return (
    at === point &&
    (rule.to === undefined || someMatches(to, rule.to)) &&
    (rule.from === undefined || (from !== undefined && matchesAddress(from, rule.from))) &&
    (rule.nth === undefined || rule.nth === nth)
  );
}

function someMatches(addresses: readonly string[], pattern: string | RegExp): boolean {
  return addresses.some((address) => matchesAddress(address, pattern));
}

/** A code of its own has no status that is not given, for it may be of another class. */
function replyOf(rule: TroubleReply, byDefault: Required<Pick<TroubleReply, 'code' | 'status' | 'text'>>): Reply {
  const { code = byDefault.code, text = byDefault.text } = rule;
  return reply(code, rule.status ?? (rule.code === undefined ? byDefault.status : undefined), text);
}

function check(trouble: Trouble): void {
  const rule = 'refuse' in trouble ? trouble.refuse : 'defer' in trouble ? trouble.defer : undefined;
  const { code, status } = rule ?? {};
  require(code === undefined || (Number.isInteger(code) && code >= 400 && code < 600), `${code} refuses nothing`);
  const isOneClass = status === undefined || status[0] === String(code ?? ('refuse' in trouble ? 5 : 4))[0];
  require(isOneClass, `${status} is of another class than the reply`);
  require(!('drip' in trouble) || trouble.drip.octetsPerSecond > 0, 'nothing would ever drip');
  const { chance = 1, times = 1 } = trouble;
  require(chance >= 0 && chance <= 1, `a chance is from 0 to 1, not ${chance}`);
  require(times >= 1, `a rule has to be obeyed once, not ${times} times`);
}

function require(isSound: boolean, text: string): void {
  if (!isSound) throw new Failure('invalid', `Bad trouble: ${text}`);
}

/** The same sequence for the same seed (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
