/** A way to name a TLS connection so that an exchange within it holds good for no other (RFC 9266 §3, RFC 5929 §4). */
export type ChannelBinding = 'tls-exporter' | 'tls-server-end-point';

/** The octets that name a TLS connection; undefined for a type that it does not have. */
export type BindingOf = (type: ChannelBinding) => Buffer | undefined;

/** A certificate that a client showed in the handshake and has the key of; who issued it was not looked at. */
export interface ClientCertificate {
  /** SHA-256 over the whole of it, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** One `key=value` a line. */
  readonly subject: string;
  /** DER. */
  readonly raw: Buffer;
}

/** What an exchange may know of the connection that it runs on. */
export interface Channel {
  /** Absent outside of TLS. */
  readonly binding?: BindingOf;
  /** The names of all mechanisms that the server offers on it. */
  readonly offered: readonly string[];
  /** What the client showed, on the server's side. */
  readonly certificate?: ClientCertificate;
}

/** The type to use: the newer one names the connection, the older one the host's certificate alone (RFC 9266 §3). */
export function strongestBinding(binding: BindingOf | undefined): { type: ChannelBinding; bytes: Buffer } | undefined {
  for (const type of ['tls-exporter', 'tls-server-end-point'] as const) {
    const bytes = binding?.(type);
    if (bytes !== undefined) return { type, bytes };
  }
  return undefined;
}
