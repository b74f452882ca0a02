import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocketOptions } from 'node:tls';
import { Failure } from '../failure/failure.ts';

/** A certificate with its chain, and its private key, both PEM. */
export interface Certificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly passphrase?: string;
}

/** What a server proves itself with. */
export interface TlsSettings extends Certificate {
  /** Certificates for clients that ask for a name; `*.example.org` stands for one label (RFC 6066 §3). */
  readonly names?: Readonly<Record<string, Certificate>>;
  /** Default: 1.2; nothing older is ever spoken (RFC 8996 §4, RFC 8996 §5). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** What every handshake of a server uses; made once, and made anew when certificates change. */
export type ServerTls = Pick<TLSSocketOptions, 'secureContext' | 'SNICallback' | 'ALPNCallback'>;

/** Reads certificates and keys; throws Failure `tls` for what cannot be used (RFC 8996 §4, RFC 9325 §3). */
export function openServerTls(settings: TlsSettings): ServerTls {
  const { minVersion = 'TLSv1.2' } = settings;
  const byDefault = openContext(settings, { name: 'default', minVersion });
  const named = new Map<string, SecureContext>();
  for (const [name, certificate] of Object.entries(settings.names ?? {})) {
    named.set(name.toLowerCase(), openContext(certificate, { name, minVersion }));
  }
  return {
    secureContext: byDefault,
    // A name that is not known gets the default: mail clients often ask for one of many names (RFC 7672 §8.1).
    SNICallback: (name, done) => done(null, findContext(named, name.toLowerCase()) ?? byDefault),
    // A client that speaks another protocol on purpose is not led on (RFC 9325 §3.8).
    ALPNCallback: ({ protocols }) => protocols.find((protocol) => protocol === 'smtp' || protocol === 'esmtp'),
  };
}

function findContext(named: ReadonlyMap<string, SecureContext>, name: string): SecureContext | undefined {
  return named.get(name) ?? named.get(`*${name.slice(name.indexOf('.'))}`);
}

interface ContextWishes {
  /** For the message of a failure. */
  readonly name: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

function openContext({ cert, key, passphrase }: Certificate, { name, minVersion }: ContextWishes): SecureContext {
  if (cert.length === 0 || key.length === 0) throw new Failure('tls', `The certificate or key (${name}) is empty`);
  try {
    return createSecureContext({
      cert,
      key,
      ...(passphrase === undefined ? {} : { passphrase }),
      minVersion,
      honorCipherOrder: true,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      // Without one, a session that is taken up again fails where a certificate is asked for.
      sessionIdContext: 'smtp',
    });
  } catch (cause) {
    throw new Failure('tls', `The certificate or key (${name}) cannot be used`, cause);
  }
}
