import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { Admission, type AdmissionLimits } from './admission.ts';
import type { Application } from './application.ts';
import type { Connection, ConnectionHost } from './connection-host.ts';
import { type Endpoint, endpointOf } from './endpoint.ts';
import type { AnyEvent, ServedSession } from './served-session.ts';
import { ServerConnection } from './server-connection.ts';
import type { ServerTls } from './server-tls.ts';
import { takeProxyHeader } from './take-proxy-header.ts';
import { tlsStateOf } from './tls-state.ts';
import { openUnixSocket } from './unix-socket.ts';

/** Where a listener listens: a TCP port (0 for any) on a host (all by default), or a UNIX socket. */
export type ListenAddress = { readonly host?: string; readonly port: number } | { readonly path: string };

/** What becomes of a connection of one listener. */
export interface Service<E extends AnyEvent, A, S extends ServedSession<E, A>> {
  /** Milliseconds that a client may be silent, and that a session may last. */
  readonly limits: { readonly idleTime: number; readonly sessionTime: number };
  /** Whether TLS begins with the first octet (RFC 8314 §3). */
  readonly implicitTls: boolean;
  /** Whether the handshake asks the client for a certificate; any is taken, and none as well (RFC 8446 §4.3.2). */
  readonly asksForCertificate?: boolean;
  /** Peers that speak the PROXY protocol; all others are what they seem (PROXY protocol §5). */
  readonly isProxy?: (address: string) => boolean;
  session(now: number): S;
  application(session: S, endpoint: Endpoint): Application<E, A>;
  /** What answers a client that finds too many others here, or a fault of ours. */
  turnAway(why: 'connections' | 'fault'): Application<E, A>;
}

/** What a host keeps to. */
export interface HostOptions {
  readonly limits: AdmissionLimits;
  readonly tls: ServerTls | undefined;
  /** Milliseconds that a question may take. */
  readonly handlerTime: number;
  report(error: unknown): void;
}

/** How often overdue sessions are looked for, at the most, in milliseconds: precise enough for minutes, and cheap. */
const tickTime = 500;

/** Holds listeners and their connections, and the one timer that watches all deadlines. */
export class ServerHost implements ConnectionHost {
  tls: ServerTls | undefined;
  readonly handlerTime: number;
  readonly report: (error: unknown) => void;
  readonly #admission: Admission;
  readonly #connections = new Map<Connection, string>();
  readonly #servers = new Set<Server>();
  readonly #arriving = new Set<Duplex>();
  #timer: NodeJS.Timeout | undefined;
  #closing = false;
  #emptied: (() => void) | undefined;

  constructor(options: HostOptions) {
    this.tls = options.tls;
    this.handlerTime = options.handlerTime;
    this.report = options.report;
    this.#admission = new Admission(options.limits);
  }

  get connections(): number {
    return this.#connections.size;
  }

  now(): number {
    return performance.now();
  }

  /** Listens until `close`; rejects as `net.Server` does when that cannot be. */
  async listen<E extends AnyEvent, A, S extends ServedSession<E, A>>(
    address: ListenAddress,
    service: Service<E, A, S>,
  ): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      // A client that is gone already has no address, and must not be taken for a local one.
      if ('port' in address && socket.remoteAddress === undefined) socket.destroy();
      else this.#arrive(socket, service);
    });
    if ('path' in address) await openUnixSocket(server, address.path);
    else await open(server, address);
    server.on('error', this.report);
    this.#servers.add(server);
    return server;
  }

  /** Serves one stream that something else has opened. */
  accept<E extends AnyEvent, A, S extends ServedSession<E, A>>(
    stream: Duplex,
    service: Service<E, A, S>,
    endpoint: Endpoint = endpointOf(stream),
  ): void {
    const { clientAddress } = endpoint;
    if (stream.destroyed) return;
    const verdict = this.#closing ? 'drop' : this.#admission.enter(clientAddress);
    if (verdict === 'drop') {
      stream.on('error', () => {}).destroy();
      if (!this.#closing) this.#admission.leave(clientAddress);
      return;
    }
    const session = service.session(this.now());
    // What came by a handshake of somebody else's is within TLS all the same.
    if (stream instanceof TLSSocket) session.secured(tlsStateOf(stream), this.now());
    const application = verdict === 'admit' ? this.#begin(service, session, endpoint) : service.turnAway('connections');
    const connection = new ServerConnection(this, stream, session, application);
    this.#connections.set(connection, clientAddress);
    this.#watch(service.limits);
    connection.start(service);
  }

  closed(connection: Connection): void {
    const address = this.#connections.get(connection);
    if (address === undefined) return;
    this.#connections.delete(connection);
    this.#admission.leave(address);
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#emptied?.();
  }

  /** Listens no more, lets transactions finish for `grace` milliseconds, and ends what is left then (RFC 5321 §3.8). */
  async close(grace: number): Promise<void> {
    this.#closing = true;
    const servers = [...this.#servers].map((server) => new Promise((resolve) => server.close(resolve)));
    this.#servers.clear();
    for (const stream of this.#arriving) stream.destroy();
    for (const connection of this.#connections.keys()) connection.drain();
    await this.#empty(grace);
    for (const connection of this.#connections.keys()) connection.abandon('shutdown');
    await this.#empty(lastWordTime);
    for (const connection of this.#connections.keys()) connection.destroy();
    await this.#empty(lastWordTime);
    await Promise.all(servers);
  }

  /** Waits until no connection is left, at most `time` milliseconds. */
  #empty(time: number): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, time);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** An application that cannot even begin is a fault of ours, not of the client. */
  #begin<E extends AnyEvent, A, S extends ServedSession<E, A>>(
    service: Service<E, A, S>,
    session: S,
    endpoint: Endpoint,
  ): Application<E, A> {
    try {
      return service.application(session, endpoint);
    } catch (error) {
      this.report(error);
      return service.turnAway('fault');
    }
  }

  #arrive<E extends AnyEvent, A, S extends ServedSession<E, A>>(socket: Socket, service: Service<E, A, S>): void {
    const endpoint = endpointOf(socket);
    if (service.isProxy?.(endpoint.clientAddress)) void this.#arriveByProxy(socket, service, endpoint);
    else this.accept(socket, service, endpoint);
  }

  async #arriveByProxy<E extends AnyEvent, A, S extends ServedSession<E, A>>(
    socket: Socket,
    service: Service<E, A, S>,
    proxy: Endpoint,
  ): Promise<void> {
    this.#arriving.add(socket);
    socket.on('error', () => {});
    const header = await takeProxyHeader(socket);
    this.#arriving.delete(socket);
    if (header === undefined) socket.destroy();
    else if (!socket.destroyed) this.accept(socket, service, header.endpoint ?? proxy);
  }

  #watch({ idleTime, sessionTime }: { readonly idleTime: number; readonly sessionTime: number }): void {
    if (this.#timer !== undefined) return;
    const shortest = Math.min(idleTime, sessionTime, this.handlerTime);
    const time = Math.max(5, Math.min(tickTime, shortest / 4));
    this.#timer = setInterval(() => this.#tick(), time).unref();
  }

  #tick(): void {
    const now = this.now();
    for (const connection of this.#connections.keys()) connection.tick(now);
  }
}

/** Milliseconds in which a client may take its last reply when all must end. */
const lastWordTime = 500;

function open(server: Server, { host, port }: { readonly host?: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
