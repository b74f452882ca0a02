import type { TlsaRecord } from '@posthorn/smtp/net/tlsa';
import type { Answer, MailExchanger } from './resolver.ts';

/** What a record of each type reads as. */
export interface RecordValues {
  A: string;
  AAAA: string;
  MX: MailExchanger;
  TXT: string;
  PTR: string;
  CNAME: string;
  TLSA: TlsaRecord;
}

/** The types of records that are looked up (RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 6698 §7.1). */
export type RecordType = keyof RecordValues;

/** Looks up records of one type of a normalized name; rejects with Failure `aborted` alone. */
export type Lookup = <T extends RecordType>(
  type: T,
  name: string,
  signal: AbortSignal | undefined,
) => Promise<Answer<RecordValues[T]>>;
