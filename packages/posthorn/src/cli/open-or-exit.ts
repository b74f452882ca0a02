import type { ConnectOptions } from '@posthorn/smtp/client/connect-client';
import { type Connection, openConnection } from '@posthorn/smtp/client/open-connection';
import { ConnectionFailure } from '@posthorn/smtp/client/send-result';
import { Exit, exitCodes } from './exit.ts';

/** What a host that cannot be reached today may do tomorrow. */
const passing: readonly string[] = ['refused', 'unreachable', 'timeout', 'lost', 'dns', 'protocol', 'limit'];

/** Opens a session with a host. Throws Exit that says whether trying later may help. */
export async function openOrExit(connect: ConnectOptions): Promise<Connection> {
  try {
    return await openConnection(connect);
  } catch (error) {
    if (!(error instanceof ConnectionFailure)) throw error;
    const { kind, reply, message } = error;
    const temporary = reply === undefined ? passing.includes(kind) : reply.code < 500;
    const advice = temporary
      ? 'Check --server, or try again later.'
      : 'Check --tls, --ca, --user and what the host says.';
    throw new Exit(`${message}. ${advice}`, temporary ? exitCodes.temporary : exitCodes.failed);
  }
}
