import { asciiDomain } from '@posthorn/smtp/address/domain';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { isDmarcRecord, parseDmarcRecord } from './dmarc-record.ts';
import { DmarcTree } from './dmarc-tree.ts';
import type { Lookups } from './lookups.ts';

/** Addresses that the reports about one domain go to. */
const mostPlaces = 10;

/**
 * The addresses that reports about a domain may go to, as its record has them now; where another organization gets them, it
 * has to say that it wants them. Rejects with DmarcUnknown (RFC 9990 §4).
 */
export async function reportPlaces(domain: string, lookups: Pick<Lookups, 'txt'>): Promise<string[]> {
  const tree = new DmarcTree(lookups);
  const record = await tree.recordOf(domain);
  const places: string[] = [];
  for (const uri of record?.reportsTo ?? []) {
    const address = addressOf(uri);
    if (address === undefined || places.length >= mostPlaces) continue;
    const host = hostOf(address);
    const isOwn = (await tree.organizationOf(host)) === (await tree.organizationOf(domain));
    places.push(...(isOwn ? [address] : await foreignPlaces(domain, address, lookups)));
  }
  return [...new Set(places)];
}

/** Who gets reports about others may have them sent elsewhere, but only within the same host (RFC 9990 §4). */
async function foreignPlaces(domain: string, address: string, lookups: Pick<Lookups, 'txt'>): Promise<string[]> {
  const host = hostOf(address);
  const answer = await lookups.txt(`${domain}._report._dmarc.${host}`);
  const text = answer.kind === 'found' ? answer.records.find(isDmarcRecord) : undefined;
  if (text === undefined) return [];
  // A policy is no part of such a record; what it needs to be read is put in.
  const redirected = parseDmarcRecord(`v=DMARC1; p=none; ${text.slice(text.indexOf(';') + 1)}`)?.reportsTo ?? [];
  const within = redirected.flatMap((uri) => addressOf(uri) ?? []).filter((other) => hostOf(other) === host);
  return text.includes('rua') && redirected.length > 0 ? within.slice(0, 1) : [address];
}

function addressOf(uri: string): string | undefined {
  if (!/^mailto:/i.test(uri)) return undefined;
  const text = decoded(uri.slice(7).replace(/\?.*$/s, ''));
  const mailbox = parseMailbox(text);
  return mailbox === undefined || asciiDomain(mailbox.domain) === undefined ? undefined : text;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function hostOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
