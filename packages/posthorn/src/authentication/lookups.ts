/** What a look-up in the name system found (RFC 1035 §4.3, RFC 2308). */
export type Found<T> =
  | { readonly kind: 'found'; readonly records: readonly T[] }
  /** The name exists, but has no such record. */
  | { readonly kind: 'none' }
  /** The name does not exist. */
  | { readonly kind: 'absent' }
  /** No usable answer for now. */
  | { readonly kind: 'failed'; readonly text: string };

/** The look-ups that tell who a sender is; a resolver fits. Names are A-labels without a dot at their end. */
export interface Lookups {
  /** The strings of each record joined. */
  txt(name: string): Promise<Found<string>>;
  addresses(host: string, family: 4 | 6): Promise<Found<string>>;
  mx(domain: string): Promise<Found<{ readonly preference: number; readonly exchange: string }>>;
  /** Names of an address. */
  reverse(address: string): Promise<Found<string>>;
}
