import { gstnKey, parseGstnAddress } from '@posthorn/smtp/address/gstn-address';
import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type AliasTarget, parseAliasTarget } from './alias-target.ts';
import type { DirectoryDomain, DirectoryList, Forward, MailboxSettings } from './directory-domain.ts';
import { splitDetail } from './split-detail.ts';

/** What a local-part is in its domain; `mailbox` is its own address as configured, `detail` what stood behind the separator. */
export type DomainEntry =
  | {
      readonly kind: 'mailbox';
      readonly mailbox: Mailbox;
      readonly detail?: string;
      readonly settings: MailboxSettings;
    }
  | {
      readonly kind: 'alias';
      readonly mailbox: Mailbox;
      readonly detail?: string;
      readonly targets: readonly AliasTarget[];
      /** Who gets what cannot be delivered, instead of the sender: there is an `owner-…` of its name (RFC 5321 §3.9.2). */
      readonly owner?: Mailbox;
    }
  | {
      readonly kind: 'forward';
      readonly mailbox: Mailbox;
      readonly detail?: string;
      readonly to: Mailbox;
      readonly forward: Forward;
    }
  | {
      readonly kind: 'list';
      readonly mailbox: Mailbox;
      readonly detail?: string;
      readonly members: () => readonly Mailbox[];
    }
  /** A number of the telephone network that the domain stands for (RFC 3191 §3). */
  | { readonly kind: 'gateway'; readonly mailbox: Mailbox }
  /** Nothing that such a domain could dial. */
  | { readonly kind: 'malformed' };

type FoundEntry = Extract<DomainEntry, { kind: 'mailbox' | 'alias' | 'forward' | 'list' }>;
type NamedEntry = Extract<DomainEntry, { kind: 'alias' | 'forward' | 'list' }>;

/** Whom everybody may write to about a domain, beside the postmaster (RFC 2142 §2, RFC 2142 §4, RFC 2142 §5). */
const roles: readonly string[] = ['abuse', 'hostmaster', 'webmaster', 'mailer-daemon'];
const ownerMark = 'owner-';

/** The local-parts of one domain. */
export class DomainTable {
  /** Whether mail ends here, and does not only pass through. */
  readonly isLocal: boolean;
  /** Whether mail for whom the table does not know is passed on. */
  readonly relays: boolean;
  readonly #domain: string;
  readonly #config: DirectoryDomain;
  /** As configured, by folded local-part. */
  readonly #mailboxes = new Map<string, string>();
  /** By folded local-part; what has a name here goes before a mailbox of that name. */
  readonly #named = new Map<string, NamedEntry>();
  readonly #settings = new Map<string, MailboxSettings>();
  readonly #owners: ReadonlyMap<string, Mailbox>;
  /** The folded `owner-…` of the lists. */
  readonly #listOwners = new Set<string>();

  /** `domain` normalized; `postmaster`: who gets its mail when the domain does not say. Throws Failure `invalid`. */
  constructor(domain: string, config: DirectoryDomain, postmaster: string | undefined) {
    this.#domain = domain;
    this.#config = config;
    this.relays = config.relay === true;
    this.isLocal = config.mailboxes !== undefined || !this.relays;
    for (const name of config.mailboxes === '*' ? [] : (config.mailboxes ?? [])) this.#addMailbox(name);
    for (const [name, each] of Object.entries(config.mailboxSettings ?? {})) {
      this.#settings.set(this.fold(this.#readName(name)), each);
    }
    this.#owners = this.#readOwners();
    for (const [name, targets] of Object.entries(config.aliases ?? {})) this.#addAlias(name, targets);
    for (const [name, forward] of Object.entries(config.forwards ?? {})) this.#addForward(name, forward);
    for (const [name, list] of Object.entries(config.lists ?? {})) this.#addList(name, list);
    if (this.isLocal) this.#addRoles(postmaster);
  }

  /** The form in which local-parts are compared: `postmaster` in any case, whatever the domain's rule (RFC 5321 §2.4). */
  fold(localPart: string): string {
    const composed = localPart.normalize('NFC');
    const folded = composed.toLowerCase();
    const gstn = this.#config.gateway === undefined ? undefined : parseGstnAddress(localPart);
    if (gstn !== undefined) return gstnKey(gstn);
    return this.#config.caseSensitive === true && folded !== 'postmaster' ? composed : folded;
  }

