import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for mailboxes that goes with its test. */
export async function makeFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'posthorn-agents-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The texts of all messages in a Maildir that nobody has seen. */
export async function newMessages(maildir: string): Promise<string[]> {
  const names = await readdir(join(maildir, 'new'));
  return Promise.all(names.sort().map((name) => readFile(join(maildir, 'new', name), 'latin1')));
}
