import { connect, type Socket } from 'node:net';
import { type ClientMessage, createClient } from '@posthorn/smtp/client';
import { reply } from '@posthorn/smtp/reply/reply';
import { type AcceptedRecipient, createServer, type ServerHandlers } from '@posthorn/smtp/server';
import { describe, expect, it } from 'vitest';

/** What a server has of one transaction. */
interface Held {
  text: string;
  readonly recipients: readonly AcceptedRecipient[];
}

/** A server that keeps the texts of transactions with a name, and cuts the connection in the midst of the first one. */
async function startServer(cut: () => void) {
  const held = new Map<string, Held>();
  const taken: { readonly text: string; readonly to: readonly string[]; readonly offset: number }[] = [];
  let isCut = false;
  const handlers: ServerHandlers = {
    recipient: (_session, { mailbox }) =>
      mailbox.localPart === 'nobody' ? reply(550, '5.1.1', 'No such user') : undefined,
    resume(_session, { mail: { transactionId = '' } }) {
      const known = held.get(transactionId);
      return known && { offset: known.text.length, recipients: known.recipients, by: 'DATA' };
    },
    async message(_session, { mail: { transactionId = '' }, recipients, offset = 0 }, text) {
      const known = held.get(transactionId) ?? { text: '', recipients };
      held.set(transactionId, known);
      let all = known.text;
      try {
        for await (const piece of text) {
          all += piece.toString('latin1');
          if (isCut || all.length < 500_000) continue;
          isCut = true;
          cut();
        }
      } finally {
        known.text = all.slice(0, all.lastIndexOf('\n') + 1);
      }
      taken.push({ text: all, to: recipients.map(({ mailbox }) => mailbox.localPart), offset });
      return reply(250, '2.0.0', 'Ok');
    },
    forget: () => held.clear(),
  };
  const server = createServer({ hostname: 'mx.test', handlers, extensions: { checkpoint: true }, onError: () => {} });
  const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
  return { server, taken, held, port: 'port' in address ? address.port : 0 };
}

describe('a named transaction', () => {
  it('EXT-CKPT-2 EXT-CKPT-6 goes on through the client by the name that its result has, for those who have it', async () => {
    const sockets: Socket[] = [];
    const { server, taken, held, port } = await startServer(() => sockets[0]?.destroy());
    const text = Array.from({ length: 20_000 }, (_, line) => `${line}`.padEnd(900, '.')).join('\r\n');
    const mail = { transactionId: '1@client.test' };
    await using client = createClient({
      port,
      host: '127.0.0.1',
      tls: 'none',
      socketFactory: () => {
        const socket = connect({ port, host: '127.0.0.1' });
        sockets.push(socket);
        return socket;
      },
    });
    const message = (to: readonly string[]): ClientMessage => ({ envelope: { from: 'a@x.test', to, mail }, text });
    const first = await client.send(message(['b@y.test', 'nobody@y.test', 'c@y.test']));
    expect(first.recipients.map(({ kind, transactionId }) => [kind, transactionId])).toEqual([
      ['deferred', '1@client.test'],
      ['refused', undefined],
      ['deferred', '1@client.test'],
    ]);
    const second = await client.send(message(['b@y.test', 'c@y.test']));
    expect(second.ok).toBe(true);
    expect(taken.map(({ to }) => to)).toEqual([['b', 'c']]);
    expect(taken[0]?.offset).toBeGreaterThan(400_000);
    expect(taken[0]?.text === `${text}\r\n`).toBe(true);
    await client.close();
    expect(held.size).toBe(0);
    await server.close();
  });

  it('EXT-CKPT-6 has no name in its result when it is not the text that broke off, or was given up in it', async () => {
    const sockets: Socket[] = [];
    const { server, port } = await startServer(() => undefined);
    const controller = new AbortController();
    await using client = createClient({
      port,
      host: '127.0.0.1',
      tls: 'none',
      socketFactory: () => {
        const socket = connect({ port, host: '127.0.0.1' });
        sockets.push(socket);
        return socket;
      },
    });
    const envelope = { from: 'a@x.test', to: ['b@y.test'], mail: { transactionId: '1@client.test' } };
    async function* endless() {
      yield Buffer.from('Subject: x\r\n\r\n');
      controller.abort();
      await new Promise(() => undefined);
    }
    const given = await client.send({ envelope, text: endless() }, { signal: controller.signal });
    expect(given.recipients[0]).toMatchObject({ kind: 'deferred', transactionId: '1@client.test' });
    const refused = await client.send({ envelope: { ...envelope, to: ['nobody@y.test'] }, text: 'x' });
    expect(refused.recipients[0]).not.toHaveProperty('transactionId');
    await client.close();
    await server.close({ grace: 0 });
  });
});
