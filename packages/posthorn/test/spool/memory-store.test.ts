import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { queueStoreSuite } from './queue-store-suite.ts';

queueStoreSuite('memory', async (options) => createMemoryStore(options));
