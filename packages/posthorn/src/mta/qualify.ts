import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { isQualified } from '@posthorn/smtp/message/submission-header';
import type { Resolver } from '../dns/resolver.ts';
import type { Policy } from './policy.ts';

const lookUpTime = 5_000;

/** Whether a domain is one that the configuration names: its own, or one with a route. */
export function isNamed({ directory, routes }: Pick<Policy, 'directory' | 'routes'>, domain: string): boolean {
  const name = normalizeDomain(domain) ?? domain;
  if (directory.lookup(`postmaster@${name}`).kind !== 'foreign') return true;
  return routes.some((route) => normalizeDomain(route.domain) === name);
}

/** The mailbox with its domain in full; undefined when that has a single label and no rule completes it (RFC 6409 §4.2). */
export function qualify(policy: Policy, mailbox: Mailbox, completeDomain: string | undefined): Mailbox | undefined {
  const { domain } = mailbox;
  if (domain === '' || isQualified(domain) || isNamed(policy, domain)) return mailbox;
  if (completeDomain === undefined) return undefined;
  // Programs of this host mean its users.
  return { ...mailbox, domain: domain.toLowerCase() === 'localhost' ? completeDomain : `${domain}.${completeDomain}` };
}

/**
 * Whether a domain of several labels lacks its end: its last label is no top-level domain. Looked for where single labels
 * are completed, for there people write such names, which are refused rather than completed (RFC 6409 §4.2).
 */
export async function isPartial(
  policy: Policy,
  { domain, resolver }: { readonly domain: string; readonly resolver: Pick<Resolver, 'mx'> },
): Promise<boolean> {
  const name = normalizeDomain(domain);
  if (name === undefined || !isQualified(name) || name.startsWith('[') || isNamed(policy, name)) return false;
  const top = name.slice(name.lastIndexOf('.') + 1);
  return (await exchangersOf(resolver, top)).kind === 'absent';
}

/** Asks for mail exchangers, and not for long. */
export async function exchangersOf(resolver: Pick<Resolver, 'mx'>, domain: string): ReturnType<Resolver['mx']> {
  return resolver
    .mx(domain, AbortSignal.timeout(lookUpTime))
    .catch(() => ({ kind: 'failed', text: 'timeout' }) as const);
}
