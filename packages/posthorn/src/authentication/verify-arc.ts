import type { HeaderField } from '@posthorn/smtp/message/header';
import { type ArcChain, type ArcSet, readArcChain } from './arc-chain.ts';
import type { BodyDigest, BodyDigests } from './body-digest.ts';
import { canonicalField, chooseFields, signedText, withoutSignature } from './canonical-field.ts';
import type { Lookups } from './lookups.ts';
import { findKey, isSignedBy } from './public-key.ts';
import { type MessageSignature, parseMessageSignature, parseSignatureFacts, timeFault } from './signature-field.ts';

/** What a chain is worth (RFC 8617 §4.4). */
export interface ArcResult {
  /** `temperror`: a key cannot be looked up now, and nothing is said of the chain. */
  readonly result: 'none' | 'pass' | 'fail' | 'temperror';
  readonly reason?: string;
  /** Sets that the message has. */
  readonly sets: number;
  /** Who sealed last. */
  readonly domain?: string;
}

interface Last {
  readonly set: ArcSet;
  readonly signature: MessageSignature;
  readonly body: BodyDigest;
}

/** Looks at the chain of a message: made when its header is there, asked when its body is through (RFC 8617 §5.2). */
export class ArcVerification {
  readonly #fields: readonly HeaderField[];
  readonly #chain: ArcChain;
  readonly #last: Last | string | undefined;

  /** `digests` get the body; `now` in milliseconds since the epoch. */
  constructor(fields: readonly HeaderField[], digests: BodyDigests, now: number) {
    this.#fields = fields;
    this.#chain = readArcChain(fields);
    const set = Array.isArray(this.#chain) ? (this.#chain.at(-1) as ArcSet) : undefined;
    this.#last = set && readLast(set, digests, now);
  }

  /** Rejects only when a look-up does. */
  async result(lookups: Pick<Lookups, 'txt'>): Promise<ArcResult> {
    if (this.#chain === 'none') return { result: 'none', sets: 0 };
    if ('reason' in this.#chain) return { result: 'fail', reason: this.#chain.reason, sets: 0 };
    const chain = this.#chain as readonly ArcSet[];
    const fail = (reason: string): ArcResult => ({ result: 'fail', reason, sets: chain.length });
    if (this.#last === undefined || typeof this.#last === 'string') return fail(this.#last ?? 'it has no end');
    const problem = (await this.#messageFault(this.#last, lookups)) ?? (await this.#sealsFault(chain, lookups));
    if (problem === 'temperror')
      return { result: 'temperror', reason: 'a key cannot be looked up now', sets: chain.length };
    if (problem !== undefined) return fail(problem);
    return { result: 'pass', sets: chain.length, domain: this.#last.signature.domain };
  }

  /** Only the last host can have signed what the message is now. */
  async #messageFault({ set, signature, body }: Last, lookups: Pick<Lookups, 'txt'>): Promise<string | undefined> {
    if (!body.digest.equals(signature.bodyHash)) return 'the body has changed';
    const key = await findKey(signature.domain, signature.selector, lookups);
    if ('error' in key) return key.error === 'temperror' ? 'temperror' : key.reason;
    if (!signature.algorithm.startsWith(key.type)) return 'the key is of another type';
    const chosen = chooseFields(this.#fields, signature.names);
    const text = signedText(chosen, set.signature.raw.toString('latin1'), signature.headerForm);
    return isSignedBy(key, text, signature.signature) ? undefined : 'the signature of the message does not fit';
  }

  async #sealsFault(chain: readonly ArcSet[], lookups: Pick<Lookups, 'txt'>): Promise<string | undefined> {
    for (let count = chain.length; count > 0; count -= 1) {
      const fault = await sealFault(chain.slice(0, count), lookups);
      if (fault !== undefined) return fault === 'temperror' ? fault : `the seal ${count}: ${fault}`;
    }
    return undefined;
  }
}

function readLast(set: ArcSet, digests: BodyDigests, now: number): Last | string {
  const tags = set.signatureTags;
  const signature = parseMessageSignature(tags, 'arc');
  if (typeof signature === 'string') return signature;
  // A seal is no part of what it seals (RFC 8617 §4.1.2).
  if (signature.names.some((name) => name.toLowerCase() === 'arc-seal')) return 'the signature covers a seal';
  const fault = timeFault(tags, now);
  return fault ?? { set, signature, body: digests.of(signature.bodyForm) };
}

async function sealFault(sets: readonly ArcSet[], lookups: Pick<Lookups, 'txt'>): Promise<string | undefined> {
  const { sealTags } = sets.at(-1) as ArcSet;
  if (sealTags.has('h')) return 'it names fields';
  const facts = parseSignatureFacts(sealTags);
  if (typeof facts === 'string') return facts;
  const time = sealTags.get('t');
  if (time !== undefined && !/^\d{1,12}$/.test(time)) return 't is malformed';
  const key = await findKey(facts.domain, facts.selector, lookups);
  if ('error' in key) return key.error === 'temperror' ? 'temperror' : key.reason;
  if (!facts.algorithm.startsWith(key.type)) return 'the key is of another type';
  return isSignedBy(key, sealedText(sets), facts.signature) ? undefined : 'it does not fit';
}

/** The fields of a set as they are sealed. */
export type SealedSet = Pick<ArcSet, 'results' | 'signature' | 'seal'>;

/** What a seal is made of: all sets up to its own, relaxed, itself last and without its value (RFC 8617 §5.1.1). */
export function sealedText(sets: readonly SealedSet[]): Buffer {
  const lines = sets.flatMap(({ results, signature, seal }, index) => {
    const own = seal.raw.toString('latin1');
    return [
      canonicalField(results.raw.toString('latin1'), 'relaxed'),
      canonicalField(signature.raw.toString('latin1'), 'relaxed'),
      canonicalField(index === sets.length - 1 ? withoutSignature(own) : own, 'relaxed'),
    ];
  });
  return Buffer.from(lines.join('\r\n'), 'latin1');
}
