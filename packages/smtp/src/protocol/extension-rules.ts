/** Extensions that are served only where somebody keeps what they promise; each is offered on the roles it is meant for. */
export interface ExtensionRules {
  /** DELIVERBY, but not in LMTP. `minimum`: seconds below which mode R is refused; default: any time will do (RFC 2852 §4). */
  readonly deliverBy?: { readonly minimum?: number };
  /** FUTURERELEASE, on submission alone. `longest`: seconds that a message may be held, 1 to 999,999,999 (RFC 4865 §3). */
  readonly futureRelease?: { readonly longest: number };
  /** MT-PRIORITY. `policy`: the name of what the levels mean; default: it is not told (RFC 6710 §3). */
  readonly priority?: { readonly policy?: string };
  /** NO-SOLICITING, but not in LMTP. `refused`: classes of solicitation that are refused; default: none (RFC 3865 §2.2). */
  readonly noSoliciting?: { readonly refused?: readonly string[] };
  /** RRVS, but not in LMTP (RFC 7293 §3.1). */
  readonly rrvs?: boolean;
  /** REQUIRETLS, within TLS (RFC 8689 §2). */
  readonly requireTls?: boolean;
  /** MTRK (RFC 3885 §2). */
  readonly tracking?: boolean;
  /** CHECKPOINT, but not in LMTP (RFC 1845 §2). */
  readonly checkpoint?: boolean;
  /** SEND, SOML and SAML, but not in LMTP: mail that is shown on terminals (RFC 821 §3.4, RFC 5321 §F.6). */
  readonly terminals?: boolean;
}
