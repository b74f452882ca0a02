import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';

const size = 32;

/**
 * The octets that users are invented from, kept so that a restart shows nobody who was invented; made when there are none.
 * Rejects with Failure `storage` (RFC 5802 §9).
 */
export async function readLoginSecret(dataDir: string): Promise<Buffer> {
  const path = join(dataDir, 'login-secret');
  try {
    const known = await readFile(path).catch(unlessMissing);
    if (known?.length === size) return known;
    return await makeSecret(path, dataDir);
  } catch (error) {
    throw new Failure('storage', `${path} cannot be read or written`, error);
  }
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function makeSecret(path: string, dataDir: string): Promise<Buffer> {
  const secret = randomBytes(size);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(secret);
    await file.sync();
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return secret;
}
