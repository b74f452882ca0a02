/** A name and its password, as the client sent them (RFC 4616 §2). */
export interface PasswordCredentials {
  /** Upper case: `PLAIN`, `LOGIN`. */
  readonly mechanism: string;
  /** Authentication identity. */
  readonly user: string;
  readonly password: string;
  /** Authorization identity; empty: the same as `user` (RFC 4616 §2). */
  readonly authorizeAs: string;
}

/** A proof that the client knows a secret, without the secret itself (RFC 2195 §2). */
export interface DigestCredentials {
  readonly mechanism: 'CRAM-MD5';
  readonly user: string;
  readonly password?: undefined;
  readonly authorizeAs: '';
  /** Whether this is the secret that the client knows; takes the same time for any. */
  proves(secret: string): boolean;
}

/** The claim to be somebody whom other means have authenticated: a certificate, the network (RFC 4422 §A). */
export interface ExternalCredentials {
  readonly mechanism: 'EXTERNAL';
  /** Empty: who it is follows from those means alone. */
  readonly user: '';
  readonly password?: undefined;
  /** Authorization identity; empty: that of those means. */
  readonly authorizeAs: string;
}

/** What a client proved or claims by SASL (RFC 4422 §2). */
export type Credentials = PasswordCredentials | DigestCredentials | ExternalCredentials;

/** What a server does after a message of the client. */
export type ServerStep =
  | { readonly kind: 'challenge'; readonly bytes: Buffer }
  | { readonly kind: 'verify'; readonly credentials: Credentials }
  /** The message is malformed; or one came with the command, where the server speaks first (RFC 4954 §4). */
  | { readonly kind: 'malformed' | 'early' };

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

/** What a client logs in with. */
export type Login = Omit<PasswordCredentials, 'mechanism'>;

interface NamedMechanism {
  /** Upper case. */
  readonly name: string;
  /** Whether it shows the password to whoever reads along, so that it needs TLS (RFC 4954 §4). */
  readonly revealsPassword: boolean;
}

/** A mechanism as a server knows it (RFC 4422 §4). */
export interface ServerMechanism extends NamedMechanism {
  server(): ServerExchange;
}

/** A mechanism as a client knows it (RFC 4422 §4). */
export interface ClientMechanism extends NamedMechanism {
  client(login: Login): ClientExchange;
}

/** A mechanism, both sides (RFC 4422 §4). */
export interface Mechanism extends ServerMechanism, ClientMechanism {}
