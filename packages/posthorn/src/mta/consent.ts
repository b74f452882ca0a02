import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import { type OwnerSince, OwnersFile } from './owners-file.ts';

/** What mailboxes, and who keeps them, ask of the mail for them. */
export interface Consent {
  /**
   * When the mailbox got its present owner: undefined when it never had another one. Throws Failure `storage` when that cannot
   * be found out now (RFC 7293 §5, RFC 7293 §9).
   */
  ownerSince(address: string): OwnerSince | undefined;
  /** The same of its domain. */
  ownedSince(address: string): number | undefined;
  /** Classes of solicitation that are not wanted there (RFC 3865 §2.3). */
  refusedClasses(address: string): readonly string[];
}

interface Wish {
  readonly ownerSince?: OwnerSince;
  readonly noSoliciting?: readonly string[];
}

const nothing: readonly string[] = [];

/** Reads the wishes out of a configuration; addresses are looked up as the directory knows them. */
export function createConsent({ domains }: Pick<Config, 'domains'>, directory: Directory): Consent {
  const byDomain = new Map<string, Config['domains'][string]>();
  const byMailbox = new Map<string, Wish>();
  const ownersFiles = new Map<string, OwnersFile>();
  for (const [name, domain] of Object.entries(domains)) {
    const key = normalizeDomain(name) ?? name;
    byDomain.set(key, domain);
    if (domain.ownersFile !== undefined) {
      ownersFiles.set(key, new OwnersFile(domain.ownersFile, (local) => keyOf(directory, `${local}@${name}`)));
    }
    for (const [local, settings] of Object.entries(domain.mailboxSettings)) {
      byMailbox.set(keyOf(directory, `${local}@${name}`), settings);
    }
  }
  const wishOf = (address: string): Wish | undefined =>
    byMailbox.size === 0 ? undefined : byMailbox.get(keyOf(directory, address));
  const domainKeyOf = (address: string) => normalizeDomain(address.slice(address.lastIndexOf('@') + 1)) ?? '';
  const domainOf = (address: string) => byDomain.get(domainKeyOf(address));
  return {
    ownerSince: (address) =>
      wishOf(address)?.ownerSince ?? ownersFiles.get(domainKeyOf(address))?.since(keyOf(directory, address)),
    ownedSince: (address) => domainOf(address)?.ownedSince,
    refusedClasses(address) {
      const own = wishOf(address)?.noSoliciting ?? nothing;
      const common = domainOf(address)?.noSoliciting ?? nothing;
      return own.length === 0 ? common : common.length === 0 ? own : [...common, ...own];
    },
  };
}

/** The mailbox, whatever stands behind its separator; else the address itself. */
function keyOf(directory: Directory, address: string): string {
  return directory.keyOf(directory.mailboxOf(address) ?? address);
}
