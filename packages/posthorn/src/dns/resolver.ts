import type { TlsaRecord } from '@posthorn/smtp/net/tlsa';

/** An answer of the name system (RFC 1035 §4.3, RFC 2308). */
export type Answer<T> =
  | {
      readonly kind: 'found';
      readonly records: readonly T[];
      readonly secure: boolean;
      /** The name that aliases lead to, where there are any (RFC 1034 §3.6.2). */
      readonly canonical?: string;
    }
  /** The name exists, but has no such record. */
  | { readonly kind: 'none'; readonly secure: boolean }
  /** The name does not exist: NXDOMAIN. */
  | { readonly kind: 'absent'; readonly secure: boolean }
  /** No usable answer for now: server failure, time-out, garbage. */
  | { readonly kind: 'failed'; readonly text: string };

/** One MX record (RFC 1035 §3.3.9); `.` as exchange is the null MX (RFC 7505). */
export interface MailExchanger {
  readonly preference: number;
  readonly exchange: string;
}

/** Looks names up; never rejects but with Failure `aborted`. Names are A-labels, case does not count. */
export interface Resolver {
  mx(domain: string, signal?: AbortSignal): Promise<Answer<MailExchanger>>;
  /** Addresses of one family as text. */
  addresses(host: string, family: 4 | 6, signal?: AbortSignal): Promise<Answer<string>>;
  txt(name: string, signal?: AbortSignal): Promise<Answer<string>>;
  tlsa(name: string, signal?: AbortSignal): Promise<Answer<TlsaRecord>>;
  /** The alias that a name itself is; no further ones are followed. */
  alias(name: string, signal?: AbortSignal): Promise<Answer<string>>;
  /** Names of an address. */
  reverse(address: string, signal?: AbortSignal): Promise<Answer<string>>;
}
