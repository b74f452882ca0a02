import { parseLiteral } from '@posthorn/smtp/address/domain';
import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { normalizeAddress } from '@posthorn/smtp/address/normalize-address';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { parseAddress } from '@posthorn/smtp/address/parse-address';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { MailboxBounds } from '../queue/mailbox-bounds.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { parseDomainPattern } from './domain-pattern.ts';
import { type HopParts, nextHopOf } from './next-hop-of.ts';
import { parseTarget, type Target } from './target.ts';

/** How mail for one of our domains is delivered. */
interface LocalDomain {
  /** A target, see `parseTarget`. */
  readonly deliver: string;
  /** Whether local-parts that differ in case alone are different mailboxes; off by default (RFC 5321 §2.4). */
  readonly caseSensitive?: boolean;
  /** Whether mail for addresses without a mailbox goes on as for other domains, since the domain has more elsewhere. */
  readonly relay?: boolean;
  /** The target of its numbers in the telephone network (RFC 3191 §3). */
  readonly gateway?: string;
}

/** What a router has to know of an address of a local domain. */
export interface LocalAddress {
  /** The mailbox whose mail it gets, detail taken away; undefined: there is none any more. */
  readonly mailbox?: string;
  readonly bounds?: MailboxBounds;
  /** What stood behind the separator. */
  readonly extension?: string;
  /** Whether it is a number behind the gateway of its domain. */
  readonly isNumber?: boolean;
  /** Whether the mailbox takes no mail for now. */
  readonly disabled?: boolean;
}

/** Sends some domains another way than their mail exchangers; the first that fits decides. */
interface Route {
  /** A domain, `*.domain` or `*`. */
  readonly domain: string;
  /** A target, see `parseTarget`. */
  readonly to: string;
}

/** All that decides where mail goes. */
export interface RouterConfig {
  readonly localDomains: Readonly<Record<string, LocalDomain>>;
  readonly routes?: readonly Route[];
  /** The local domain of a bare `Postmaster` and of literals of our own addresses. */
  readonly homeDomain?: string;
  /** IP addresses of this host. */
  readonly ownAddresses?: readonly string[];
  /** What an address of a local domain is; by default each is its own mailbox. */
  readonly locate?: (address: string) => LocalAddress;
}

/** Says where mail for an address goes; the same answer for the same address. */
export interface Router {
  /** `target`: where the mail goes instead of where the address leads, such as the program of an alias. */
  route(address: string, target?: string): NextHop;
}

interface Delivery {
  readonly target: Target;
  readonly gateway: Target | undefined;
  readonly caseSensitive: boolean;
  readonly relay: boolean;
}

/** Makes a router. Throws Failure `invalid` for a faulty domain or target (RFC 5321 §5.1). */
export function createRouter(config: RouterConfig): Router {
  const local = new Map(
    Object.entries(config.localDomains).map(([domain, { deliver, gateway, caseSensitive = false, relay = false }]) => [
      valid(normalizeDomain(domain), `${domain} is no domain`),
      {
        target: readTarget(deliver),
        gateway: gateway === undefined ? undefined : readTarget(gateway),
        caseSensitive,
        relay,
      },
    ]),
  );
  const routes = (config.routes ?? []).map(({ domain, to }) => ({
    fits: valid(parseDomainPattern(domain), `${domain} is no domain, *.domain or *`),
    target: readTarget(to),
  }));
  const own = new Set((config.ownAddresses ?? []).map(normalizeAddress));
  const home = normalizeDomain(config.homeDomain ?? '');
  const locate = config.locate ?? ((address: string): LocalAddress => ({ mailbox: address }));

  /** The normalized domain that decides, or undefined for one that leads nowhere. */
  const decidingDomain = ({ domain }: Mailbox): string | undefined => {
    if (domain === '') return home;
    const literal = parseLiteral(domain);
    if (literal === undefined || literal.family === 'other') return normalizeDomain(domain);
    return own.has(normalizeAddress(literal.address)) ? home : normalizeDomain(domain);
  };

  const deliver = (address: string, domain: string, { target, gateway, caseSensitive, relay }: Delivery) => {
    const { mailbox: text = '', isNumber, disabled, ...about } = locate(address);
    const mailbox = parseAddress(isNumber ? address : text);
    if (mailbox === undefined) return relay ? undefined : nowhere('5.1.1', 'No such mailbox here');
    if (isNumber) return nextHopOf(gateway ?? target, { local: mailbox.localPart, domain, gateway: true });
    if (disabled) return nowhere('5.2.1', 'The mailbox takes no mail');
    const name = mailbox.localPart.normalize('NFC');
    return nextHopOf(target, { local: caseSensitive ? name : name.toLowerCase(), domain, ...about });
  };

  /** The way of what an alias names instead of an address. */
  const routeTarget = (address: string, target: string): NextHop => {
    if (target === 'resend:') return { kind: 'resend', key: `${target}${address}`, address };
    const parsed = parseTarget(target);
    if (typeof parsed === 'string') return nowhere('5.3.5', 'The alias leads nowhere');
    const { extension } = locate(address);
    const parts: HopParts = { local: '', domain: '', ...(extension === undefined ? {} : { extension }) };
    return nextHopOf(parsed, parts);
  };

  return {
    route(address, instead) {
      if (instead !== undefined) return routeTarget(address, instead);
      const mailbox = parseAddress(address);
      if (mailbox === undefined) return nowhere('5.1.3', 'The address is malformed');
      const domain = decidingDomain(mailbox);
      if (domain === undefined) return nowhere('5.1.2', 'No way leads to that domain');
      const delivery = local.get(domain);
      const here = delivery && deliver(address, domain, delivery);
      if (here !== undefined) return here;
      const target = routes.find(({ fits }) => fits(domain))?.target ?? { kind: 'mx' };
      return nextHopOf(target, { local: mailbox.localPart, domain });
    },
  };
}

function readTarget(text: string): Target {
  const target = parseTarget(text);
  if (typeof target === 'string') throw new Failure('invalid', target);
  return target;
}

function valid<T>(value: T | undefined, mistake: string): T {
  if (value === undefined) throw new Failure('invalid', mistake);
  return value;
}

function nowhere(status: `5.${number}.${number}`, text: string): NextHop {
  return nextHopOf({ kind: 'nowhere', status, text }, { local: '', domain: '' });
}
