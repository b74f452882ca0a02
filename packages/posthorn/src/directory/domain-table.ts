import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type AliasTarget, parseAliasTarget } from './alias-target.ts';
import { splitDetail } from './split-detail.ts';

/** One domain that is served. */
export interface DirectoryDomain {
  /** Local-parts that have a mailbox, or `*`: all have. */
  readonly mailboxes?: readonly string[] | '*';
  /** By local-part: `local@domain`, or `local` in this domain; `\` before it stops looking for further aliases. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** Whether mail for other local-parts is passed on to where the domain really lives. */
  readonly relay?: boolean;
  /** Whether local-parts that differ in case alone are different; off by default (RFC 5321 §2.4). */
  readonly caseSensitive?: boolean;
  /** Each of its characters parts a user from a detail; `+` by default, empty: none does (RFC 5233 §4). */
  readonly separator?: string;
}

/** What a local-part is in its domain. */
export type DomainEntry =
  | { readonly kind: 'mailbox'; readonly mailbox: Mailbox; readonly detail?: string }
  | { readonly kind: 'alias'; readonly targets: readonly AliasTarget[] };

/** Whom everybody may write to about a domain, beside the postmaster (RFC 2142 §2, RFC 2142 §4, RFC 2142 §5). */
const roles: readonly string[] = ['abuse', 'hostmaster', 'webmaster', 'mailer-daemon'];

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
  readonly #aliases = new Map<string, readonly AliasTarget[]>();

  /** `domain` normalized; `postmaster`: who gets its mail when the domain does not say. Throws Failure `invalid`. */
  constructor(domain: string, config: DirectoryDomain, postmaster: string | undefined) {
    this.#domain = domain;
    this.#config = config;
    this.relays = config.relay === true;
    this.isLocal = config.mailboxes !== undefined || !this.relays;
    for (const name of config.mailboxes === '*' ? [] : (config.mailboxes ?? [])) this.#addMailbox(name);
    for (const [name, targets] of Object.entries(config.aliases ?? {})) this.#addAlias(name, targets);
    if (this.isLocal) this.#addRoles(postmaster);
  }

  /** The form in which local-parts are compared: `postmaster` in any case, whatever the domain's rule (RFC 5321 §2.4). */
  fold(localPart: string): string {
    const composed = localPart.normalize('NFC');
    const folded = composed.toLowerCase();
    return this.#config.caseSensitive === true && folded !== 'postmaster' ? composed : folded;
  }

  /** What a local-part is, undefined when it is nothing here: the whole is looked up first, then the user before the detail. */
  lookup(localPart: string): DomainEntry | undefined {
    return this.#resolve(localPart, (name) => this.#alias(name) ?? this.#mailbox(name));
  }

  /** The mailbox of a local-part, even where an alias has the name. */
  mailbox(localPart: string): DomainEntry | undefined {
    return this.#resolve(localPart, (name) => this.#mailbox(name));
  }

  #resolve(localPart: string, find: (name: string) => DomainEntry | undefined): DomainEntry | undefined {
    const whole = find(localPart);
    if (whole !== undefined) return whole;
    const split = splitDetail(localPart, this.#config.separator ?? '+');
    const user = split?.user ?? localPart;
    const found = find(user) ?? (this.#config.mailboxes === '*' ? this.#entry(this.fold(user)) : undefined);
    return found?.kind === 'mailbox' && split !== undefined ? { ...found, detail: split.detail } : found;
  }

  #alias(name: string): DomainEntry | undefined {
    const targets = this.#aliases.get(this.fold(name));
    return targets && { kind: 'alias', targets };
  }

  #mailbox(name: string): DomainEntry | undefined {
    const spelling = this.#mailboxes.get(this.fold(name));
    return spelling === undefined ? undefined : this.#entry(spelling);
  }

  #entry(localPart: string): DomainEntry {
    return { kind: 'mailbox', mailbox: { localPart, domain: this.#domain } };
  }

  #addMailbox(name: string): void {
    const { localPart } = readTarget(name, this.#domain).mailbox;
    const other = this.#mailboxes.get(this.fold(localPart));
    if (other !== undefined)
      throw new Failure('invalid', `${this.#domain}: the mailboxes ${other} and ${name} are one`);
    this.#mailboxes.set(this.fold(localPart), localPart.normalize('NFC'));
  }

  #addAlias(name: string, texts: readonly string[]): void {
    const targets = texts.map((text) => readTarget(text, this.#domain));
    const { localPart } = readTarget(name, this.#domain).mailbox;
    const key = this.fold(localPart);
    // An alias that names itself keeps a copy: there is a mailbox of that name, listed or not.
    if (targets.some(({ mailbox }) => this.#isNamed(mailbox, key)) && !this.#mailboxes.has(key)) this.#addMailbox(name);
    this.#aliases.set(key, targets);
  }

  /** Postmaster is always somebody; the other roles are the postmaster until said otherwise (RFC 5321 §4.5.1). */
  #addRoles(postmaster: string | undefined): void {
    const isFree = (name: string) => !this.#mailboxes.has(name) && !this.#aliases.has(name);
    const human = postmaster === undefined ? undefined : readTarget(postmaster, this.#domain);
    if (isFree('postmaster')) {
      if (human === undefined || this.#isNamed(human.mailbox, 'postmaster')) this.#addMailbox('postmaster');
      else this.#aliases.set('postmaster', [human]);
    }
    if (this.#config.mailboxes === '*') return;
    for (const role of roles) if (isFree(role)) this.#addAlias(role, ['postmaster']);
  }

  #isNamed({ localPart, domain }: Mailbox, key: string): boolean {
    return this.fold(localPart) === key && normalizeDomain(domain) === this.#domain;
  }
}

function readTarget(text: string, domain: string): AliasTarget {
  const target = parseAliasTarget(text, domain);
  if (target === undefined) throw new Failure('invalid', `${domain}: ${text} is no address`);
  return target;
}
