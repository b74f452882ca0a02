import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { domainSuite } from './domain-suite.ts';
import { queueStoreSuite } from './queue-store-suite.ts';

queueStoreSuite('memory', async (options) => createMemoryStore(options));
domainSuite('memory', async (options) => createMemoryStore(options));
