import { Failure } from '@posthorn/smtp/failure/failure';
import type { Envelope } from '../queue/envelope.ts';
import type { MessageState, QueuedMessage } from '../queue/queue-store.ts';
import { parseTime } from './queue-id.ts';

/** The most content that a record or a part holds, in octets. */
export const PART_SIZE = 256 * 1024;

const HEAD = 8;

/** Which entries the tables have of a message. */
export interface Place {
  /** Whether its record is in `messages`: no attempt has been recorded for it. Otherwise it is in `states`. */
  readonly fresh: boolean;
  /** How many parts hold the content; none: the record itself does, or there is nothing to hold. */
  readonly parts: number;
  /** Its key in `due`, if it has one. */
  readonly dueKey?: string;
  /** Its keys in `domains`, if it has any. */
  readonly domainKeys?: readonly string[];
}

/** A message and where it was found. */
export interface StoredMessage extends QueuedMessage {
  readonly fresh: boolean;
  readonly parts: number;
}

/** A record of `messages` and the content within it. */
export interface Record {
  readonly bytes: Buffer;
  readonly content: Buffer;
}

/** Octets in pieces, and how many they are. */
interface RecordContent {
  readonly chunks: readonly Buffer[];
  readonly size: number;
}

/**
 * Composes a record of `messages`: number of parts and length of the envelope (32 bits each, network order), envelope,
 * content.
 */
export function composeRecord(envelope: Envelope, parts: number, content: RecordContent): Record {
  const head = JSON.stringify(envelope);
  const headSize = HEAD + Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(headSize + content.size);
  bytes.writeUInt32BE(parts, 0);
  bytes.writeUInt32BE(headSize - HEAD, 4);
  bytes.write(head, HEAD);
  let end = headSize;
  for (const chunk of content.chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return { bytes, content: bytes.subarray(headSize) };
}

/** Reads a record of `messages`; throws Failure `storage` when it is none. */
export function parseRecord(id: string, bytes: Buffer): StoredMessage & { content: Buffer } {
  const headSize = bytes.length < HEAD ? 0 : bytes.readUInt32BE(4);
  const envelope = parseJson<Envelope>(id, bytes, headSize);
  const state = initialState(id, envelope);
  return { envelope, state, parts: bytes.readUInt32BE(0), fresh: true, content: bytes.subarray(HEAD + headSize) };
}

/** Composes a record of `states`: number of parts, length of the rest, envelope and state. */
export function composeState(message: QueuedMessage, parts: number): Buffer {
  const text = JSON.stringify({ envelope: message.envelope, state: message.state });
  const bytes = Buffer.allocUnsafe(HEAD + Buffer.byteLength(text));
  bytes.writeUInt32BE(parts, 0);
  bytes.writeUInt32BE(bytes.length - HEAD, 4);
  bytes.write(text, HEAD);
  return bytes;
}

/** Reads a record of `states`; throws Failure `storage` when it is none. */
export function parseState(id: string, bytes: Buffer): StoredMessage {
  const size = bytes.length < HEAD ? 0 : bytes.readUInt32BE(4);
  const { envelope, state } = parseJson<{ envelope: Envelope; state: MessageState }>(id, bytes, size);
  return { envelope, state, parts: bytes.readUInt32BE(0), fresh: false };
}

/** The state of a message that no attempt has been made for: due since its id was made. */
function initialState(id: string, envelope: Envelope): MessageState {
  const recipients = envelope.recipients.map(() => ({ kind: 'pending', attempts: 0 }) as const);
  return { due: parseTime(id), held: false, recipients };
}

function parseJson<T>(id: string, bytes: Buffer, size: number): T {
  try {
    return JSON.parse(bytes.toString('utf8', HEAD, HEAD + size));
  } catch (cause) {
    throw new Failure('storage', `The record of message ${id} cannot be read`, cause);
  }
}
