import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Server } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import { usualMechanisms } from '../logins/usual-mechanisms.ts';

/** Takes mail from users of this host. Without a place of its own in the configuration the socket is for the user of the server alone, as its folder is. */
export async function listenLocally(server: Server, path: string, config: Config): Promise<void> {
  const isPrivate = config.submission.socket === undefined;
  await mkdir(dirname(path), { recursive: true, mode: isPrivate ? 0o700 : 0o755 });
  const mechanisms = usualMechanisms('submission', config);
  await server.listen({ role: 'submission', path, trusted: true, mechanisms });
  await chmod(path, isPrivate ? 0o600 : 0o666);
}
