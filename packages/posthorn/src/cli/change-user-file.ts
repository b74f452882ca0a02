import { chmod, chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseUserFile } from '../config/user-file.ts';
import { Exit } from './exit.ts';

/** The text of a file of users; empty when there is none yet. Throws Exit when it cannot be read. */
export async function readUserFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new Exit(`${path} cannot be read: ${(error as Error).message}. Name a file that may be read.`);
  }
}

/**
 * Replaces a file of users as a whole, so that whoever reads it sees the old one or the new one; who may read it stays as it
 * was. Only one change at a time. Throws Exit, and leaves the file as it is, when that cannot be.
 */
export async function changeUserFile(path: string, change: (text: string) => string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new Exit(`${draft} cannot be written: ${error.message}. Choose another folder.`);
    throw new Exit(`${draft} is there: another change is under way. If none is, remove it.`);
  });
  try {
    const changed = change(await readUserFile(path));
    const [mistake] = parseUserFile(changed).mistakes;
    if (mistake !== undefined) throw new Exit(`Line ${mistake.line} of ${path} ${mistake.message}. Correct it first.`);
    await file.writeFile(changed);
    await keepOwner(path, draft);
    await file.sync();
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    if (error instanceof Exit) throw error;
    throw new Exit(`${path} cannot be changed: ${(error as Error).message}.`);
  } finally {
    await file.close();
  }
}

/** Where the old file is another user's, so is the new one, as far as that may be. */
async function keepOwner(path: string, draft: string): Promise<void> {
  const old = await stat(path).catch(() => undefined);
  if (old === undefined) return;
  await chmod(draft, old.mode & 0o777);
  if (old.uid !== process.getuid?.() || old.gid !== process.getgid?.()) await chown(draft, old.uid, old.gid);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
