import { formatCommand } from '../command/format-command.ts';
import { isPermanent, isPositive, type Reply } from '../reply/reply.ts';
import type { BindingOf } from '../sasl/channel.ts';
import type { ClientMechanism, Login } from '../sasl/mechanism.ts';
import { ClientAuthentication } from './client-authentication.ts';
import { type Capabilities, noCapabilities, parseCapabilities } from './client-capabilities.ts';

/** What a client does between the greeting and its first transaction. */
export interface SetupOptions {
  readonly protocol: 'smtp' | 'lmtp';
  /** The domain or literal for EHLO or LHLO (RFC 5321 §4.1.4). */
  readonly name: string;
  /** `require` ends the session when there is no STARTTLS, `try` goes on in clear text (RFC 3207 §4). */
  readonly startTls: 'require' | 'try' | 'no';
  readonly login?: Login;
  /** Mechanisms in the order of preference. */
  readonly mechanisms: readonly ClientMechanism[];
  /** Lets a password go where others may read it (RFC 4954 §4). */
  readonly cleartextAuth: boolean;
  /** Whether no mechanism at all goes where others may read it: guesses can be tried against what they read (RFC 5802 §9). */
  readonly privateAuth?: boolean;
  /** What names the connection, when it is within TLS from the beginning (RFC 5802 §6). */
  readonly binding?: BindingOf;
}

/** How far the channel keeps others out: `verified` when the certificate is that of the named host (RFC 4954 §14). */
export type Privacy = 'clear' | 'encrypted' | 'verified';

/** What the host does not offer and the client cannot do without. */
export type Lack = 'STARTTLS' | 'AUTH' | 'a private channel' | 'proof of the host';

/** What to do next. */
export type SetupStep =
  | { readonly kind: 'send'; readonly phase: 'hello' | 'tls' | 'auth'; readonly line: string }
  | { readonly kind: 'handshake' | 'ready' }
  | {
      readonly kind: 'refused';
      readonly phase: 'greeting' | 'hello' | 'tls' | 'auth';
      readonly reply?: Reply;
      readonly lack?: Lack;
    };

type State = 'greeting' | 'hello' | 'helo' | 'tls' | 'handshake' | 'auth' | 'ready';

/**
 * Greeting → EHLO (or HELO) → STARTTLS → handshake → EHLO again → AUTH → ready. Nothing learned in clear text lives on
 * behind the handshake (RFC 3207 §4.2).
 */
export class ClientSetup {
  greeting: Reply | undefined;
  capabilities: Capabilities = noCapabilities({ code: 220, lines: [''] });
  privacy: Privacy;
  readonly #options: SetupOptions;
  #state: State = 'greeting';
  #authentication: ClientAuthentication | undefined;
  #binding: BindingOf | undefined;

  constructor(options: SetupOptions, privacy: Privacy) {
    this.#options = options;
    this.privacy = privacy;
    this.#binding = options.binding;
  }

  /** Whether the host delivers what it takes, and passes nothing on (RFC 2033 §1). */
  get isLast(): boolean {
    return this.#options.protocol === 'lmtp';
  }

  /** What the wait is for. */
  get phase(): 'greeting' | 'hello' | 'tls' | 'auth' {
    switch (this.#state) {
      case 'greeting':
      case 'tls':
      case 'auth':
        return this.#state;
      case 'handshake':
        return 'tls';
      default:
        return 'hello';
    }
  }

  /** What follows the reply to what was sent last; the greeting is the first. */
  answer(reply: Reply): SetupStep {
    switch (this.#state) {
      case 'greeting':
        this.greeting = reply;
        return isPositive(reply) ? this.#hello() : { kind: 'refused', phase: 'greeting', reply };
      case 'hello':
      case 'helo':
        return this.#afterHello(reply);
      case 'tls':
        return this.#afterStartTls(reply);
      default:
        return this.#afterAuth(reply);
    }
  }

  /** Goes on behind the handshake as if nothing had been said (RFC 3207 §4.2). */
  secured(verified: boolean, binding?: BindingOf): SetupStep {
    this.#binding = binding;
    this.privacy = verified ? 'verified' : 'encrypted';
    this.capabilities = noCapabilities({ code: 220, lines: [''] });
    return this.#hello();
  }

  #hello(): SetupStep {
    const { protocol, name } = this.#options;
    this.#state = 'hello';
    return { kind: 'send', phase: 'hello', line: formatCommand({ verb: protocol === 'lmtp' ? 'LHLO' : 'EHLO', name }) };
  }

  #afterHello(reply: Reply): SetupStep {
    if (isPositive(reply)) {
      this.capabilities = this.#state === 'helo' ? noCapabilities(reply) : parseCapabilities(reply);
      return this.#secure();
    }
    // 521 and 554 refuse all service, not the word EHLO (RFC 7504 §4).
    const unknown = isPermanent(reply) && reply.code !== 521 && reply.code !== 554;
    if (!unknown || this.#state === 'helo' || this.#options.protocol === 'lmtp') {
      return { kind: 'refused', phase: 'hello', reply };
    }
    this.#state = 'helo';
    return { kind: 'send', phase: 'hello', line: formatCommand({ verb: 'HELO', name: this.#options.name }) };
  }

  #secure(): SetupStep {
    const { startTls } = this.#options;
    if (this.privacy !== 'clear' || startTls === 'no') return this.#authenticate();
    if (this.capabilities.offered.has('STARTTLS')) {
      this.#state = 'tls';
      return { kind: 'send', phase: 'tls', line: 'STARTTLS' };
    }
    return startTls === 'require' ? { kind: 'refused', phase: 'tls', lack: 'STARTTLS' } : this.#authenticate();
  }

  #afterStartTls(reply: Reply): SetupStep {
    if (isPositive(reply)) {
      this.#state = 'handshake';
      return { kind: 'handshake' };
    }
    return this.#options.startTls === 'require' ? { kind: 'refused', phase: 'tls', reply } : this.#authenticate();
  }

  #authenticate(): SetupStep {
    const { login, mechanisms, cleartextAuth, privateAuth } = this.#options;
    if (login === undefined) return this.#ready();
    const offered = this.capabilities.mechanisms;
    const common = mechanisms.filter(({ name, needsBinding }) => {
      return offered.includes(name) && (needsBinding !== true || this.#binding !== undefined);
    });
    const isPrivate = this.privacy === 'verified' || cleartextAuth;
    const safe = common.filter(({ revealsPassword }) => isPrivate || (!revealsPassword && privateAuth !== true));
    if (safe.length === 0) {
      return { kind: 'refused', phase: 'auth', lack: common.length === 0 ? 'AUTH' : 'a private channel' };
    }
    this.#state = 'auth';
    const channel = { offered, ...(this.#binding === undefined ? {} : { binding: this.#binding }) };
    this.#authentication = new ClientAuthentication(login, safe, channel);
    return { kind: 'send', phase: 'auth', line: this.#authentication.begin() };
  }

  #afterAuth(reply: Reply): SetupStep {
    const step = this.#authentication?.next(reply);
    if (step === undefined || step.kind === 'accepted') return this.#ready();
    if (step.kind === 'unproven') return { kind: 'refused', phase: 'auth', lack: 'proof of the host' };
    return step.kind === 'send' ? { ...step, phase: 'auth' } : { kind: 'refused', phase: 'auth', reply: step.reply };
  }

  #ready(): SetupStep {
    this.#state = 'ready';
    return { kind: 'ready' };
  }
}
