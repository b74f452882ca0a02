import type { DmarcRecord } from './dmarc-record.ts';
import type { Disposition, Findings } from './sender-policy.ts';

/** What a report says of the messages of one client that were alike: all but how many they were (RFC 9990 §3.1). */
export interface Observation {
  /** The domain whose policy counted, and the policy. */
  readonly policyDomain: string;
  readonly record: Omit<DmarcRecord, 'reportsTo' | 'psd'>;
  readonly source: string;
  readonly disposition: 'none' | 'pass' | 'quarantine' | 'reject';
  /** Why that is milder than the policy. */
  readonly override?: string;
  readonly dkimAligned: boolean;
  readonly spfAligned: boolean;
  readonly headerFrom: string;
  readonly envelopeFrom: string;
  readonly dkim: readonly { readonly domain: string; readonly selector: string; readonly result: string }[];
  readonly spf: { readonly domain: string; readonly scope: 'mfrom' | 'helo'; readonly result: string };
}

/** Signatures that are told of one message (RFC 9990 §3.1.1.11). */
const mostSignatures = 10;

/** What is to be reported of a message; undefined where nobody wants to know (RFC 9990 §3.1). */
export function observationOf(
  { dmarc, dkim = [], spf }: Findings,
  { kind, override }: Disposition,
  source: string,
): Observation | undefined {
  const placed = dmarc?.placed;
  if (dmarc?.domain === undefined || placed === undefined || placed.record.reportsTo.length === 0) return undefined;
  if (dmarc.result !== 'pass' && dmarc.result !== 'fail') return undefined;
  const { reportsTo: _, psd: __, ...record } = placed.record;
  const [identity] = spf;
  const mailFrom = spf.find((each) => each.identity === 'mailfrom') ?? identity;
  return {
    policyDomain: placed.domain,
    record,
    source,
    disposition: dmarc.result === 'pass' ? 'pass' : kind,
    ...(override === undefined ? {} : { override }),
    dkimAligned: dmarc.dkimAligned,
    spfAligned: dmarc.spfAligned,
    headerFrom: dmarc.domain,
    envelopeFrom: mailFrom?.identity === 'mailfrom' ? mailFrom.domain : '',
    dkim: dkim.slice(0, mostSignatures).flatMap(({ domain, selector, result }) => {
      return domain === undefined || selector === undefined ? [] : [{ domain, selector, result }];
    }),
    spf: {
      domain: mailFrom?.domain ?? '',
      scope: mailFrom?.identity === 'mailfrom' ? 'mfrom' : 'helo',
      result: mailFrom?.result ?? 'none',
    },
  };
}
