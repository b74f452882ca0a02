import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Failure } from '../failure/failure.ts';
import { checkHostname } from '../net/check-hostname.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { proxyMatcher } from '../net/proxies.ts';
import { safely } from '../net/safely.ts';
import { ServerHost } from '../net/server-host.ts';
import { openServerTls, type TlsSettings } from '../net/server-tls.ts';
import { type SmtpService, smtpService } from '../net/smtp-service.ts';
import type { Role } from '../protocol/server-rules.ts';
import type { ServerSession } from '../protocol/server-session.ts';
import { checkExtensions } from './check-extensions.ts';
import { composeRules } from './compose-rules.ts';
import { Conversation } from './conversation.ts';
import { defaultLimits, type Listener, type ServerOptions } from './options.ts';
import { SessionView, type SessionViewOptions } from './session.ts';

export type { EtrnRequest } from '../command/turn-arguments.ts';
export type { ExtensionRules } from '../protocol/extension-rules.ts';
export type { Hello } from '../protocol/server-event.ts';
export type { Role } from '../protocol/server-rules.ts';
export type { AcceptedRecipient, Resumption, TextCommand, Transaction } from '../protocol/transaction.ts';
export type { Credentials, KeyRequest } from '../sasl/mechanism.ts';
export type { ScramKeys } from '../sasl/scram-keys.ts';
export type { FinalReplies, HandlerAnswer, ServerHandlers, TakeOver } from './handlers.ts';
export type { IncomingText } from './incoming-text.ts';
export type { MechanismName } from './mechanisms.ts';
export type { Listener, ServerLimits, ServerOptions } from './options.ts';
export type { Session } from './session.ts';

/** Where a listener came to listen. */
export type ListeningAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** A server that listens, or can. */
export interface Server<State = unknown> extends AsyncDisposable {
  /** Connections now. */
  readonly sessions: number;
  /** Listens until `close`. Rejects with Failure `invalid`, or with the system's error when it cannot. */
  listen(listener: Listener): Promise<ListeningAddress>;
  /**
   * Serves one stream that is open already: standard input and output, the end of a pair in memory, or a connection whose
   * roles were reversed. One within TLS counts as such. `state` is its `session.state`, instead of a new one.
   */
  acceptStream(
    stream: Duplex,
    service: { readonly role: Role; readonly endpoint?: Endpoint; readonly state?: State },
  ): void;
  /** Uses other certificates from the next handshake on; sessions go on. Throws Failure `tls`, and changes nothing then. */
  reload(change: { readonly tls: TlsSettings }): void;
  /** Listens no more; running transactions have `grace` milliseconds, 10 seconds by default, to end. */
  close(options?: { readonly grace?: number }): Promise<void>;
}

const defaultGrace = 10_000;

/** Makes a server; it listens when `listen` is called. Throws Failure `invalid` or `tls` for options that cannot be. */
export function createServer<State = unknown>(options: ServerOptions<State>): Server<State> {
  const limits = { ...defaultLimits, ...options.limits };
  const onError = safely(options.onError ?? ((error: unknown) => console.error(error)));
  const tls = options.tls === undefined ? undefined : openServerTls(options.tls);
  checkHostname(options.hostname);
  checkExtensions(options.extensions);
  if ((options.secret?.length ?? 32) < 32) throw new Failure('invalid', 'The secret needs 32 octets or more');
  const secret = options.secret ?? randomBytes(32);
  const host = new ServerHost({ limits, tls, handlerTime: limits.handlerTime, report: onError });
  const services = new Map<string, SmtpService>();

  function converse(session: ServerSession, view: SessionViewOptions<State>): Conversation<State> {
    return new Conversation(options.handlers, new SessionView(session, view), onError);
  }

  function serviceOf({
    role,
    requireTls = false,
    mechanisms,
    trusted = false,
    askForCertificate = false,
    earlyTalk,
  }: Pick<
    Listener,
    'role' | 'requireTls' | 'mechanisms' | 'trusted' | 'askForCertificate' | 'earlyTalk'
  >): SmtpService {
    const key = [role, requireTls, trusted, askForCertificate, earlyTalk, ...(mechanisms ?? ['usual'])].join(' ');
    let service = services.get(key);
    if (service === undefined) {
      service = smtpService({
        rules: composeRules(
          options,
          { role, requireTls, mechanisms, trusted, askForCertificate, earlyTalk, secret },
          limits,
        ),
        implicitTls: role === 'submissions',
        asksForCertificate: askForCertificate,
        application: (session, endpoint) => converse(session, { role, endpoint, state: options.state?.() as State }),
      });
      services.set(key, service);
    }
    checkRole(service, tls !== undefined);
    return service;
  }

  return {
    get sessions() {
      return host.connections;
    },
    async listen(listener) {
      if (listener.role === 'lmtp' && 'port' in listener && listener.port === 25) {
        throw new Failure('invalid', 'LMTP must not be served on port 25 (RFC 2033 §5)');
      }
      if (listener.trusted === true && 'port' in listener) {
        throw new Failure('invalid', 'Only a UNIX socket can be trusted: a port is open to strangers');
      }
      const service = serviceOf(listener);
      const proxies = listener.proxies && { isProxy: proxyMatcher(listener.proxies) };
      const server = await host.listen(listener, { ...service, ...proxies });
      const address = server.address() as AddressInfo | string;
      return typeof address === 'string' ? { path: address } : { host: address.address, port: address.port };
    },
    acceptStream(stream, { role, endpoint, ...given }) {
      const service = serviceOf({ role });
      const own = (session: ServerSession, ends: Endpoint) =>
        converse(session, { role, endpoint: ends, state: given.state as State });
      host.accept(stream, 'state' in given ? { ...service, application: own } : service, endpoint);
    },
    reload(change) {
      host.tls = openServerTls(change.tls);
    },
    close: ({ grace = defaultGrace } = {}) => host.close(grace),
    [Symbol.asyncDispose]: () => host.close(defaultGrace),
  };
}

function checkRole({ rules }: SmtpService, hasTls: boolean): void {
  const needsTls = rules.role === 'submissions' || rules.requireTls;
  if (needsTls && !hasTls) throw new Failure('invalid', `The role ${rules.role} needs a certificate`);
  if (rules.role === 'odmr' && !rules.atrn) throw new Failure('invalid', 'The role odmr needs the handler atrn');
  if (rules.requireAuth && rules.mechanisms.length === 0) {
    throw new Failure('invalid', `The role ${rules.role} needs the handler authenticate`);
  }
}
