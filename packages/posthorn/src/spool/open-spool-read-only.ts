import type { QueueStore } from '../queue/queue-store.ts';
import { viewTables } from './lmdb-tables.ts';
import { SpoolReader } from './spool-reader.ts';

/** A spool to look at, while another process may write it. */
export interface ReadOnlySpool extends Pick<QueueStore, 'get' | 'list' | 'content' | 'count'> {
  close(): Promise<void>;
}

/** Opens a spool without a claim to it. Throws Failure `storage`: not a spool, or of an unknown format. */
export function openSpoolReadOnly(path: string): ReadOnlySpool {
  const { root, tables } = viewTables(path);
  const reader = new SpoolReader(tables);
  return {
    get: async (id) => reader.get(id),
    list: (query) => reader.list(query ?? {}),
    content: async (id) => reader.content(id),
    count: () => reader.count(),
    close: () => root.close(),
  };
}
