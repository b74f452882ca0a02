import { join } from 'node:path';

/** The UNIX socket where the user of an agent hands mail in, in the folder that only that user may enter. */
export function submissionPath(dataDir: string): string {
  return join(dataDir, 'control', 'submit');
}
