import { isIPv6Text } from '../address/ip-text.ts';

/** Whom tricks pretend to write to, and through whom. */
export interface RelayTargets {
  /** A domain that the host takes mail for, or an address literal. */
  readonly own: string;
  /** The address that the host has, if it is known. */
  readonly address?: string;
  /** A mailbox elsewhere, as `local@domain`, that the host has nothing to do with. */
  readonly foreign: string;
}

/** One way in which hosts were talked into sending mail on for strangers. */
export interface RelayTrick {
  readonly name: string;
  /** The paths as they stand behind `MAIL FROM:` and `RCPT TO:`. */
  readonly from: string;
  readonly to: string;
  /**
   * Where the recipient is written to be: `elsewhere`, so that taking it is relaying; or `here`, with the way onward hidden
   * in the local-part, so that it is relaying unless every local-part is taken.
   */
  readonly leads: 'elsewhere' | 'here';
  /** What follows the local-part of a recipient that is `here`; empty where it has no domain. */
  readonly place?: string;
}

/** The known tricks with addresses and senders (RFC 2505 §2.1, RFC 5321 §7.9, RFC 5321 §F.2). */
export function relayTricks({ own, address, foreign }: RelayTargets): RelayTrick[] {
  const at = foreign.lastIndexOf('@');
  const [user, domain] = [foreign.slice(0, at), foreign.slice(at + 1)];
  const sender = `<${foreign}>`;
  const elsewhere = (name: string, to: string, from = sender): RelayTrick => ({ name, from, to, leads: 'elsewhere' });
  const here = (name: string, to: string, place = `@${own}`): RelayTrick => {
    return { name, from: sender, to, leads: 'here', place };
  };
  const literal = address === undefined ? undefined : isIPv6Text(address) ? `[IPv6:${address}]` : `[${address}]`;
  return [
    elsewhere('an address elsewhere', `<${foreign}>`),
    elsewhere('the null sender', `<${foreign}>`, '<>'),
    elsewhere('a sender of the host', `<${foreign}>`, `<postmaster@${own}>`),
    elsewhere('a sender without a domain', `<${foreign}>`, '<postmaster>'),
    elsewhere('a sender at localhost', `<${foreign}>`, '<postmaster@localhost>'),
    ...(literal === undefined
      ? []
      : [
          elsewhere('a sender at the address of the host', `<${foreign}>`, `<postmaster@${literal}>`),
          elsewhere('a source route by the address of the host', `<@${literal}:${foreign}>`),
          here('a percent sign, at the address of the host', `<${user}%${domain}@${literal}>`, `@${literal}`),
        ]),
    elsewhere('the domain in capitals', `<${user}@${domain.toUpperCase()}>`),
    elsewhere('a dot behind the domain', `<${user}@${domain}.>`),
    elsewhere('without brackets', foreign),
    elsewhere('a comment behind it', `<${foreign}(${own})>`),
    elsewhere('quotes around the local-part', `<"${user}"@${domain}>`),
    elsewhere('the postmaster elsewhere', `<postmaster@${domain}>`),
    elsewhere('an IPv4 literal', `<${user}@[192.0.2.55]>`),
    elsewhere('an IPv6 literal', `<${user}@[IPv6:2001:db8::55]>`),
    elsewhere('an IPv4 address in an IPv6 literal', `<${user}@[IPv6:::ffff:192.0.2.55]>`),
    elsewhere('an address for a domain', `<${user}@192.0.2.55>`),
    elsewhere('a source route', `<@${own}:${foreign}>`),
    elsewhere('a source route of two hosts', `<@${own},@${domain}:${foreign}>`),
    elsewhere('a source route that ends nowhere', `<@${own}:@${domain}:${user}>`),
    elsewhere('two at signs, its domain last', `<${user}@${own}@${domain}>`),
    elsewhere('a percent sign, the other way round', `<postmaster%${own}@${domain}>`),
    elsewhere('two paths', `<postmaster@${own}>,<${foreign}>`),
    here('two addresses in one path', `<${foreign},postmaster@${own}>`),
    here('two at signs', `<${foreign}@${own}>`),
    here('a percent sign', `<${user}%${domain}@${own}>`),
    here('two percent signs', `<${user}%${domain}%${own}@${own}>`),
    here('a percent sign in quotes', `<"${user}%${domain}"@${own}>`),
    here('a percent sign, no domain', `<${user}%${domain}>`, ''),
    here('an at sign in quotes', `<"${foreign}"@${own}>`),
    here('an at sign in quotes, no domain', `<"${foreign}">`, ''),
    here('an at sign behind a backslash', `<"${user}\\@${domain}"@${own}>`),
    here('a bang path', `<${domain}!${user}@${own}>`),
    here('a bang path by the host', `<${own}!${domain}!${user}@${own}>`),
    here('a bang path, no domain', `<${domain}!${user}>`, ''),
    here('a source route and a percent sign', `<@${own}:${user}%${domain}@${own}>`),
    here('a domain that is empty', `<${foreign}@>`, ''),
    here('a dot behind the own domain, and a percent sign', `<${user}%${domain}@${own}.>`),
    here('an at sign as %40', `<${user}%40${domain}@${own}>`),
    here('an at sign in an encoded word', `<=?us-ascii?q?${user}=40${domain}?=@${own}>`),
    here('an equals sign', `<${user}=${domain}@${own}>`),
    here('a sender that was never rewritten', `<SRS0=AAAA=AA=${domain}=${user}@${own}>`),
  ];
}
