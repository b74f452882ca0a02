/** How a connection to a next hop is secured (RFC 3207, RFC 8314). */
export type RelayTls = 'none' | 'opportunistic' | 'starttls' | 'implicit';

/** Where one attempt takes its recipients. `key` is equal for recipients that may share a transaction. */
export type NextHop =
  | {
      readonly kind: 'mx';
      readonly key: string;
      /** Lower-case A-label domain or address literal in brackets whose mail exchangers are asked. */
      readonly domain: string;
    }
  | {
      readonly kind: 'smtp' | 'lmtp';
      readonly key: string;
      /** Host name or address (brackets of `[host]` taken away), or undefined with `path`. */
      readonly host?: string;
      readonly port?: number;
      /** UNIX socket instead of host and port. */
      readonly path?: string;
      /** Whether MX records of `host` are looked up; off for `[host]`, addresses, ports other than 25 and LMTP. */
      readonly lookupMx: boolean;
      readonly tls: RelayTls;
      readonly login?: { readonly user: string; readonly password: string };
    }
  | { readonly kind: 'maildir' | 'mbox'; readonly key: string; readonly path: string }
  | { readonly kind: 'discard'; readonly key: string }
  | {
      /** No way leads there: the recipients fail at once. */
      readonly kind: 'nowhere';
      readonly key: string;
      readonly status: `5.${number}.${number}`;
      readonly text: string;
    };
