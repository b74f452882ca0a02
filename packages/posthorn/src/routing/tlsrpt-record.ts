import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';

/** Where reports on TLS are wanted: `mailto:address` or an https URL. */
export interface ReportPlace {
  readonly kind: 'mail' | 'https';
  /** The address, or the URL. */
  readonly to: string;
}

const mostPlaces = 5;

/** Where a domain wants reports, by the records of `_smtp._tls.<domain>`; nowhere unless there is exactly one (RFC 8460 §3). */
export function reportPlaces(records: readonly string[]): ReportPlace[] {
  const [record, ...others] = records.filter((text) => /^v=TLSRPTv1[ \t]*;/.test(text));
  if (record === undefined || others.length > 0) return [];
  const rua = record.split(';').map((field) => /^[ \t]*rua[ \t]*=(.*)$/.exec(field)?.[1]);
  const uris = rua.find((value) => value !== undefined)?.split(',') ?? [];
  return uris.flatMap((uri) => readPlace(uri.trim()) ?? []).slice(0, mostPlaces);
}

function readPlace(uri: string): ReportPlace | undefined {
  if (/^mailto:/i.test(uri)) {
    const address = decode(uri.slice(7).split('?')[0] ?? '');
    return address !== undefined && parseMailbox(address) !== undefined ? { kind: 'mail', to: address } : undefined;
  }
  return URL.canParse(uri) && new URL(uri).protocol === 'https:' ? { kind: 'https', to: uri } : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
