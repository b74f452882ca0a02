import { reply } from '@posthorn/smtp/reply/reply';
import { createServer, type ServerOptions, type Transaction } from '@posthorn/smtp/server';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';

/** A host that offers TLS and what else it is told to; it lets alice in with `secret`. */
export async function startSecureHop(options: Partial<ServerOptions> = {}, role: 'mx' | 'submission' = 'mx') {
  const taken: { readonly transaction: Transaction; readonly text: string; readonly tls: boolean }[] = [];
  const server = createServer({
    hostname: 'mx.example.test',
    tls: testCertificate,
    handlers: {
      async authenticate(_session, { user, password }) {
        return password === 'secret' ? { login: user } : reply(535, '5.7.8', 'no');
      },
      async message(session, transaction, text) {
        let whole = '';
        for await (const piece of text) whole += piece.toString('latin1');
        taken.push({ transaction, text: whole, tls: session.tls !== undefined });
        return reply(250, '2.0.0', 'taken');
      },
    },
    ...options,
  });
  const address = await server.listen({ role, host: '127.0.0.1', port: 0 });
  return {
    taken,
    port: 'port' in address ? address.port : 0,
    [Symbol.asyncDispose]: () => server.close({ grace: 0 }),
  };
}
