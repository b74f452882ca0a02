import { createHash } from 'node:crypto';
import { Failure } from '@posthorn/smtp/failure/failure';
import { withoutBrackets } from '@posthorn/smtp/mtqp/unique-envid';
import type { Envelope } from '../queue/envelope.ts';
import type { RecipientState } from '../queue/queue-store.ts';
import type { TrackedMessage } from '../queue/track-store.ts';
import { formatTime } from './queue-id.ts';

/** What the table knows of a message: nothing but that it is in the queue, or all that an answer needs. */
export interface TrackRecord {
  readonly certifier: string;
  /** When it may be forgotten, in milliseconds since the epoch. */
  readonly until: number;
  readonly final?: Omit<TrackedMessage, 'isQueued'>;
}

/** The keys of one message: where it is found, and when it may be forgotten. */
export interface TrackKeys {
  readonly found: string;
  readonly expiry: string;
}

/** The keys of a tracked message; undefined for any other. */
export function trackKeys({ id, envelopeId, tracking }: Envelope): TrackKeys | undefined {
  if (tracking === undefined || envelopeId === undefined) return undefined;
  const found = `${foundPrefix(envelopeId, tracking.certifier)}${id}`;
  return { found, expiry: expiryKey(found, tracking.keptUntil) };
}

/**
 * What the keys begin with that a query looks at. Both values are in it, so that nobody who knows an ENVID can bury the
 * message under others of the same.
 */
export function foundPrefix(envelopeId: string, certifier: string): string {
  const hash = createHash('sha256')
    .update(`${withoutBrackets(envelopeId)}\0${certifier}`)
    .digest('base64url');
  return `m${hash}/`;
}

const EXPIRY = 't';

/** The key that tells when the message under another may be forgotten. */
export function expiryKey(found: string, until: number): string {
  return `${EXPIRY}${formatTime(until)}${found}`;
}

/** Where the keys of messages begin and end that may be forgotten before a time. */
export function expiryRange(before: number): { readonly start: string; readonly end: string } {
  return { start: EXPIRY, end: `${EXPIRY}${formatTime(before)}` };
}

/** The key of a message out of that of its expiry. */
export function foundKeyOf(expiry: string): string {
  return expiry.slice(expiryKey('', 0).length);
}

/** The queue id at the end of a key. */
export function idOf(found: string): string {
  return found.slice(found.lastIndexOf('/') + 1);
}

/** Composes a record; with the states of a message that leaves the queue, all that an answer needs. */
export function composeTrack({ tracking, ...envelope }: Envelope, states?: readonly RecipientState[]): Buffer {
  const { certifier, keptUntil: until } = tracking ?? { certifier: '', keptUntil: 0 };
  const record: TrackRecord =
    states === undefined ? { certifier, until } : { certifier, until, final: finalOf(envelope, states) };
  return Buffer.from(JSON.stringify(record));
}

/** Reads a record; throws Failure `storage` when it cannot be read. */
export function parseTrack(bytes: Buffer): TrackRecord {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Failure('storage', 'The record of a tracked message cannot be read', cause);
  }
}

/** The words of hosts are for reports, not for trackers, and would make a table of many messages large. */
function finalOf(
  envelope: Omit<Envelope, 'tracking'>,
  states: readonly RecipientState[],
): NonNullable<TrackRecord['final']> {
  const { id, reversePath, receivedAt, envelopeId } = envelope;
  const recipients = envelope.recipients.map(({ address, originalRecipient, untracked, alias }) => ({
    address,
    ...(originalRecipient === undefined ? {} : { originalRecipient }),
    ...(untracked === undefined ? {} : { untracked }),
    ...(alias === undefined ? {} : { alias }),
  }));
  return {
    envelope: { id, reversePath, receivedAt, recipients, ...(envelopeId === undefined ? {} : { envelopeId }) },
    recipients: states.map(shortState),
  };
}

function shortState({ last, ...state }: RecipientState): RecipientState {
  if (last === undefined) return state;
  const { reply: _, text: _text, ...outcome } = last;
  return { ...state, last: outcome };
}
