import { certifierOf, isCertifierOf } from '@posthorn/smtp/mtqp/tracking-secret';
import type { Envelope } from '../queue/envelope.ts';
import type { QueuedMessage, Settlement } from '../queue/queue-store.ts';
import type { TrackedMessage, TrackQuery, TrackStore } from '../queue/track-store.ts';
import type { Backend, Write } from './table.ts';
import {
  composeTrack,
  expiryKey,
  expiryRange,
  foundKeyOf,
  foundPrefix,
  idOf,
  parseTrack,
  trackKeys,
} from './track-record.ts';

/** What tracks are kept with. */
export interface TrackParts {
  readonly backend: Backend;
  /** The message as the queue has it. */
  readonly find: (id: string) => QueuedMessage | undefined;
  readonly now: () => number;
  /** Messages that are kept, 100,000 by default. */
  readonly mostTracks?: number;
}

const NOTHING = Buffer.alloc(0);
const HOUR = 60 * 60_000;
/** Messages that one query tells of: the same one may have come by more than once. */
const MOST_FOUND = 20;
/** Entries of one transaction of a sweep, and those that are looked at to make room for one more. */
const SWEPT = 100;
const LOOKED_AT = 8;

/**
 * Tracks in a table. While a message is in the queue, its record tells nothing but that: the queue has the rest, and a
 * retry writes nothing here. The settlement that ends it writes what an answer needs.
 */
export class SpoolTracks implements TrackStore {
  readonly #parts: TrackParts;

  constructor(parts: TrackParts) {
    this.#parts = parts;
  }

  find({ envelopeId, secret }: TrackQuery): readonly TrackedMessage[] {
    const { tracks } = this.#parts.backend.tables;
    const start = foundPrefix(envelopeId, certifierOf(secret));
    const keys = tracks.keys({ start, end: `${start.slice(0, -1)}0`, limit: MOST_FOUND });
    return keys.flatMap((key) => this.#read(key, secret) ?? []);
  }

  async sweep(now: number): Promise<boolean> {
    const { backend } = this.#parts;
    const keys = backend.tables.tracks.keys({ ...expiryRange(now), limit: SWEPT });
    const writes = keys.flatMap((key) => this.#planExpiry(key, now));
    if (writes.length > 0) await backend.commit(writes, 'queued mail');
    return keys.length === SWEPT;
  }

  count(): number {
    // Each message has two entries.
    return Math.ceil(this.#parts.backend.tables.tracks.count() / 2);
  }

  /** The writes that go with the commit of a tracked message; the one whose time ends first makes room (RFC 3885 §4.1). */
  planCommit(envelope: Envelope): Write[] {
    const keys = trackKeys(envelope);
    if (keys === undefined) return [];
    return [
      ...this.#planRoom(),
      { table: 'tracks', key: keys.found, value: composeTrack(envelope) },
      { table: 'tracks', key: keys.expiry, value: NOTHING },
    ];
  }

  /** The writes that go with the settlement that takes a tracked message out of the queue. */
  planDone({ envelope, recipients }: NonNullable<Settlement['tracked']>): Write[] {
    const keys = trackKeys(envelope);
    if (keys === undefined) return [];
    // Its expiry may have been put off, or its place given to another: then what is left goes now.
    const isKept = this.#parts.backend.tables.tracks.get(keys.expiry) !== undefined;
    const isOver = (envelope.tracking?.keptUntil ?? 0) <= this.#parts.now();
    if (!isKept || isOver) {
      return [
        { table: 'tracks', key: keys.found },
        { table: 'tracks', key: keys.expiry },
      ];
    }
    return [{ table: 'tracks', key: keys.found, value: composeTrack(envelope, recipients) }];
  }

  #read(key: string, secret: Buffer): TrackedMessage | undefined {
    const bytes = this.#parts.backend.tables.tracks.get(key);
    if (bytes === undefined) return undefined;
    const { certifier, final } = parseTrack(bytes);
    if (!isCertifierOf(certifier, secret)) return undefined;
    if (final !== undefined) return { ...final, isQueued: false };
    const message = this.#parts.find(idOf(key));
    if (message === undefined) return undefined;
    return { envelope: message.envelope, recipients: message.state.recipients, isQueued: true };
  }

  /** A message that is in the queue is known as long as that (RFC 3885 §3.1). */
  #planExpiry(key: string, now: number): Write[] {
    const found = foundKeyOf(key);
    const removal: Write = { table: 'tracks', key };
    if (this.#parts.find(idOf(found)) === undefined) return [removal, { table: 'tracks', key: found }];
    return [removal, { table: 'tracks', key: expiryKey(found, now + HOUR), value: NOTHING }];
  }

  #planRoom(): Write[] {
    const { backend, find, mostTracks = 100_000 } = this.#parts;
    if (this.count() < mostTracks) return [];
    const keys = backend.tables.tracks.keys({ ...expiryRange(Number.MAX_SAFE_INTEGER), limit: LOOKED_AT });
    const key = keys.find((each) => find(idOf(foundKeyOf(each))) === undefined);
    if (key === undefined) return [];
    return [
      { table: 'tracks', key },
      { table: 'tracks', key: foundKeyOf(key) },
    ];
  }
}
