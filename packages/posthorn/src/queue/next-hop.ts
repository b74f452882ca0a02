import type { MailboxBounds } from './mailbox-bounds.ts';

/**
 * How a connection to a next hop is secured. `starttls` and `implicit` verify its certificate, `encrypt` takes any; `dane`
 * and `mta-sts` do as its domain publishes it (RFC 3207, RFC 8314, RFC 7672, RFC 8461).
 */
export type RelayTls = 'none' | 'opportunistic' | 'encrypt' | 'starttls' | 'implicit' | 'dane' | 'mta-sts';

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
  | {
      readonly kind: 'maildir' | 'mbox';
      readonly key: string;
      readonly path: string;
      /** What the mailbox may hold and take; no bounds when absent. */
      readonly bounds?: MailboxBounds;
    }
  | {
      /** A program that gets each message on its standard input. */
      readonly kind: 'pipe';
      readonly key: string;
      /** For the shell. */
      readonly command: string;
      /** What stood behind the separator of the address. */
      readonly extension?: string;
      /** Whether it is the way into another mail system, such as a telephone network (RFC 3461 §5.2.4). */
      readonly gateway?: true;
    }
  | {
      /** On from here with a sender of its own: an alias with an owner, or who moved in confidence (RFC 3461 §5.2.7.4). */
      readonly kind: 'resend';
      readonly key: string;
      readonly address: string;
    }
  | {
      /** Takes batches of mail apart (RFC 2442). */
      readonly kind: 'batch';
      readonly key: string;
    }
  | {
      /** A mailing list of ours (RFC 5321 §3.9.2). */
      readonly kind: 'list';
      readonly key: string;
    }
  | {
      /** Waits here until a login that owns the domain asks for it (RFC 2645 §4). */
      readonly kind: 'odmr';
      readonly key: string;
      /** Lower-case A-label domain. */
      readonly domain: string;
    }
  | { readonly kind: 'discard'; readonly key: string }
  | {
      /** No way leads there: the recipients fail at once. */
      readonly kind: 'nowhere';
      readonly key: string;
      readonly status: `5.${number}.${number}`;
      readonly text: string;
    };
