import { HeaderField } from '@posthorn/smtp/message/header';
import { readArcChain } from './arc-chain.ts';
import { chooseFields } from './canonical-field.ts';
import { composeSignatureField, foldTags, namesToSign } from './compose-signature.ts';
import { type SigningKey, signOctets } from './signing-key.ts';
import { type SealedSet, sealedText } from './verify-arc.ts';

/** A message that is sealed before it is passed on. */
export interface ToSeal {
  readonly fields: readonly HeaderField[];
  /** The relaxed digest of its body. */
  readonly bodyHash: Buffer;
  /** What was found when it came, as in Authentication-Results: the name of this host first. */
  readonly results: string;
  /** What its chain was worth then. */
  readonly chain: 'none' | 'pass' | 'fail';
  readonly key: SigningKey;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The names of the fields that are signed; by default as for DKIM, and its signatures. */
  readonly names?: readonly string[];
}

const mostSets = 50;

/**
 * Writes the set by which this host says what it found, the seal on top; undefined where the chain takes no more: it is
 * full, or was found broken before (RFC 8617 §5.1).
 */
export function composeArcSet({ fields, bodyHash, results, chain, key, now, names }: ToSeal): string | undefined {
  const before = readArcChain(fields);
  const sets = Array.isArray(before) ? (before as readonly SealedSet[]) : [];
  const isBroken = chain === 'fail' || (before !== 'none' && !Array.isArray(before));
  if ((chain === 'none') !== (before === 'none') || sets.length >= mostSets) return undefined;
  if (isBroken && fields.some(isFinalSeal)) return undefined;
  const instance = String(isBroken ? highestInstance(fields) + 1 : sets.length + 1);
  if (Number(instance) > mostSets) return undefined;
  const time = String(Math.floor(now / 1000));
  const signed = names ?? [...namesToSign(fields), ...signatureNames(fields)];
  const common = [
    ['d', key.domain],
    ['i', instance],
    ['s', key.selector],
    ['t', time],
  ] as const;
  const [domain, ...rest] = common;
  const own = field(`ARC-Authentication-Results: i=${instance}; ${results}\r\n`);
  const signature = field(
    composeSignatureField({
      name: 'ARC-Message-Signature',
      tags: [
        ['a', key.algorithm],
        ['b', ''],
        ['bh', bodyHash.toString('base64')],
        ['c', 'relaxed/relaxed'],
        domain,
        ['h', signed.join(':')],
        ...rest,
      ],
      key,
      chosen: chooseFields(fields, signed),
    }),
  );
  const sealTags = (b: string) => {
    const verdict = isBroken ? 'fail' : chain;
    return foldTags('ARC-Seal', [
      `a=${key.algorithm}`,
      `b=${b}`,
      `cv=${verdict}`,
      ...common.map((tag) => tag.join('=')),
    ]);
  };
  // A seal on a broken chain covers its own set alone (RFC 8617 §5.1.1.1).
  const scope = [...(isBroken ? [] : sets), { results: own, signature, seal: field(sealTags('')) }];
  const seal = sealTags(signOctets(key, sealedText(scope)).toString('base64'));
  return `${seal}${signature.raw.toString('latin1')}${own.raw.toString('latin1')}`;
}

function field(text: string): HeaderField {
  return new HeaderField(Buffer.from(text, 'latin1'));
}

/** The signatures that the message came with are worth most to those who ask what was found about them. */
function signatureNames(fields: readonly HeaderField[]): string[] {
  return fields.filter(({ name }) => name === 'dkim-signature').map(() => 'DKIM-Signature');
}

function isFinalSeal({ name, value }: HeaderField): boolean {
  return name === 'arc-seal' && /(?:^|;)\s*cv\s*=\s*fail\s*(?:;|$)/i.test(value);
}

function highestInstance(fields: readonly HeaderField[]): number {
  const numbers = fields
    .filter(({ name }) => name === 'arc-seal')
    .map(({ value }) => Number(/(?:^|;)\s*i\s*=\s*(\d{1,3})\s*(?:;|$)/.exec(value)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}
