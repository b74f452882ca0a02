import { AUTHENTIC_DATA, type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import type { RecordType } from './lookup.ts';

/** What is asked of a name server. */
export interface Question {
  readonly type: RecordType;
  /** A normalized name. */
  readonly name: string;
}

/** One record as it came, its data not yet looked at. */
export interface WireRecord {
  /** In lower case. */
  readonly name: string;
  readonly type: string;
  /** In seconds. */
  readonly ttl: number;
  readonly data: unknown;
}

/** A message of a name server that answers a query (RFC 1035 §4.1). */
export interface WireReply {
  /** NOERROR, NXDOMAIN, SERVFAIL, … (RFC 6895 §2.3). */
  readonly code: string;
  /** Whether it did not fit, so that TCP has to be used. */
  readonly truncated: boolean;
  readonly authoritative: boolean;
  /** The AD bit: whether the server has validated it (RFC 4035 §3.2.3). */
  readonly authentic: boolean;
  readonly answers: readonly WireRecord[];
  readonly authorities: readonly WireRecord[];
  /** Octets of the message. */
  readonly size: number;
}

/** Octets that pass any path without fragments (RFC 9715 §3). */
const udpPayloadSize = 1232;

/** What the type definitions of the package leave out. */
interface Packet extends DecodedPacket {
  readonly rcode: string;
}

/** Writes a query: recursion desired, the AD bit asked for without the records that prove it (RFC 6840 §5.7). */
export function composeQuery(id: number, { type, name }: Question, edns: boolean): Buffer {
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ type, name, class: 'IN' }],
    additionals: edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  });
}

/** Reads an answer to a query; undefined for what is none, or answers another query (RFC 5452 §9.1). */
export function readReply(bytes: Buffer, id: number, question: Question): WireReply | undefined {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== id) return undefined;
  const packet = decodePacket(bytes);
  if (packet === undefined || !packet.flag_qr) return undefined;
  const code = fullCode(packet);
  if (!repeatsQuestion(packet, question) && !isBareError(packet, code)) return undefined;
  return {
    code,
    truncated: packet.flag_tc,
    authoritative: packet.flag_aa,
    authentic: packet.flag_ad,
    answers: readRecords(packet.answers),
    authorities: readRecords(packet.authorities),
    size: bytes.length,
  };
}

function decodePacket(bytes: Buffer): Packet | undefined {
  try {
    return decode(bytes) as Packet;
  } catch {
    // A truncated message may end anywhere; its header is all that counts.
    return bytes.readUInt16BE(2) & 0x0200 ? decodeTruncated(bytes) : undefined;
  }
}

/** Reads header and question alone. */
function decodeTruncated(bytes: Buffer): Packet | undefined {
  const head = Buffer.from(bytes);
  head.fill(0, 6, 12);
  try {
    return decode(head) as Packet;
  } catch {
    return undefined;
  }
}

/** The code with the upper bits that EDNS adds (RFC 6891 §6.1.3). */
function fullCode(packet: Packet): string {
  const upper = packet.additionals?.find((record) => record.type === 'OPT')?.extendedRcode ?? 0;
  return upper === 0 ? packet.rcode : `EXTENDED ${upper}`;
}

function repeatsQuestion(packet: Packet, { type, name }: Question): boolean {
  const [question, ...others] = packet.questions ?? [];
  if (question === undefined || others.length > 0) return false;
  return question.type === type && question.class === 'IN' && question.name.toLowerCase() === name;
}

/** Servers that understand no query, or will not look at it, may leave the question out. */
function isBareError(packet: Packet, code: string): boolean {
  return packet.questions?.length === 0 && code !== 'NOERROR' && code !== 'NXDOMAIN';
}

function readRecords(records: DecodedPacket['answers']): WireRecord[] {
  const read: WireRecord[] = [];
  for (const record of records ?? []) {
    if (record.type === 'OPT' || (record.class ?? 'IN') !== 'IN') continue;
    const ttl = record.ttl ?? 0;
    // A set top bit is a faulty time, and counts as none (RFC 2181 §8).
    read.push({
      name: record.name.toLowerCase(),
      type: record.type,
      ttl: ttl > 0x7fff_ffff ? 0 : ttl,
      data: record.data,
    });
  }
  return read;
}
