import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Failure } from '../failure/failure.ts';
import type { MtqpReply } from '../mtqp/mtqp-reply.ts';
import { type MtqpLimits, type MtqpQuestion, MtqpServerSession } from '../mtqp/mtqp-server-session.ts';
import type { AdmissionLimits } from '../net/admission.ts';
import { certifiedNames } from '../net/certified-names.ts';
import { checkHostname } from '../net/check-hostname.ts';
import { proxyMatcher } from '../net/proxies.ts';
import { safely } from '../net/safely.ts';
import { type ListenAddress, ServerHost, type Service } from '../net/server-host.ts';
import { openServerTls, type TlsSettings } from '../net/server-tls.ts';
import { type QueryHandler, type TlsJudge, TrackingConversation, turnAway } from './tracking-conversation.ts';

/** All that a tracking server bounds; what is left out has a default. */
export interface TrackingLimits extends MtqpLimits, AdmissionLimits {
  /** Milliseconds that the handler may take; under two minutes, also where it asks others (RFC 3887 §2.4). */
  readonly handlerTime: number;
}

/** A tracking server: what it is called, what it proves itself with, what it knows. */
export interface TrackingServerOptions {
  /** The name it greets with: a domain or an address literal. */
  readonly hostname: string;
  /** Says what is known of a message. */
  readonly track: QueryHandler;
  /** Without it there is no STARTTLS (RFC 3887 §6). */
  readonly tls?: TlsSettings;
  /** Whether the TLS that came about is good enough; by default any is that TLS 1.2 and its ciphers allow (RFC 3887 §6.1). */
  readonly acceptsTls?: TlsJudge;
  readonly limits?: Partial<TrackingLimits>;
  /** Is told of every exception of the handler; by default it goes to standard error. */
  readonly onError?: (error: unknown) => void;
}

/** Where to listen. */
export type TrackingListener = ListenAddress & {
  /** Whether queries wait for TLS (RFC 3887 §3). */
  readonly requireTls?: boolean;
  /** Networks whose connections begin with a PROXY header: `10.0.0.0/8`, `::1` (PROXY protocol §5). */
  readonly proxies?: readonly string[];
};

/** A tracking server that listens, or can. */
export interface TrackingServer extends AsyncDisposable {
  /** Connections now. */
  readonly sessions: number;
  /** Listens until `close`. Rejects with Failure `invalid`, or with the system's error when it cannot. */
  listen(
    listener: TrackingListener,
  ): Promise<{ readonly host: string; readonly port: number } | { readonly path: string }>;
  /** Serves one stream that is open already. */
  acceptStream(stream: Duplex): void;
  /** Uses other certificates from the next session on. Throws Failure `tls`, and changes nothing then. */
  reload(change: { readonly tls: TlsSettings }): void;
  /** Listens no more; queries under way have `grace` milliseconds, 10 seconds by default, to end. */
  close(options?: { readonly grace?: number }): Promise<void>;
}

const minute = 60_000;
const defaultGrace = 10_000;

const defaultLimits: TrackingLimits = {
  connections: 1000,
  connectionsPerAddress: 20,
  idleTime: 10 * minute,
  sessionTime: 60 * minute,
  commands: 1000,
  errors: 20,
  handlerTime: 110_000,
};

/** Makes a server for tracking queries; it listens when `listen` is called. Throws Failure `invalid` or `tls` (RFC 3887 §2). */
export function createTrackingServer(options: TrackingServerOptions): TrackingServer {
  const { hostname, track, acceptsTls } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const onError = safely(options.onError ?? ((error: unknown) => console.error(error)));
  checkHostname(hostname);
  let names = options.tls === undefined ? undefined : certifiedNames(options.tls);
  const tls = options.tls === undefined ? undefined : openServerTls(options.tls);
  const host = new ServerHost({ limits, tls, handlerTime: limits.handlerTime, report: onError });

  function serviceOf(requireTls: boolean): Service<MtqpQuestion, MtqpReply | undefined, MtqpServerSession> {
    if (requireTls && tls === undefined) throw new Failure('invalid', 'TLS that is required needs a certificate');
    const startTls = tls === undefined ? 'no' : requireTls ? 'required' : 'offered';
    const rules = { hostname, startTls, limits } as const;
    return {
      limits,
      implicitTls: false,
      session: (now) => new MtqpServerSession(rules, now),
      application: (session, { clientAddress }) =>
        new TrackingConversation({
          session,
          clientAddress,
          track,
          acceptsTls,
          onError,
          isOurName: (name) => names?.(name) === true,
        }),
      turnAway,
    };
  }

  return {
    get sessions() {
      return host.connections;
    },
    async listen({ requireTls = false, proxies, ...address }) {
      const service = serviceOf(requireTls);
      const networks = proxies && { isProxy: proxyMatcher(proxies) };
      const server = await host.listen(address, { ...service, ...networks });
      const bound = server.address() as AddressInfo | string;
      return typeof bound === 'string' ? { path: bound } : { host: bound.address, port: bound.port };
    },
    acceptStream: (stream) => host.accept(stream, serviceOf(false)),
    reload(change) {
      const changed = openServerTls(change.tls);
      names = certifiedNames(change.tls);
      host.tls = changed;
    },
    close: ({ grace = defaultGrace } = {}) => host.close(grace),
    [Symbol.asyncDispose]: () => host.close(defaultGrace),
  };
}