  /** What a local-part is, undefined when it is nothing here: the whole is looked up first, then the user before the detail. */
  lookup(localPart: string): DomainEntry | undefined {
    const known =
      this.#listOwner(localPart) ??
      this.#resolve(localPart, (name) => this.#named.get(this.fold(name)) ?? this.#mailbox(name));
    // A domain of any mailbox has numbers, too.
    return this.#gatewayEntry(localPart, known) ?? known;
  }

  /** The mailbox of a local-part, even where an alias has the name. */
  mailbox(localPart: string): DomainEntry | undefined {
    return this.#resolve(localPart, (name) => this.#mailbox(name));
  }

  /** The local-part with a detail behind it, undefined where the domain knows none, or it has one (RFC 5233 §4). */
  withDetail(localPart: string, detail: string): string | undefined {
    const separator = (this.#config.separator ?? '+').charAt(0);
    if (separator === '' || splitDetail(localPart, this.#config.separator ?? '+') !== undefined) return undefined;
    return `${localPart}${separator}${detail}`;
  }

  /** The addresses that have a mailbox, and their settings; of a domain of any mailbox those that it has settings for. */
  *knownMailboxes(): Generator<{ readonly mailbox: Mailbox; readonly settings: MailboxSettings }> {
    const names = new Map(this.#mailboxes);
    if (this.#config.mailboxes === '*') for (const key of this.#settings.keys()) names.set(key, names.get(key) ?? key);
    for (const [key, localPart] of names) {
      if (this.#named.has(key)) continue;
      yield { mailbox: { localPart, domain: this.#domain }, settings: this.#settingsOf(key) };
    }
  }

  #gatewayEntry(localPart: string, known: DomainEntry | undefined): DomainEntry | undefined {
    const { gateway } = this.#config;
    if (gateway === undefined || !/^\/?[A-Za-z0-9-]+=/.test(localPart)) return undefined;
    const isListed = known !== undefined && (known.kind !== 'mailbox' || this.#mailboxes.has(this.fold(localPart)));
    if (isListed) return undefined;
    const address = parseGstnAddress(localPart);
    if (address === undefined) return { kind: 'malformed' };
    const service = address.service.toUpperCase();
    const isServed = gateway.services?.some((each) => each.toUpperCase() === service) ?? true;
    return isServed ? { kind: 'gateway', mailbox: { localPart, domain: this.#domain } } : undefined;
  }

  #resolve(localPart: string, find: (name: string) => FoundEntry | undefined): FoundEntry | undefined {
    const whole = find(localPart);
    if (whole !== undefined) return whole;
    // The plus of a number parts nothing (RFC 3191 §2.1).
    const isNumber = localPart.includes('=') && parseGstnAddress(localPart) !== undefined;
    const split = isNumber ? undefined : splitDetail(localPart, this.#config.separator ?? '+');
    const user = split?.user ?? localPart;
    const found = find(user) ?? (this.#config.mailboxes === '*' ? this.#entry(this.fold(user)) : undefined);
    return found === undefined || split === undefined ? found : { ...found, detail: split.detail };
  }

  #mailbox(name: string): FoundEntry | undefined {
    const spelling = this.#mailboxes.get(this.fold(name));
    return spelling === undefined ? undefined : this.#entry(spelling);
  }

  #entry(localPart: string): FoundEntry {
    const settings = this.#settingsOf(this.fold(localPart));
    return { kind: 'mailbox', mailbox: { localPart, domain: this.#domain }, settings };
  }

  #settingsOf(key: string): MailboxSettings {
    const { quota } = this.#config;
    const own = this.#settings.get(key) ?? {};
    return quota === undefined ? own : { quota, ...own };
  }

  #addMailbox(name: string): void {
    const localPart = this.#readName(name);
    const other = this.#mailboxes.get(this.fold(localPart));
    if (other !== undefined)
      throw new Failure('invalid', `${this.#domain}: the mailboxes ${other} and ${name} are one`);
    this.#mailboxes.set(this.fold(localPart), localPart.normalize('NFC'));
  }

  #addAlias(name: string, texts: readonly string[]): void {
    const targets = texts.map((text) => this.#readTarget(text));
    const localPart = this.#readName(name);
    const key = this.fold(localPart);
    // An alias that names itself keeps a copy: there is a mailbox of that name, listed or not.
    const keepsCopy = targets.some((target) => 'mailbox' in target && this.#isNamed(target.mailbox, key));
    if (keepsCopy) this.#needMailbox(name);
    const owner = this.#owners.get(key);
    const mailbox = { localPart, domain: this.#domain };
    this.#named.set(key, { kind: 'alias', mailbox, targets, ...(owner === undefined ? {} : { owner }) });
  }

  /** By folded local-part of what they own; an owner has none. */
  #readOwners(): Map<string, Mailbox> {
    const names = [...Object.keys(this.#config.aliases ?? {}), ...this.#mailboxes.values()];
    const owners = names.filter((name) => /^owner-(?!owner-)/i.test(name));
    const entries = owners.map((name) => {
      const localPart = this.#readName(name);
      return [this.fold(localPart.slice(ownerMark.length)), { localPart, domain: this.#domain }] as const;
    });
    return new Map(entries);
  }

  #addForward(name: string, forward: Forward): void {
    const localPart = this.#readName(name);
    const key = this.fold(localPart);
    if (this.#named.has(key)) throw new Failure('invalid', `${this.#domain}: ${name} is an alias and has moved`);
    const to = this.#readTarget(forward.to);
    if (!('mailbox' in to)) throw new Failure('invalid', `${this.#domain}: ${forward.to} is no address`);
    if (forward.keepCopy === true) this.#needMailbox(name);
    const mailbox = { localPart, domain: this.#domain };
    this.#named.set(key, { kind: 'forward', mailbox, to: to.mailbox, forward });
  }

  #addList(name: string, { owner, members = [] }: DirectoryList): void {
    const localPart = this.#readName(name);
    const key = this.fold(localPart);
    if (this.#named.has(key) || this.#mailboxes.has(key))
      throw new Failure('invalid', `${this.#domain}: ${name} is a list and something else`);
    const read = (text: string) => {
      const target = this.#readTarget(text);
      if (!('mailbox' in target)) throw new Failure('invalid', `${this.#domain}: ${text} is no address`);
      return target.mailbox;
    };
    const mailbox = { localPart, domain: this.#domain };
    const all = typeof members === 'function' ? members : () => members;
    this.#named.set(key, { kind: 'list', mailbox, members: () => all().map(read) });
    for (const keeper of [`${ownerMark}${name}`, `${name}-owner`, `${name}-request`]) {
      if (!this.#named.has(this.fold(keeper)) && !this.#mailboxes.has(this.fold(keeper))) this.#addAlias(keeper, owner);
    }
    this.#listOwners.add(this.fold(`${ownerMark}${localPart}`));
  }

  /** The owner of a list in a reverse-path that names one of its members, whatever parts details here (RFC 5321 §3.9.2). */
  #listOwner(localPart: string): DomainEntry | undefined {
    const plus = this.#listOwners.size === 0 ? -1 : localPart.indexOf('+');
    const name = this.fold(localPart.slice(0, Math.max(plus, 0)));
    const entry = this.#listOwners.has(name) ? (this.#named.get(name) ?? this.#mailbox(name)) : undefined;
    return entry && { ...entry, detail: localPart.slice(plus + 1) };
  }

  #needMailbox(name: string): void {
    if (!this.#mailboxes.has(this.fold(this.#readName(name)))) this.#addMailbox(name);
  }

  /** Postmaster is always somebody; the other roles are the postmaster until said otherwise (RFC 5321 §4.5.1). */
  #addRoles(postmaster: string | undefined): void {
    const isFree = (name: string) => !this.#mailboxes.has(name) && !this.#named.has(name);
    const human = postmaster === undefined ? undefined : this.#readTarget(postmaster);
    if (isFree('postmaster')) {
      const isItself = human === undefined || !('mailbox' in human) || this.#isNamed(human.mailbox, 'postmaster');
      if (isItself) this.#addMailbox('postmaster');
      else this.#addAlias('postmaster', [formatMailbox(human.mailbox)]);
    }
    if (this.#config.mailboxes === '*') return;
    for (const role of roles) if (isFree(role)) this.#addAlias(role, ['postmaster']);
  }

  #isNamed({ localPart, domain }: Mailbox, key: string): boolean {
    return this.fold(localPart) === key && normalizeDomain(domain) === this.#domain;
  }

  #readName(name: string): string {
    const target = this.#readTarget(name);
    if (!('mailbox' in target)) throw new Failure('invalid', `${this.#domain}: ${name} is no name of a mailbox`);
    return target.mailbox.localPart;
  }

  #readTarget(text: string): AliasTarget {
    const target = parseAliasTarget(text, this.#domain);
    if (target === undefined) throw new Failure('invalid', `${this.#domain}: ${text} is no address`);
    return target;
  }
}
