import type { Endpoint } from '../net/endpoint.ts';
import type { TlsState } from '../protocol/dialogue.ts';
import type { Hello } from '../protocol/server-event.ts';
import type { Role } from '../protocol/server-rules.ts';
import type { ServerSession } from '../protocol/server-session.ts';
import type { Reply } from '../reply/reply.ts';

/** What is known about a session; the same object through all of its handlers. */
export interface Session<State = unknown> {
  /** Unique within the process. */
  readonly id: string;
  readonly role: Role;
  /** After PROXY protocol; `local` for UNIX sockets and standard input. */
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Set once TLS is active. */
  readonly tls?: TlsState | undefined;
  /** The last accepted HELO, EHLO or LHLO; none since TLS began. */
  readonly hello?: Hello | undefined;
  /** The authenticated identity. */
  readonly login?: string | undefined;
  /** Negative replies so far, and the first of them. */
  readonly faults: number;
  readonly firstFault?: Reply | undefined;
  /** Free for the application; from `state()` when the session begins. */
  state: State;
}

/** What an application's view of a session is made of. */
export interface SessionViewOptions<State> {
  readonly role: Role;
  readonly endpoint: Endpoint;
  readonly state: State;
}

let count = 0;

/** Shows an application its session, as it stands each time it is looked at. */
export class SessionView<State> implements Session<State> {
  readonly id: string;
  state: State;
  readonly #session: ServerSession;
  readonly #role: Role;
  readonly #endpoint: Endpoint;

  constructor(session: ServerSession, { role, endpoint, state }: SessionViewOptions<State>) {
    count += 1;
    this.id = count.toString(36);
    this.state = state;
    this.#session = session;
    this.#role = role;
    this.#endpoint = endpoint;
  }

  get role(): Role {
    return this.#role;
  }

  get clientAddress(): string {
    return this.#endpoint.clientAddress;
  }

  get clientPort(): number {
    return this.#endpoint.clientPort;
  }

  get localAddress(): string {
    return this.#endpoint.localAddress;
  }

  get localPort(): number {
    return this.#endpoint.localPort;
  }

  get tls(): TlsState | undefined {
    return this.#session.tls;
  }

  get hello(): Hello | undefined {
    return this.#session.hello;
  }

  get login(): string | undefined {
    return this.#session.login;
  }

  get faults(): number {
    return this.#session.faults;
  }

  get firstFault(): Reply | undefined {
    return this.#session.firstFault;
  }
}
