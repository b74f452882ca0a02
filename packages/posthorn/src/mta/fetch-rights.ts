import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { Failure } from '@posthorn/smtp/failure/failure';
import { readTextFile } from '../config/read-text-file.ts';
import type { Config } from '../config/schema.ts';

/** Where it stands who may fetch what. */
export interface RightsSource {
  readonly users: Config['users'];
  readonly domainsFile?: string;
}

/**
 * The domains whose mail a login may fetch, from its user and from the file. Throws Failure `storage` when the file cannot be
 * read: who owns what is not known then (RFC 2645 §5.2.1).
 */
export function fetchableDomains(login: string, { users, domainsFile }: RightsSource): ReadonlySet<string> {
  const domains = new Set(Object.hasOwn(users, login) ? users[login]?.atrnDomains : []);
  if (domainsFile === undefined) return domains;
  const file = readTextFile(domainsFile);
  if ('reason' in file) throw new Failure('storage', `${domainsFile} cannot be read: ${file.reason}`);
  for (const domain of domainsIn(file.text, login)) domains.add(domain);
  return domains;
}

/** `login domain domain …` a line; `#` begins a remark. What is no domain is passed over. */
function domainsIn(text: string, login: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [name, ...words] = line
      .replace(/#.*/, '')
      .split(/[ \t\r,]/)
      .filter((word) => word !== '');
    if (name !== login) return [];
    return words.map(normalizeDomain).filter((domain) => domain !== undefined);
  });
}
