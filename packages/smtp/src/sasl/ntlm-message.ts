/** Flags of the messages ([MS-NLMP] §2.2.2.5). */
const flag = {
  unicode: 0x1,
  oem: 0x2,
  requestTarget: 0x4,
  ntlm: 0x200,
  targetIsServer: 0x20000,
  extendedSecurity: 0x80000,
  targetInfo: 0x800000,
} as const;

const signature = Buffer.from('NTLMSSP\0', 'latin1');
/** Names are short; what is longer is not looked at. */
const longestName = 512;
/** Octets of a proof of the first version ([MS-NLMP] §2.2.2.6). */
const oldProof = 24;

/** What a server asks ([MS-NLMP] §2.2.1.2). */
export interface NtlmChallenge {
  /** 8 octets that nobody can foresee. */
  readonly nonce: Buffer;
  /** What is said of the host: pairs, which go into the proof as they are. */
  readonly info: Buffer;
}

/** What a client answers ([MS-NLMP] §2.2.1.3). */
export interface NtlmAnswer {
  readonly user: string;
  readonly domain: string;
  /** The proof of 16 octets, and what it was made over beside the challenge. */
  readonly proof: Buffer;
  readonly blob: Buffer;
}

function isMessage(octets: Buffer, type: number, size: number): boolean {
  return octets.length >= size && octets.subarray(0, 8).equals(signature) && octets.readUInt32LE(8) === type;
}

/** A part that a length of two octets, two that mean nothing, and an offset of four lead to. */
function partAt(octets: Buffer, at: number): Buffer | undefined {
  const length = octets.readUInt16LE(at);
  const offset = octets.readUInt32LE(at + 4);
  if (length === 0) return Buffer.alloc(0);
  return offset + length <= octets.length ? octets.subarray(offset, offset + length) : undefined;
}

interface Parts {
  readonly type: number;
  /** Octets before the parts. */
  readonly size: number;
  readonly fixed: readonly { readonly at: number; readonly value: number | Buffer }[];
  readonly parts: readonly { readonly at: number; readonly octets: Buffer }[];
}

function compose({ type, size, fixed, parts }: Parts): Buffer {
  const head = Buffer.alloc(size);
  signature.copy(head);
  head.writeUInt32LE(type, 8);
  for (const { at, value } of fixed) {
    if (typeof value === 'number') head.writeUInt32LE(value, at);
    else value.copy(head, at);
  }
  let offset = size;
  for (const { at, octets } of parts) {
    head.writeUInt16LE(octets.length, at);
    head.writeUInt16LE(octets.length, at + 2);
    head.writeUInt32LE(offset, at + 4);
    offset += octets.length;
  }
  return Buffer.concat([head, ...parts.map(({ octets }) => octets)]);
}

const utf16 = (text: string) => Buffer.from(text, 'utf16le');

/** The client's first message: what it can do ([MS-NLMP] §2.2.1.1). */
export function composeNegotiate(): Buffer {
  const value = flag.unicode | flag.oem | flag.requestTarget | flag.ntlm | flag.extendedSecurity;
  return compose({ type: 1, size: 32, fixed: [{ at: 12, value }], parts: [] });
}

/** Whether these octets are a client's first message ([MS-NLMP] §2.2.1.1). */
export function isNegotiate(octets: Buffer): boolean {
  return isMessage(octets, 1, 16);
}

/** The server's challenge, with the name of its host ([MS-NLMP] §2.2.1.2). */
export function composeChallenge(nonce: Buffer, hostname: string): Buffer {
  const label = utf16((hostname.split('.', 1)[0] ?? '').toUpperCase());
  const full = utf16(hostname);
  const pair = (id: number, value: Buffer) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, value]);
  };
  const nothing = Buffer.alloc(0);
  const info = Buffer.concat([pair(2, label), pair(1, label), pair(4, full), pair(3, full), pair(0, nothing)]);
  const value =
    flag.unicode | flag.requestTarget | flag.ntlm | flag.targetIsServer | flag.extendedSecurity | flag.targetInfo;
  return compose({
    type: 2,
    size: 48,
    fixed: [
      { at: 20, value },
      { at: 24, value: nonce },
    ],
    parts: [
      { at: 12, octets: label },
      { at: 40, octets: info },
    ],
  });
}

/** Reads a challenge; undefined when it is malformed, or its host knows neither Unicode nor version 2 ([MS-NLMP] §2.2.1.2). */
export function parseChallenge(octets: Buffer): NtlmChallenge | undefined {
  if (!isMessage(octets, 2, 48)) return undefined;
  const flags = octets.readUInt32LE(20);
  const info = partAt(octets, 40);
  if ((flags & flag.unicode) === 0 || (flags & flag.targetInfo) === 0 || info === undefined) return undefined;
  return { nonce: octets.subarray(24, 32), info };
}

/** The client's answer, without the older proofs, which are too weak ([MS-NLMP] §2.2.1.3). */
export function composeAuthenticate({ user, domain, proof, blob }: NtlmAnswer): Buffer {
  const value = flag.unicode | flag.requestTarget | flag.ntlm | flag.extendedSecurity | flag.targetInfo;
  return compose({
    type: 3,
    size: 64,
    fixed: [{ at: 60, value }],
    parts: [
      { at: 12, octets: Buffer.alloc(24) },
      { at: 20, octets: Buffer.concat([proof, blob]) },
      { at: 28, octets: utf16(domain) },
      { at: 36, octets: utf16(user) },
      { at: 44, octets: Buffer.alloc(0) },
      { at: 52, octets: Buffer.alloc(0) },
    ],
  });
}

/** Reads an answer; undefined when it is malformed, `old` with the proof of the first version ([MS-NLMP] §2.2.1.3). */
export function parseAuthenticate(octets: Buffer): NtlmAnswer | 'old' | undefined {
  if (!isMessage(octets, 3, 64)) return undefined;
  const [answer, domain, user] = [20, 28, 36].map((at) => partAt(octets, at));
  if (answer === undefined || domain === undefined || user === undefined) return undefined;
  if (answer.length === oldProof) return 'old';
  if (answer.length < 44 || user.length === 0 || Math.max(user.length, domain.length) > longestName) return undefined;
  const encoding = (octets.readUInt32LE(60) & flag.unicode) === 0 ? 'latin1' : 'utf16le';
  const names = { user: user.toString(encoding), domain: domain.toString(encoding) };
  if (/\0/.test(names.user + names.domain)) return undefined;
  return { ...names, proof: answer.subarray(0, 16), blob: answer.subarray(16) };
}
