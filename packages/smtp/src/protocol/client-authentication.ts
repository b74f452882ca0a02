import { parseBase64 } from '../bytes/base64.ts';
import { formatCommand } from '../command/format-command.ts';
import type { Reply } from '../reply/reply.ts';
import type { Channel } from '../sasl/channel.ts';
import type { ClientExchange, ClientMechanism, Login } from '../sasl/mechanism.ts';

/** The next line of an AUTH exchange, or its end with the reply that gave it. */
export type AuthStep =
  | { readonly kind: 'send'; readonly line: string }
  | { readonly kind: 'accepted' | 'refused'; readonly reply: Reply }
  /** The host says yes, or went on, without the proof of itself that the mechanism wants. */
  | { readonly kind: 'unproven' };

/** Octets of the longest line of an exchange, CRLF counted (RFC 4954 §4). */
const longestLine = 12_288;

/** One AUTH exchange as the client sees it; mechanisms that the host finds too weak or does not know are passed over (RFC 4954 §4). */
export class ClientAuthentication {
  readonly #login: Login;
  readonly #mechanisms: ClientMechanism[];
  readonly #channel: Channel | undefined;
  #exchange: ClientExchange | undefined;
  #cancelled = false;

  /** `mechanisms` are tried in order; at least one. */
  constructor(login: Login, mechanisms: readonly ClientMechanism[], channel?: Channel) {
    this.#channel = channel;
    this.#login = login;
    this.#mechanisms = [...mechanisms];
  }

  /** The AUTH command (RFC 4954 §4). */
  begin(): string {
    const mechanism = this.#mechanisms.shift();
    if (mechanism === undefined) throw new RangeError('no mechanism is left');
    this.#exchange = mechanism.client(this.#login, this.#channel);
    const first = this.#exchange.initial;
    if (first === undefined) return formatCommand({ verb: 'AUTH', mechanism: mechanism.name });
    const initial = first.length === 0 ? '=' : first.toString('base64');
    const line = formatCommand({ verb: 'AUTH', mechanism: mechanism.name, initial });
    // What is too long for the command goes with the first challenge.
    return line.length + 2 <= longestLine ? line : formatCommand({ verb: 'AUTH', mechanism: mechanism.name });
  }

  /** What follows a reply (RFC 4954 §4). */
  next(reply: Reply): AuthStep {
    // A host that goes on asking after `*` could do so for ever.
    if (reply.code === 334 && !this.#cancelled) return { kind: 'send', line: this.#answer(reply) };
    // Whoever only says yes may be anybody, and would get the mail.
    if (reply.code < 300)
      return this.#exchange?.isMutual === false ? { kind: 'unproven' } : { kind: 'accepted', reply };
    const passOver = (reply.code === 504 || reply.code === 534) && this.#mechanisms.length > 0;
    return passOver ? { kind: 'send', line: this.begin() } : { kind: 'refused', reply };
  }

  /** A challenge that is no base64, or that the mechanism cannot answer, cancels the exchange (RFC 4954 §4). */
  #answer(reply: Reply): string {
    const challenge = reply.lines.length > 1 ? undefined : parseBase64(reply.lines[0] ?? '');
    const answer = challenge === undefined ? undefined : this.#exchange?.next(challenge);
    this.#cancelled = answer === undefined;
    return answer === undefined ? '*' : answer.toString('base64');
  }
}
