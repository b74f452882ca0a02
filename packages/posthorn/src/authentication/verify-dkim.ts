import { asciiDomain } from '@posthorn/smtp/address/domain';
import type { HeaderField } from '@posthorn/smtp/message/header';
import type { BodyDigest, BodyDigests } from './body-digest.ts';
import { chooseFields, signedText } from './canonical-field.ts';
import type { Lookups } from './lookups.ts';
import { findKey, isSignedBy, type NoKey, type PublicKey } from './public-key.ts';
import { type MessageSignature, parseMessageSignature, timeFault } from './signature-field.ts';
import { parseTagList, type TagList } from './tag-list.ts';

/** What came of one signature (RFC 8601 §2.7.1). */
export interface DkimResult {
  readonly result: 'pass' | 'fail' | 'neutral' | 'policy' | 'temperror' | 'permerror';
  /** Why it did not pass. */
  readonly reason?: string;
  /** The domain that signed; absent where the signature cannot be read. */
  readonly domain?: string;
  readonly selector?: string;
  readonly algorithm?: string;
  /** The beginning of the signature, which tells it from others (RFC 6008 §4). */
  readonly begin?: string;
}

/** Signatures of a message that are looked at, from the top (RFC 6376 §8.4). */
const mostSignatures = 10;

interface Known {
  readonly field: HeaderField;
  readonly tags: TagList;
  readonly signature: MessageSignature;
  readonly body: BodyDigest;
  /** Octets of the body that are signed, if not all (RFC 6376 §3.5). */
  readonly limit: number | undefined;
}

type Candidate = Known | DkimResult;

/** Looks at the signatures of a message: made when its header is there, asked when its body is through (RFC 6376 §6). */
export class DkimVerification {
  readonly #fields: readonly HeaderField[];
  readonly #candidates: readonly Candidate[];

  /** `digests` get the body; `now` in milliseconds since the epoch. */
  constructor(fields: readonly HeaderField[], digests: BodyDigests, now: number) {
    this.#fields = fields;
    const signatures = fields.filter(({ name }) => name === 'dkim-signature').slice(0, mostSignatures);
    this.#candidates = signatures.map((field) => readCandidate(field, digests, now));
  }

  /** One result for each signature, in their order; none: the message is not signed. Rejects only when a look-up does. */
  async results(lookups: Pick<Lookups, 'txt'>): Promise<DkimResult[]> {
    const keys = new Map<string, Promise<PublicKey | NoKey>>();
    const keyOf = ({ domain, selector }: MessageSignature) => {
      const name = `${selector} ${domain}`;
      const known = keys.get(name) ?? findKey(domain, selector, lookups);
      keys.set(name, known);
      return known;
    };
    return Promise.all(
      this.#candidates.map(async (each) => ('result' in each ? each : this.#verify(each, keyOf(each.signature)))),
    );
  }

  async #verify(known: Known, asked: Promise<PublicKey | NoKey>): Promise<DkimResult> {
    const { field, tags, signature, body, limit } = known;
    const facts = factsOf(signature);
    // The hash costs no look-up: what was changed on its way needs no key.
    if (!body.digest.equals(signature.bodyHash)) {
      await asked;
      return { result: 'fail', reason: 'the body has changed', ...facts };
    }
    if (limit !== undefined && limit > body.length) {
      await asked;
      return { result: 'permerror', reason: 'more of the body is signed than there is', ...facts };
    }
    const key = await asked;
    if ('error' in key) return { result: key.error, reason: key.reason, ...facts };
    if (!signature.algorithm.startsWith(key.type)) {
      return { result: 'permerror', reason: 'the key is of another type', ...facts };
    }
    const { identity } = identityOf(tags, signature.domain);
    if (key.strict && identity !== signature.domain) {
      return { result: 'permerror', reason: 'the key is not for domains below its own', ...facts };
    }
    const chosen = chooseFields(this.#fields, signature.names);
    const text = signedText(chosen, field.raw.toString('latin1'), signature.headerForm);
    if (!isSignedBy(key, text, signature.signature)) {
      // Of a key that is only tried out no failure may be held against the message (RFC 6376 §3.6.1).
      return { result: key.testing ? 'neutral' : 'fail', reason: 'the signature does not fit', ...facts };
    }
    if (limit !== undefined && limit < body.length) {
      // What anybody may add behind the signed part would look as if it were signed (RFC 6376 §8.2).
      return { result: 'policy', reason: 'only a part of the body is signed', ...facts };
    }
    return { result: 'pass', ...facts };
  }
}

function readCandidate(field: HeaderField, digests: BodyDigests, now: number): Candidate {
  const raw = field.raw.toString('latin1');
  const tags = parseTagList(raw.slice(raw.indexOf(':') + 1));
  if (tags === undefined) return { result: 'permerror', reason: 'the signature is malformed' };
  const signature = parseMessageSignature(tags, 'dkim');
  if (typeof signature === 'string') return { result: 'permerror', reason: signature };
  const fault = faultOf(tags, signature, now);
  if (fault !== undefined) return { ...fault, ...factsOf(signature) };
  const limit = tags.get('l') === undefined ? undefined : Number(tags.get('l'));
  return { field, tags, signature, limit, body: digests.of(signature.bodyForm, limit) };
}

function faultOf(tags: TagList, { names, domain }: MessageSignature, now: number): DkimResult | undefined {
  const permerror = (reason: string) => ({ result: 'permerror', reason }) as const;
  if (tags.get('v') !== '1') return permerror('the signature is of another version');
  if (!names.some((name) => name.toLowerCase() === 'from')) return permerror('From is not signed');
  if (!/^\d{1,15}$/.test(tags.get('l') ?? '0')) return permerror('l is malformed');
  const methods = tags
    .get('q')
    ?.split(':')
    .map((each) => each.trim().toLowerCase());
  if (methods !== undefined && !methods.includes('dns/txt')) return permerror('its key is not in the name system');
  if (!identityOf(tags, domain).isOwn) return permerror('who signs is not of the domain that signs');
  const time = timeFault(tags, now);
  return time === undefined ? undefined : { result: 'fail', reason: time };
}

/** The domain of the tag i, the one that signs or one below it (RFC 6376 §3.5). */
function identityOf(tags: TagList, domain: string): { readonly identity: string; readonly isOwn: boolean } {
  const text = tags.get('i');
  const identity = text === undefined ? domain : (asciiDomain(text.slice(text.lastIndexOf('@') + 1)) ?? '');
  return { identity, isOwn: (text?.includes('@') ?? true) && `.${identity}`.endsWith(`.${domain}`) };
}

function factsOf({ domain, selector, algorithm, signature }: MessageSignature) {
  return { domain, selector, algorithm, begin: signature.toString('base64').slice(0, 8) };
}
