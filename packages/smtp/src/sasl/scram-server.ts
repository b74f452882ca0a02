import { timingSafeEqual } from 'node:crypto';
import type { Channel } from './channel.ts';
import type { ServerExchange, ServerMechanism, ServerStep } from './mechanism.ts';
import { prepareText } from './prepare.ts';
import { digest, hmac, inventKeys, type ScramHash, type ScramKeys } from './scram-keys.ts';
import { type ClientFirst, formatServerFirst, parseClientFinal, parseClientFirst } from './scram-message.ts';

/** What a server's SCRAM is made of. */
export interface ScramServerParts {
  readonly hash: ScramHash;
  /** Whether it holds good for this TLS connection alone: the mechanism whose name ends with `-PLUS` (RFC 5802 §6). */
  readonly plus: boolean;
  /** A fresh text that nobody can foresee: 18 octets or more, in base64. */
  readonly nextNonce: () => string;
  /** 32 octets or more that only the server knows: what users are invented from that there are none of. */
  readonly secret: Buffer;
}

const malformed: ServerStep = { kind: 'malformed' };
const refused: ServerStep = { kind: 'refused' };

/**
 * SCRAM on the server: it asks for the keys of the user, and goes on in the same way where there are none, so that only
 * the end tells (RFC 5802 §3, RFC 7677 §2).
 */
export function scramServer(parts: ScramServerParts): ServerMechanism {
  const name = `SCRAM-${parts.hash}${parts.plus ? '-PLUS' : ''}` as const;
  return {
    name,
    revealsPassword: false,
    needsTls: true,
    ...(parts.plus ? { needsBinding: true } : {}),
    server: (channel = { offered: [] }) => new ScramExchange(name, parts, channel),
  };
}

type ScramName = `SCRAM-${ScramHash}${'-PLUS' | ''}`;

class ScramExchange implements ServerExchange {
  readonly #name: ScramName;
  readonly #parts: ScramServerParts;
  readonly #channel: Channel;
  #first: ClientFirst | undefined;
  #user = '';
  #keys: ScramKeys | undefined;
  #isKnown = false;
  #challenge = '';
  #nonce = '';
  #signature: Buffer | undefined;

  constructor(name: ScramName, parts: ScramServerParts, channel: Channel) {
    this.#name = name;
    this.#parts = parts;
    this.#channel = channel;
  }

  begin(initial: Buffer | undefined): ServerStep {
    return initial === undefined ? { kind: 'challenge', bytes: Buffer.alloc(0) } : this.#readFirst(initial);
  }

  next(message: Buffer): ServerStep {
    return this.#first === undefined ? this.#readFirst(message) : this.#readFinal(this.#first, message);
  }

  take(keys: ScramKeys | undefined): ServerStep {
    const { hash, secret, nextNonce } = this.#parts;
    this.#isKnown = keys !== undefined;
    this.#keys = keys ?? inventKeys(hash, this.#user, secret);
    const { salt, iterations } = this.#keys;
    this.#nonce = `${this.#first?.nonce}${nextNonce()}`;
    this.#challenge = formatServerFirst({ nonce: this.#nonce, salt, iterations });
    return { kind: 'challenge', bytes: Buffer.from(this.#challenge) };
  }

  lastWord(accepted: boolean): Buffer | undefined {
    return accepted ? Buffer.from(`v=${this.#signature?.toString('base64')}`) : undefined;
  }

  #readFirst(message: Buffer): ServerStep {
    const first = parseClientFirst(message);
    const { hash, plus } = this.#parts;
    if (first === undefined || plus !== (typeof first.flag === 'object')) return malformed;
    // Somebody between the two took the stronger mechanism out of the offer (RFC 5802 §6).
    if (first.flag === 'y' && this.#channel.offered.includes(`${this.#name}-PLUS`)) return refused;
    if (typeof first.flag === 'object' && this.#bindingOf(first.flag.type) === undefined) return refused;
    const user = prepareText(first.user);
    if (user === undefined) return malformed;
    this.#first = first;
    this.#user = user;
    return { kind: 'keys', request: { user, hash } };
  }

  #bindingOf(type: string): Buffer | undefined {
    return type === 'tls-exporter' || type === 'tls-server-end-point' ? this.#channel.binding?.(type) : undefined;
  }

  #readFinal(first: ClientFirst, message: Buffer): ServerStep {
    const final = parseClientFinal(message);
    if (final === undefined || this.#keys === undefined) return malformed;
    const { hash } = this.#parts;
    const signed = `${first.bare},${this.#challenge},${final.withoutProof}`;
    const signature = hmac(hash, this.#keys.storedKey, signed);
    this.#signature = hmac(hash, this.#keys.serverKey, signed);
    const isKey =
      final.proof.length === signature.length &&
      timingSafeEqual(digest(hash, xor(final.proof, signature)), this.#keys.storedKey);
    const bound = typeof first.flag === 'object' ? (this.#bindingOf(first.flag.type) ?? refusedBinding) : nothing;
    const isBound = final.binding.equals(Buffer.concat([Buffer.from(first.header), bound]));
    const proven = isKey && isBound && final.nonce === this.#nonce && this.#isKnown;
    const { authorizeAs } = first;
    return { kind: 'verify', credentials: { mechanism: this.#name, user: this.#user, authorizeAs, proven } };
  }
}

const nothing = Buffer.alloc(0);
const refusedBinding = Buffer.from('\0');

/** Two texts of the same length, bit by bit. */
export function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((octet, index) => octet ^ (other[index] ?? 0)));
}
