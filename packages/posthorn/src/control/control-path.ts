import { join } from 'node:path';

/** The UNIX socket over which a running agent is controlled, in a folder of its own that only its user may enter. */
export function controlPath(dataDir: string): string {
  return join(dataDir, 'control', 'socket');
}
