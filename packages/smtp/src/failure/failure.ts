/** What went wrong outside of the protocol: one word per cause that a caller may act upon. */
export type FailureKind =
  | 'aborted'
  | 'timeout'
  | 'refused'
  | 'unreachable'
  | 'lost'
  | 'tls'
  | 'protocol'
  | 'authentication'
  | 'dns'
  | 'full'
  | 'storage'
  | 'limit'
  | 'invalid';

/**
 * The one exception class: a socket, name look-up, TLS handshake, disk or argument that failed; never a reply of the
 * far side, which is a value. Decide by `kind`, never by the text.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}
