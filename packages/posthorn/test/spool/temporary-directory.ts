import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory of its own for one test, gone when it is finished. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'posthorn-spool-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
