import { asciiDomain } from '@posthorn/smtp/address/domain';
import type { CanonicalForm } from './canonical-field.ts';
import type { SignatureAlgorithm } from './public-key.ts';
import { type TagList, withoutBlanks } from './tag-list.ts';

/** What all signatures say: who signed what, and how (RFC 6376 §3.5, RFC 8617 §4.1.2). */
export interface SignatureFacts {
  readonly algorithm: SignatureAlgorithm;
  readonly domain: string;
  readonly selector: string;
  readonly signature: Buffer;
}

/** What signatures of whole messages say. */
export interface MessageSignature extends SignatureFacts {
  readonly bodyHash: Buffer;
  readonly headerForm: CanonicalForm;
  readonly bodyForm: CanonicalForm;
  /** The names of the signed fields. */
  readonly names: readonly string[];
}

/** Names of one signature. */
const mostNames = 1000;
/** Seconds that a clock may be ahead. */
const skew = 300;

/** Reads what all signatures say; the text says what is wrong. */
export function parseSignatureFacts(tags: TagList): SignatureFacts | string {
  const algorithm = tags.get('a')?.toLowerCase();
  if (algorithm === undefined) return 'a is missing';
  if (algorithm !== 'rsa-sha256' && algorithm !== 'ed25519-sha256')
    return `the algorithm ${shown(algorithm)} is not used`;
  const domain = asciiDomain(tags.get('d') ?? '');
  if (domain === undefined || !domain.includes('.')) return 'd is missing or malformed';
  const selector = tags.get('s')?.toLowerCase() ?? '';
  if (!/^[a-z0-9_](?:[a-z0-9._-]{0,200}[a-z0-9_])?$/.test(selector)) return 's is missing or malformed';
  const signature = parseOctets(tags.get('b'));
  if (signature === undefined) return 'b is missing or malformed';
  return { algorithm, domain, selector, signature };
}

/**
 * Reads what signatures of whole messages say; the text says what is wrong. Those of ARC are relaxed unless they say
 * otherwise, and may name no field at all, as all who made them have it.
 */
export function parseMessageSignature(tags: TagList, kind: 'dkim' | 'arc'): MessageSignature | string {
  const facts = parseSignatureFacts(tags);
  if (typeof facts === 'string') return facts;
  const bodyHash = parseOctets(tags.get('bh'));
  if (bodyHash === undefined) return 'bh is missing or malformed';
  const usual = kind === 'dkim' ? 'simple' : 'relaxed/relaxed';
  const [headerForm, bodyForm = 'simple', more] = (tags.get('c') ?? usual).toLowerCase().split('/');
  if (!isForm(headerForm) || !isForm(bodyForm) || more !== undefined) return 'c is malformed';
  const list = tags.get('h');
  const names = withoutBlanks(list ?? '')
    .split(':')
    .filter((name) => name !== '' || kind === 'dkim');
  if (names.length > mostNames) return 'h names too many fields';
  if (list === undefined || names.some((name) => !/^[!-9<-~]+$/.test(name))) return 'h is missing or malformed';
  return { ...facts, bodyHash, headerForm, bodyForm, names };
}

/** What is wrong with the times of a signature, if anything is (RFC 6376 §3.5). */
export function timeFault(tags: TagList, now: number): string | undefined {
  const [time, expiry] = [tags.get('t'), tags.get('x')];
  if ([time, expiry].some((each) => each !== undefined && !/^\d{1,12}$/.test(each))) return 't or x is malformed';
  if (time !== undefined && expiry !== undefined && Number(expiry) <= Number(time)) return 'it ends before it begins';
  if (expiry !== undefined && Number(expiry) * 1000 < now) return 'the signature has expired';
  if (time !== undefined && (Number(time) - skew) * 1000 > now) return 'the signature is of the future';
  return undefined;
}

/** Text from a message as the log and header fields may show it. */
function shown(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, '?').slice(0, 40);
}

function isForm(text: string | undefined): text is CanonicalForm {
  return text === 'simple' || text === 'relaxed';
}

function parseOctets(text: string | undefined): Buffer | undefined {
  const plain = withoutBlanks(text ?? '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(plain) ? Buffer.from(plain, 'base64') : undefined;
}
