import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openSpool } from '../../src/spool/open-spool.ts';
import { queueStoreSuite } from './queue-store-suite.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-spool-'));
let count = 0;
afterAll(() => rmSync(directory, { recursive: true, force: true }));

queueStoreSuite('LMDB', (options) => openSpool({ path: join(directory, `${count++}`), ...options }));
