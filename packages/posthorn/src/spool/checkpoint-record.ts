import { Failure } from '@posthorn/smtp/failure/failure';
import type { Checkpoint } from '../queue/checkpoint.ts';

/** A record of `checkpoints`. */
export interface CheckpointRecord {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly touchedAt: number;
  /** Octets of the client's text, once the message is committed. */
  readonly complete?: number;
  readonly checkpoint: Checkpoint;
}

/** Reads a record of `checkpoints`; throws Failure `storage` when it is none. */
export function parseCheckpoint(bytes: Buffer): CheckpointRecord {
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw new Failure('storage', 'The record of a kept transaction cannot be read', cause);
  }
}
