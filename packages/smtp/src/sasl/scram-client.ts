import { timingSafeEqual } from 'node:crypto';
import { parseBase64 } from '../bytes/base64.ts';
import { parseUtf8 } from '../bytes/utf8.ts';
import { type Channel, strongestBinding } from './channel.ts';
import type { ClientExchange, ClientMechanism, Login } from './mechanism.ts';
import { prepareText } from './prepare.ts';
import { digest, hmac, type ScramHash, saltPassword } from './scram-keys.ts';
import { escapeName, parseServerFirst, type ServerFirst } from './scram-message.ts';
import { xor } from './scram-server.ts';

/** What a client's SCRAM is made of. */
export interface ScramClientParts {
  readonly hash: ScramHash;
  /** Whether it binds the login to the TLS connection: the mechanism whose name ends with `-PLUS` (RFC 5802 §6). */
  readonly plus: boolean;
  /** A fresh text that nobody can foresee: 18 octets or more, in base64. */
  readonly nextNonce: () => string;
}

/**
 * SCRAM on the client: neither password nor what is kept of it goes out, and the host has to prove that it has been told it
 * once (RFC 5802 §3, RFC 7677 §2).
 */
export function scramClient(parts: ScramClientParts): ClientMechanism {
  const salt = rememberLast(parts.hash);
  return {
    name: `SCRAM-${parts.hash}${parts.plus ? '-PLUS' : ''}`,
    revealsPassword: false,
    ...(parts.plus ? { needsBinding: true } : {}),
    client(login, channel = { offered: [] }) {
      const opening = openingOf(parts, login, channel);
      return opening === undefined ? hopeless : new ScramExchange(parts.hash, opening, salt);
    },
  };
}

/** What cannot be sent at all: it cancels. */
const hopeless: ClientExchange = { initial: undefined, next: () => undefined, isMutual: false };

interface Opening {
  readonly password: string;
  /** The flag and the identity to act as, and what they are bound to. */
  readonly header: string;
  readonly bound: Buffer;
  readonly nonce: string;
  readonly bare: string;
}

function openingOf({ plus, nextNonce }: ScramClientParts, login: Login, channel: Channel): Opening | undefined {
  const [user, password] = [login.user, login.password].map(prepareText);
  const binding = strongestBinding(channel.binding);
  if (user === undefined || password === undefined || login.authorizeAs.includes('\0')) return undefined;
  if (plus && binding === undefined) return undefined;
  // The host learns that it should have offered more, if somebody between took it out (RFC 5802 §6).
  const isAlone = binding !== undefined && !channel.offered.some((name) => name.endsWith('-PLUS'));
  const flag = plus ? `p=${binding?.type}` : isAlone ? 'y' : 'n';
  const nonce = nextNonce();
  return {
    password,
    header: `${flag},${login.authorizeAs === '' ? '' : `a=${escapeName(login.authorizeAs)}`},`,
    bound: plus && binding !== undefined ? binding.bytes : Buffer.alloc(0),
    nonce,
    bare: `n=${escapeName(user)},r=${nonce}`,
  };
}

type Salting = (password: string, first: ServerFirst) => Buffer;

class ScramExchange implements ClientExchange {
  readonly initial: Buffer;
  isMutual = false;
  readonly #hash: ScramHash;
  readonly #opening: Opening;
  readonly #salt: Salting;
  #turn: 'initial' | 'first' | 'final' | 'over' = 'initial';
  #signature: Buffer | undefined;

  constructor(hash: ScramHash, opening: Opening, salt: Salting) {
    this.#hash = hash;
    this.#opening = opening;
    this.#salt = salt;
    this.initial = Buffer.from(`${opening.header}${opening.bare}`);
  }

  next(challenge: Buffer): Buffer | undefined {
    // An empty challenge asks for what went out with the command, or could not.
    if (challenge.length === 0 && this.#turn === 'initial') {
      this.#turn = 'first';
      return this.initial;
    }
    const text = parseUtf8(challenge) ?? '';
    if (this.#turn === 'final') return this.#verify(text);
    const isFirst = this.#turn === 'initial' || this.#turn === 'first';
    this.#turn = 'over';
    const first = isFirst ? parseServerFirst(text) : undefined;
    return first === undefined ? undefined : this.#prove(text, first);
  }

  #prove(text: string, first: ServerFirst): Buffer | undefined {
    const { nonce, header, bound, bare, password } = this.#opening;
    // A nonce that is ours alone is one that somebody heard before.
    if (!first.nonce.startsWith(nonce) || first.nonce.length === nonce.length) return undefined;
    const binding = Buffer.concat([Buffer.from(header), bound]).toString('base64');
    const withoutProof = `c=${binding},r=${first.nonce}`;
    const signed = `${bare},${text},${withoutProof}`;
    const hash = this.#hash;
    const salted = this.#salt(password, first);
    const clientKey = hmac(hash, salted, 'Client Key');
    const proof = xor(clientKey, hmac(hash, digest(hash, clientKey), signed));
    this.#signature = hmac(hash, hmac(hash, salted, 'Server Key'), signed);
    this.#turn = 'final';
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  #verify(text: string): Buffer | undefined {
    this.#turn = 'over';
    const shown = text.startsWith('v=') ? parseBase64(text.slice(2).split(',', 1)[0] ?? '') : undefined;
    const expected = this.#signature;
    if (shown === undefined || expected === undefined || shown.length !== expected.length) return undefined;
    if (!timingSafeEqual(shown, expected)) return undefined;
    this.isMutual = true;
    return Buffer.alloc(0);
  }
}

/** Salting takes milliseconds, and many connections log in as the same user: the last one is remembered (RFC 5802 §5.1). */
function rememberLast(hash: ScramHash): Salting {
  let last: { key: string; salted: Buffer } | undefined;
  return (password, { salt, iterations }) => {
    const key = `${iterations}:${salt.toString('base64')}:${password}`;
    if (last?.key !== key) last = { key, salted: saltPassword(hash, password, { salt, iterations }) };
    return last.salted;
  };
}
