import type { QueueStore } from '../queue/queue-store.ts';
import { createMemoryBackend } from './memory-backend.ts';
import { SpoolStore } from './spool-store.ts';

const DEFAULT_CAPACITY = 256 * 1024 * 1024;

/**
 * A queue that lives and ends with the process: for tests and for trying out. `capacity` is the most that the messages
 * may take, in octets (default 256 MiB).
 */
export function createMemoryStore({ now, capacity }: { now: () => number; capacity?: number }): QueueStore {
  return new SpoolStore(createMemoryBackend(capacity ?? DEFAULT_CAPACITY), now);
}
