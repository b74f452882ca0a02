/** What a client proved or claims by SASL (RFC 4422 §2). */
export interface Credentials {
  /** Upper case: `PLAIN`, `LOGIN`. */
  readonly mechanism: string;
  /** Authentication identity. */
  readonly user: string;
  readonly password: string;
  /** Authorization identity; empty: the same as `user` (RFC 4616 §2). */
  readonly authorizeAs: string;
}

/** What a server does after a message of the client. */
export type ServerStep =
  | { readonly kind: 'challenge'; readonly bytes: Buffer }
  | { readonly kind: 'verify'; readonly credentials: Credentials }
  /** The message is malformed. */
  | { readonly kind: 'malformed' };

/** The server's side of one exchange (RFC 4422 §3). */
export interface ServerExchange {
  /** The first step: undefined as initial response means that none came. */
  begin(initial: Buffer | undefined): ServerStep;
  next(message: Buffer): ServerStep;
}

/** The client's side of one exchange (RFC 4422 §3). */
export interface ClientExchange {
  /** Goes with the AUTH command; undefined for mechanisms in which the server speaks first. */
  readonly initial: Buffer | undefined;
  /** Answers a challenge; undefined cancels. */
  next(challenge: Buffer): Buffer | undefined;
}

/** A mechanism, both sides (RFC 4422 §4). */
export interface Mechanism {
  readonly name: string;
  /** Whether it shows the password to whoever reads along, so that it needs TLS (RFC 4954 §4). */
  readonly revealsPassword: boolean;
  server(): ServerExchange;
  client(credentials: Omit<Credentials, 'mechanism'>): ClientExchange;
}
