import { constants } from 'node:fs';
import { access, type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Whoever says `mesg n` takes the right to write from the group: mesg(1). */
const groupMayWrite = 0o020;
const pause = 20;
// Never to be our own terminal, and never to wait for one that is stopped.
const flags = constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK;

/** Whether a terminal takes messages from others, and from this process: mesg(1). */
export async function takesMessages(path: string): Promise<boolean> {
  try {
    const info = await stat(path);
    if (!info.isCharacterDevice() || (info.mode & groupMayWrite) === 0) return false;
    await access(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Writes to a terminal that takes messages; whether all of it is there within `patience` milliseconds: write(1). */
export async function writeTerminal(path: string, text: string, patience: number): Promise<boolean> {
  if (!(await takesMessages(path))) return false;
  let file: FileHandle | undefined;
  try {
    file = await open(path, flags);
    return await writeAll(file, Buffer.from(text), performance.now() + patience);
  } catch {
    return false;
  } finally {
    // To close a slow line may wait until it has taken everything.
    void file?.close().catch(() => undefined);
  }
}

async function writeAll(file: FileHandle, octets: Buffer, end: number): Promise<boolean> {
  for (let at = 0; at < octets.length; ) {
    try {
      at += (await file.write(octets, at)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      if (performance.now() >= end) return false;
      await wait(pause);
    }
  }
  return true;
}
