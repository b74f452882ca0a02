import type { Channel, ClientCertificate } from './channel.ts';
import type { ScramHash, ScramKeys } from './scram-keys.ts';

/** A name and its password, as the client sent them (RFC 4616 §2). */
export interface PasswordCredentials {
  readonly mechanism: 'PLAIN' | 'LOGIN';
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

/** How a proof came out that the client knows the password of which the server has the keys alone (RFC 5802 §3). */
export interface ScramCredentials {
  readonly mechanism: 'SCRAM-SHA-1' | 'SCRAM-SHA-1-PLUS' | 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';
  readonly user: string;
  readonly password?: undefined;
  /** Authorization identity; empty: the same as `user`. */
  readonly authorizeAs: string;
  /** Where it is false nobody is let in, whatever the application says. */
  readonly proven: boolean;
}

/** A token that an authorization server gave the client (RFC 7628 §3.1). */
export interface TokenCredentials {
  readonly mechanism: 'OAUTHBEARER' | 'XOAUTH2';
  /** Who the client says it is; empty: the token alone tells. */
  readonly user: string;
  readonly password?: undefined;
  readonly authorizeAs: '';
  /** A bearer token: whoever has it may use it, so keep it out of logs (RFC 6750 §5.3). */
  readonly token: string;
}

/** A proof that the client knows the NT hash of a password ([MS-NLMP] §3.3.2). */
export interface NtlmCredentials {
  readonly mechanism: 'NTLM';
  readonly user: string;
  /** The domain or host that the client says it belongs to; part of the proof, and of no other meaning here. */
  readonly domain: string;
  readonly password?: undefined;
  readonly authorizeAs: '';
  /** Whether the client knows the password that has this NT hash, of 16 octets; takes the same time for any. */
  provesHash(ntHash: Buffer): boolean;
}

/** The claim to be somebody whom other means have authenticated: a certificate, the network (RFC 4422 §A). */
export interface ExternalCredentials {
  readonly mechanism: 'EXTERNAL';
  /** Empty: who it is follows from those means alone. */
  readonly user: '';
  readonly password?: undefined;
  /** Authorization identity; empty: that of those means. */
  readonly authorizeAs: string;
  /** What the client showed in the handshake, and has the key of; who issued it was not looked at. */
  readonly certificate?: ClientCertificate;
}

/** The word of a client that it is nobody; whoever lets it in must not let it send to others (RFC 4505 §2). */
export interface AnonymousCredentials {
  readonly mechanism: 'ANONYMOUS';
  readonly user: '';
  readonly password?: undefined;
  readonly authorizeAs: '';
  /** A mail address, or a word, that it left behind; proves nothing. */
  readonly trace: string;
}

/** What a client proved or claims by SASL (RFC 4422 §2). */
export type Credentials =
  | PasswordCredentials
  | DigestCredentials
  | ScramCredentials
  | TokenCredentials
  | NtlmCredentials
  | AnonymousCredentials
  | ExternalCredentials;

/** Whose keys an exchange needs before it can go on (RFC 5802 §3). */
export interface KeyRequest {
  readonly user: string;
  readonly hash: ScramHash;
}

/** What a server does after a message of the client. */
export type ServerStep =
  | { readonly kind: 'challenge'; readonly bytes: Buffer }
  /** A challenge that is no base64 but words ([MS-SMTPNTLM] §2.2.1). */
  | { readonly kind: 'prompt'; readonly text: string }
  | { readonly kind: 'keys'; readonly request: KeyRequest }
  | { readonly kind: 'verify'; readonly credentials: Credentials }
  /**
   * The message is malformed; or one came with the command, where the server speaks first (RFC 4954 §4); or, whoever the
   * client is, it is not let in.
   */
  | { readonly kind: 'malformed' | 'early' | 'refused' };

/** The server's side of one exchange (RFC 4422 §3). */
export interface ServerExchange {
  /** The first step: undefined as initial response means that none came. */
  begin(initial: Buffer | undefined): ServerStep;
  next(message: Buffer): ServerStep;
  /** Goes on behind the step `keys`; undefined: there are none, and it goes on as if there were. */
  take?(keys: ScramKeys | undefined): ServerStep;
  /** What is said before the verdict, as a challenge of its own, since the reply itself carries nothing (RFC 4954 §4). */
  lastWord?(accepted: boolean): Buffer | undefined;
}

/** The client's side of one exchange (RFC 4422 §3). */
export interface ClientExchange {
  /** Goes with the AUTH command; undefined for mechanisms in which the server speaks first. */
  readonly initial: Buffer | undefined;
  /** Answers a challenge; undefined cancels. */
  next(challenge: Buffer): Buffer | undefined;
  /** False as long as a host that says yes has not yet proved that it knows the user; absent: it never does (RFC 5802 §5). */
  readonly isMutual?: boolean;
}

/** What a client logs in with. */
export interface Login {
  /** Authentication identity; empty where other means say who it is. */
  readonly user: string;
  /** The password, or the token. */
  readonly password: string;
  /** Authorization identity; empty: the same as `user` (RFC 4616 §2). */
  readonly authorizeAs: string;
}

interface NamedMechanism {
  /** Upper case. */
  readonly name: string;
  /** Whether it shows the password, or the token, to whoever reads along, so that it needs TLS (RFC 4954 §4). */
  readonly revealsPassword: boolean;
  /** Whether a server offers it within TLS alone all the same: passwords can be tried against what is overheard (RFC 5802 §9). */
  readonly needsTls?: boolean;
  /** Whether it is of use only where the TLS connection itself can be named (RFC 5802 §6). */
  readonly needsBinding?: boolean;
}

/** A mechanism as a server knows it (RFC 4422 §4). */
export interface ServerMechanism extends NamedMechanism {
  /** Without a channel: outside of TLS. */
  server(channel?: Channel): ServerExchange;
}

/** A mechanism as a client knows it (RFC 4422 §4). */
export interface ClientMechanism extends NamedMechanism {
  /** Without a channel: outside of TLS. */
  client(login: Login, channel?: Channel): ClientExchange;
}

/** A mechanism, both sides (RFC 4422 §4). */
export interface Mechanism extends ServerMechanism, ClientMechanism {}
