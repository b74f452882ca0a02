import type { HeaderField } from '@posthorn/smtp/message/header';
import { parseTagList, type TagList } from './tag-list.ts';

/** What one host that passed a message on has added to its header (RFC 8617 §4.2). */
export interface ArcSet {
  /** ARC-Authentication-Results. */
  readonly results: HeaderField;
  /** ARC-Message-Signature. */
  readonly signature: HeaderField;
  readonly signatureTags: TagList;
  /** ARC-Seal. */
  readonly seal: HeaderField;
  readonly sealTags: TagList;
}

/** The sets of a header in their order; `none`: there are none; a text says why they are no chain (RFC 8617 §5.2). */
export type ArcChain = readonly ArcSet[] | 'none' | { readonly reason: string };

/** Sets of a chain (RFC 8617 §4.2.1). */
const mostSets = 50;
/** Fields of ARC that are looked at. */
const mostFields = 3 * mostSets;

interface Building {
  results?: HeaderField;
  signature?: HeaderField;
  signatureTags?: TagList;
  seal?: HeaderField;
  sealTags?: TagList;
}

/** Whether a field is one of ARC (RFC 8617 §4.1). */
function isArcField({ name }: HeaderField): boolean {
  return name === 'arc-seal' || name === 'arc-message-signature' || name === 'arc-authentication-results';
}

/** Puts the chain of a message together (RFC 8617 §5.2). */
export function readArcChain(fields: readonly HeaderField[]): ArcChain {
  const own = fields.filter(isArcField);
  if (own.length === 0) return 'none';
  if (own.length > mostFields) return { reason: 'too many fields' };
  const sets: Building[] = [];
  for (const field of own) {
    const fault = takeField(sets, field);
    if (fault !== undefined) return { reason: fault };
  }
  const whole = sets.map((set) => set ?? {});
  for (let index = 0; index < sets.length; index += 1) {
    const { results, signature, seal, sealTags } = sets[index] ?? {};
    if (results === undefined || signature === undefined || seal === undefined) {
      return { reason: `the set ${index + 1} is not complete` };
    }
    const cv = sealTags?.get('cv')?.toLowerCase();
    // That a chain is broken is final, whoever it was that found it (RFC 8617 §5.1.1.1).
    if (index === sets.length - 1 && cv === 'fail') return { reason: 'a host before found it broken' };
    if (cv !== (index === 0 ? 'none' : 'pass')) return { reason: `the seal ${index + 1} says nothing of use` };
  }
  return whole as ArcSet[];
}

function takeField(sets: Building[], field: HeaderField): string | undefined {
  const raw = field.raw.toString('latin1');
  const value = raw.slice(raw.indexOf(':') + 1);
  const isResults = field.name === 'arc-authentication-results';
  const tags = isResults ? undefined : parseTagList(value);
  const number = isResults ? /^[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*(\d+)[ \t\r\n]*;/.exec(value)?.[1] : tags?.get('i');
  if (number === undefined || !/^[1-9]\d?$/.test(number) || Number(number) > mostSets) {
    return `a field ${field.name} is malformed`;
  }
  const set: Building = sets[Number(number) - 1] ?? {};
  sets[Number(number) - 1] = set;
  if (isResults && set.results === undefined) set.results = field;
  else if (field.name === 'arc-seal' && tags !== undefined && set.seal === undefined) {
    set.seal = field;
    set.sealTags = tags;
  } else if (field.name === 'arc-message-signature' && tags !== undefined && set.signature === undefined) {
    set.signature = field;
    set.signatureTags = tags;
  } else return `the set ${number} has two fields ${field.name}`;
  return undefined;
}
