import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Octets of the largest file. */
const largest = 16 * 1024 * 1024;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
  EISDIR: 'it is a folder',
};

/** The text of a file, or why it cannot be read, as a clause; what is no plain file is not waited for. */
export function readTextFile(path: string): { readonly text: string } | { readonly reason: string } {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const info = fstatSync(file);
      if (!info.isFile()) return { reason: info.isDirectory() ? 'it is a folder' : 'it is no plain file' };
      if (info.size > largest) return { reason: `it is larger than ${largest} octets` };
      return { text: readFileSync(file, 'utf8') };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return { reason: reasons[code] ?? message };
  }
}
