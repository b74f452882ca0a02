import { type Network, networkMatcher } from '@posthorn/smtp/address/network';
import { reply } from '@posthorn/smtp/reply/reply';
import { reverseName } from '../dns/name.ts';
import type { Finding } from './finding.ts';
import type { Lookups } from './lookups.ts';

/** A list of addresses or names that is asked by DNS (RFC 5782 §2). */
export interface DnsListRules {
  /** The domain of the list. */
  readonly list: string;
  /** What is looked up: the address of the client, the domain of the sender, or the name in EHLO. */
  readonly of: 'client' | 'sender' | 'hello';
  /** Answers that count; by default all within 127.0.0.0/8. */
  readonly values?: readonly Network[];
  /** Bits of the last octet of an answer of which one has to be set (RFC 5782 §2.3). */
  readonly mask?: number;
  readonly score: number;
  /** Whether being listed is enough to be refused. */
  readonly refuse: boolean;
}

const hour = 3_600_000;
const minute = 60_000;
const loopback = networkMatcher([{ family: 4, address: '127.0.0.0', prefix: 8 }]);
const mostReason = 200;

/** Which kinds of entries a list proved to have. */
type Proof = Readonly<Record<'ipv4' | 'ipv6' | 'names', boolean>>;

/** Entries that every list has, and others that none has (RFC 5782 §5). */
const trials = {
  ipv4: ['127.0.0.2', '127.0.0.1'],
  ipv6: ['::ffff:7f00:2', '::ffff:7f00:1'],
} as const;

/**
 * One list. It is used only while its test entries are as they must be, which is looked at now and then: a list that is
 * given up often answers to everything.
 */
export class DnsList {
  readonly rules: DnsListRules;
  readonly #lookups: Lookups;
  readonly #now: () => number;
  readonly #counts: (value: string) => boolean;
  #proof: Promise<Proof> | undefined;
  #provenUntil = Number.NEGATIVE_INFINITY;

  constructor(rules: DnsListRules, { lookups, now }: { readonly lookups: Lookups; readonly now: () => number }) {
    this.rules = rules;
    this.#lookups = lookups;
    this.#now = now;
    const isValue = rules.values === undefined ? () => true : networkMatcher(rules.values);
    const { mask } = rules;
    const hasBit = (value: string) =>
      mask === undefined || (Number(value.slice(value.lastIndexOf('.') + 1)) & mask) !== 0;
    // A value elsewhere comes from a name server that answers to everything, or from a domain that was sold.
    this.#counts = (value) => loopback(value) && isValue(value) && hasBit(value);
  }

  /** Looks at the test entries, where that was not done for an hour; which kinds of entries may be asked for. */
  prove(): Promise<Proof> {
    const now = this.#now();
    if (this.#proof === undefined || now >= this.#provenUntil || now < this.#provenUntil - hour) {
      this.#provenUntil = now + hour;
      this.#proof = this.#try();
    }
    return this.#proof;
  }

  /** What the list has about an address or a name; undefined when it has nothing, or cannot be asked. */
  async find(text: string): Promise<Finding | undefined> {
    const address = addressLabels(text);
    const kind = this.rules.of !== 'client' ? 'names' : text.includes(':') ? 'ipv6' : 'ipv4';
    if ((kind === 'names') === (address !== undefined)) return undefined;
    if (!(await this.prove())[kind]) return undefined;
    const name = `${address ?? text}.${this.rules.list}`;
    const value = await this.#valueOf(name, this.#counts);
    return typeof value === 'string' ? this.#describe(text, name, value) : undefined;
  }

  async #describe(text: string, name: string, value: string): Promise<Finding> {
    const { list, score, refuse } = this.rules;
    const finding = { filter: `dnsbl ${list}`, score, text: `${text} is listed (${value})` };
    if (!refuse) return finding;
    const reason = await this.#lookups.txt(name);
    const said = reason.kind === 'found' ? printable(reason.records[0] ?? '') : '';
    return { ...finding, reply: reply(550, '5.7.1', `${text} is listed by ${list}${said === '' ? '' : `: ${said}`}`) };
  }

  async #try(): Promise<Proof> {
    const test = async (listed: string, unlisted: string) => {
      const [one, other] = await Promise.all([this.#isThere(listed), this.#isThere(unlisted)]);
      return one === true && other === false ? true : one === undefined || other === undefined ? undefined : false;
    };
    const isOfClients = this.rules.of === 'client';
    const [ipv4, ipv6, names] = await Promise.all([
      isOfClients ? test(...labelsOf(trials.ipv4)) : false,
      isOfClients ? test(...labelsOf(trials.ipv6)) : false,
      isOfClients ? false : test('TEST', 'INVALID'),
    ]);
    // What could not be looked up is tried again soon.
    if ([ipv4, ipv6, names].includes(undefined)) this.#provenUntil = this.#now() + minute;
    return { ipv4: ipv4 === true, ipv6: ipv6 === true, names: names === true };
  }

  async #isThere(labels: string): Promise<boolean | undefined> {
    const value = await this.#valueOf(`${labels}.${this.rules.list}`, loopback);
    return value === undefined ? undefined : value !== false;
  }

  /** The first value that counts; false: there is none; undefined: it could not be looked up. */
  async #valueOf(name: string, counts: (value: string) => boolean): Promise<string | false | undefined> {
    const answer = await this.#lookups.addresses(name, 4);
    if (answer.kind === 'failed') return undefined;
    return (answer.kind === 'found' && answer.records.find(counts)) || false;
  }
}

/** An address as a list has it: its octets or nibbles, the last one first (RFC 5782 §2.1, RFC 5782 §2.4). */
function addressLabels(text: string): string | undefined {
  return reverseName(text)?.replace(/\.(?:in-addr|ip6)\.arpa$/, '');
}

function labelsOf([listed, unlisted]: readonly [string, string]): [string, string] {
  return [addressLabels(listed) ?? '', addressLabels(unlisted) ?? ''];
}

/** The reason is from a stranger, and goes into a reply. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, mostReason);
}
