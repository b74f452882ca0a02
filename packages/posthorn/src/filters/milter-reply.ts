import type { ContentChange } from './content-verdict.ts';
import type { MilterStage, MilterTerms } from './milter-terms.ts';

/** What a filter says. */
export type MilterReply =
  | {
      readonly kind:
        | 'continue'
        | 'accept'
        | 'reject'
        | 'tempfail'
        | 'discard'
        | 'skip'
        | 'progress'
        /** The connection of the client is to be ended. */
        | 'shutdown';
    }
  /** A reply of the filter's own: code, status and text, lines parted by CRLF. */
  | { readonly kind: 'reply'; readonly text: string }
  | { readonly kind: 'terms'; readonly terms: MilterTerms }
  | { readonly kind: 'change'; readonly change: ContentChange }
  | { readonly kind: 'body'; readonly bytes: Buffer };

const simple: Readonly<Record<string, Extract<MilterReply['kind'], string>>> = {
  c: 'continue',
  a: 'accept',
  r: 'reject',
  t: 'tempfail',
  d: 'discard',
  s: 'skip',
  p: 'progress',
  f: 'shutdown',
  '4': 'shutdown',
};

/** By the number that a filter has for them. */
const stagesOfMacros: readonly MilterStage[] = ['connect', 'hello', 'mail', 'recipient', 'data', 'end', 'header-end'];

/** Reads a packet without its length; undefined when it is none that a filter may send. */
export function parseMilterReply(packet: Buffer): MilterReply | undefined {
  const letter = String.fromCharCode(packet[0] ?? 0);
  const payload = packet.subarray(1);
  const kind = simple[letter];
  if (kind !== undefined) return { kind } as MilterReply;
  if (letter === 'b') return { kind: 'body', bytes: payload };
  if (letter === 'O') return parseTerms(payload);
  if (letter === 'y') {
    const [text, ...more] = readTexts(payload) ?? [];
    return text === undefined || more.length > 0 ? undefined : { kind: 'reply', text: text.toString('latin1') };
  }
  const change = parseChange(letter, payload);
  return change && { kind: 'change', change };
}

function parseChange(letter: string, payload: Buffer): ContentChange | undefined {
  switch (letter) {
    case 'h':
      return parseField(payload, (name, value) => ({ kind: 'add', name, value }));
    case 'i':
    case 'm': {
      if (payload.length < 4) return undefined;
      const index = payload.readUInt32BE(0);
      const kind = letter === 'i' ? 'insert' : 'change';
      return parseField(payload.subarray(4), (name, value) => ({ kind, index, name, value }));
    }
    case 'e':
      return parseAddress(payload, (address, parameters) => ({ kind: 'sender', address, parameters }));
    case '+':
    case '2':
      return parseAddress(payload, (address, parameters) => ({ kind: 'add-recipient', address, parameters }));
    case '-':
      return parseAddress(payload, (address) => ({ kind: 'remove-recipient', address }));
    case 'q': {
      const reason = readTexts(payload)?.[0];
      return reason && { kind: 'hold', reason: reason.toString('utf8') };
    }
    default:
      return undefined;
  }
}

function parseField(payload: Buffer, make: (name: string, value: Buffer) => ContentChange): ContentChange | undefined {
  const [name, value, ...more] = readTexts(payload) ?? [];
  if (name === undefined || value === undefined || more.length > 0) return undefined;
  const text = name.toString('latin1');
  return /^[!-9;-~]{1,998}$/.test(text) ? make(text, value) : undefined;
}

function parseAddress(
  payload: Buffer,
  make: (address: string, parameters: string) => ContentChange,
): ContentChange | undefined {
  const [address, parameters, ...more] = readTexts(payload) ?? [];
  if (address === undefined || more.length > 0) return undefined;
  return make(address.toString('utf8'), parameters?.toString('utf8') ?? '');
}

function parseTerms(payload: Buffer): MilterReply | undefined {
  if (payload.length < 12) return undefined;
  const macros = parseMacros(payload.subarray(12));
  if (macros === undefined) return undefined;
  const [version, actions, steps] = [payload.readUInt32BE(0), payload.readUInt32BE(4), payload.readUInt32BE(8)];
  return { kind: 'terms', terms: { version, actions, steps, macros } };
}

function parseMacros(payload: Buffer): Map<MilterStage, readonly string[]> | undefined {
  const macros = new Map<MilterStage, readonly string[]>();
  for (let at = 0; at < payload.length; ) {
    const end = payload.indexOf(0, at + 4);
    if (end < 0) return undefined;
    const stage = stagesOfMacros[payload.readUInt32BE(at)];
    const names = payload.toString('latin1', at + 4, end).split(/[ ,]/);
    if (stage !== undefined) macros.set(stage, names.filter((name) => name !== '').map(macroName));
    at = end + 1;
  }
  return macros;
}

/** Macros of one letter go bare, the others in braces, however a filter writes them. */
function macroName(text: string): string {
  const bare = text.replace(/^\{/, '').replace(/\}$/, '');
  return bare.length === 1 ? bare : `{${bare}}`;
}

/** Texts that each end in NUL; undefined when the last one does not. */
function readTexts(payload: Buffer): Buffer[] | undefined {
  const texts: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const end = payload.indexOf(0, at);
    if (end < 0) return undefined;
    texts.push(payload.subarray(at, end));
    // More texts than any packet has say nothing.
    if (texts.length > 3) return undefined;
    at = end + 1;
  }
  return texts;
}
