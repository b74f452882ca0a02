import { execFileSync } from 'node:child_process';
import { openConnection } from '@posthorn/smtp/client/open-connection';
import { SMTPServer } from 'smtp-server';
import { describe, expect, it } from 'vitest';
import { largeSample, samples, withoutTrace } from './corpus.ts';
import { type Captured, startCapture } from './peers/capture.ts';
import { startDovecot } from './peers/dovecot.ts';
import { startExim } from './peers/exim.ts';
import { startOpenSmtpd } from './peers/opensmtpd.ts';
import { hasPeers, type Peer, program } from './peers/peer.ts';
import { startPostfix } from './peers/postfix.ts';
import { startPosthorn } from './posthorn.ts';

/** Gives messages to Posthorn, one after the other. */
async function submit(port: number, texts: readonly Buffer[], to: string): Promise<void> {
  await using connection = await openConnection({ host: '127.0.0.1', port, tls: 'none', name: 'client.example' });
  for (const text of texts) {
    const { recipients } = await connection.send({
      envelope: { from: 'ann@example.com', to: [to], mail: { body: '8BITMIME' } },
      text,
    });
    expect(recipients.map(({ kind }) => kind)).toEqual(['accepted']);
  }
}

function expectSame(mails: readonly Captured[], texts: readonly Buffer[]): void {
  const got = mails.map(({ text }) => withoutTrace(text).toString('latin1')).sort();
  const expected = texts.map((text) => text.toString('latin1')).sort();
  expect(got.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  expect(got.every((text, index) => text === expected[index])).toBe(true);
}

/** Sends all samples through Posthorn and a peer to the end of the way. */
async function throughPeer(
  start: (options: { relayTo: number }) => Promise<Peer>,
  texts: readonly Buffer[],
): Promise<void> {
  await using capture = await startCapture();
  await using peer = await start({ relayTo: capture.port });
  await using posthorn = await startPosthorn({
    routes: [{ domain: '*', to: `smtp://127.0.0.1:${peer.port}?tls=none` }],
  });
  await submit(posthorn.ports.mx, texts, 'carl@far.example');
  expectSame(await capture.waitFor(texts.length), texts);
}

const small = samples.map(({ text }) => text);
const all = [...small, largeSample().text];

describe('Posthorn relays', () => {
  it.skipIf(!hasPeers('postfix'))(
    'TRC-7 CLI-DATA-1 EX-12 to Postfix, each sample and 50 MB byte for byte',
    { timeout: 120_000 },
    () => throughPeer(startPostfix, all),
  );

  it.skipIf(!hasPeers('exim4'))(
    'TRC-7 CLI-DATA-1 CLI-BDAT-1 to Exim, which takes BDAT, each sample and 50 MB byte for byte',
    { timeout: 120_000 },
    () => throughPeer(startExim, all),
  );

  it.skipIf(!hasPeers('smtpd'))(
    'TRC-7 CLI-PARM-1 to OpenSMTPD, which refuses pipelined input, each sample byte for byte',
    { timeout: 120_000 },
    () => throughPeer(startOpenSmtpd, all),
  );

  it('TRC-7 EXT-PIPE-4 to smtp-server, each sample byte for byte', async () => {
    const mails: Captured[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, _session, callback) {
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('end', () => {
          mails.push({ from: '', to: [], text: Buffer.concat(pieces) });
          callback();
        });
      },
    });
    const port = await new Promise<number>((resolve) => {
      const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as { port: number }).port));
    });
    try {
      await using posthorn = await startPosthorn({
        routes: [{ domain: '*', to: `smtp://127.0.0.1:${port}?tls=none` }],
      });
      await submit(posthorn.ports.mx, small, 'carl@far.example');
      await expect.poll(() => mails.length, { timeout: 20_000 }).toBe(small.length);
      expectSame(mails, small);
    } finally {
      await new Promise<void>((resolve) => server.close(resolve));
    }
  });
});

describe.skipIf(!hasPeers('dovecot', 'curl'))('Posthorn delivers to Dovecot over LMTP', () => {
  it('LMTP-6 LMTP-1 TRC-6 each sample and 50 MB, read back byte for byte by IMAP and POP3', {
    timeout: 120_000,
  }, async () => {
    await using dovecot = await startDovecot();
    await using posthorn = await startPosthorn({
      routes: [{ domain: 'far.example', to: `lmtp://127.0.0.1:${dovecot.port}` }],
    });
    await submit(posthorn.ports.mx, all, 'carl@far.example');
    const read = (url: string) =>
      execFileSync(program('curl'), ['-s', '--max-time', '30', '-u', 'carl:secret', url], { maxBuffer: 1e8 });
    const listed = () =>
      read(`pop3://127.0.0.1:${dovecot.pop3}/`)
        .toString()
        .trim()
        .split('\n')
        .filter((line) => /^\d/.test(line)).length;
    await expect.poll(listed, { timeout: 30_000, interval: 200 }).toBe(all.length);
    const numbers = all.map((_, index) => index + 1);
    const byPop = numbers.map((number) => ({
      from: '',
      to: [],
      text: read(`pop3://127.0.0.1:${dovecot.pop3}/${number}`),
    }));
    expectSame(byPop, all);
    const byImap = numbers.map((number) => ({
      from: '',
      to: [],
      text: read(`imap://127.0.0.1:${dovecot.imap}/INBOX;MAILINDEX=${number}`),
    }));
    expectSame(byImap, all);
  });
});
