import { reply } from '@posthorn/smtp/reply/reply';
import { createServer, type Server } from '@posthorn/smtp/server';
import type { Log } from './log.ts';

/** What the server is made of. */
export interface NoMailServerParts {
  readonly hostname: string;
  readonly limits: { readonly connections: number; readonly connectionsPerAddress: number };
  readonly log: Log;
}

/** Says to everybody that this host takes no mail, in place of a greeting, and closes (RFC 7504 §2). */
export function createNoMailServer({ hostname, limits, log }: NoMailServerParts): Server {
  const { connections, connectionsPerAddress } = limits;
  const refusal = reply(521, '5.3.2', `${hostname} does not accept mail`);
  return createServer({
    hostname,
    limits: { connections, connectionsPerAddress },
    handlers: { connect: () => refusal, message: async () => refusal },
    onError: (error) => log.error({ err: error }, 'a connection cannot be refused'),
  });
}
