import { type Connection, openConnection } from '@posthorn/smtp/client/open-connection';
import { describe, expect, it } from 'vitest';
import { samples, withoutTrace } from './corpus.ts';
import { startCapture } from './peers/capture.ts';
import { startDovecot } from './peers/dovecot.ts';
import { startExim } from './peers/exim.ts';
import { hasPeers } from './peers/peer.ts';
import { startTap, type Tap } from './peers/tap.ts';
import { startPosthorn } from './posthorn.ts';
import { runProgram } from './run-program.ts';

const most = { timeout: 60_000 };
const texts = samples.map(({ text }) => text);

async function giveAll(connection: Connection): Promise<void> {
  const envelope = { from: 'ann@example.com', to: ['bob@example.org'], mail: { body: '8BITMIME' } } as const;
  for (const text of texts) expect(await connection.send({ envelope, text })).toMatchObject({ ok: true });
}

function expectSame(mails: readonly Buffer[]): void {
  const asLf = (text: Buffer) => text.toString('latin1').replaceAll('\r\n', '\n');
  expect(mails.map((mail) => asLf(withoutTrace(mail))).sort()).toEqual(texts.map(asLf).sort());
}

/** Each message went in chunks, and none by DATA. */
function expectChunks(tap: Tap): void {
  expect(tap.said().match(/(?:^|\n)BDAT \d+ LAST\r\n/g)).toHaveLength(texts.length);
  expect(tap.said()).not.toMatch(/(?:^|\n)DATA\r\n/);
}

const clear = { host: '127.0.0.1', tls: 'none', name: 'client.example' } as const;

describe('mail in chunks', () => {
  it.skipIf(!hasPeers('exim4'))(
    'CLI-BDAT-1 CMD-BDAT-1 CMD-BDAT-2 comes from Exim as it is, and goes to Exim as it is',
    most,
    async () => {
      await using posthorn = await startPosthorn();
      await using behind = await startTap(posthorn.ports.mx);
      await using exim = await startExim({ relayTo: behind.port });
      await using before = await startTap(exim.port);
      await using connection = await openConnection({ ...clear, port: before.port });
      await giveAll(connection);
      expectSame(await posthorn.mailbox('bob', texts.length));
      expectChunks(before);
      expectChunks(behind);
    },
  );

  it.skipIf(!hasPeers('dovecot'))(
    'CLI-BDAT-1 CMD-BDAT-1 CMD-BDAT-2 goes with a login to the submission server of Dovecot, and comes from it',
    most,
    async () => {
      await using posthorn = await startPosthorn();
      await using behind = await startTap(posthorn.ports.mx);
      await using dovecot = await startDovecot({ relayTo: behind.port });
      await using before = await startTap(dovecot.submission);
      const credentials = { user: 'ann', password: 'secret' };
      await using connection = await openConnection({
        ...clear,
        port: before.port,
        credentials,
        allowCleartextAuth: true,
      });
      await giveAll(connection);
      expectSame(await posthorn.mailbox('bob', texts.length));
      expectChunks(before);
      expectChunks(behind);
      const wrong = { ...credentials, password: 'wrong' };
      const failing = openConnection({ ...clear, port: before.port, credentials: wrong, allowCleartextAuth: true });
      await expect(failing).rejects.toMatchObject({ phase: 'auth', reply: { code: 535 } });
    },
  );

  it.skipIf(!hasPeers('perl', 'exim4'))(
    'EXT-CHUNK CMD-BDAT-8 comes in binary form from the SMTP client of Perl, and goes to Exim, which takes none, without loss',
    most,
    async () => {
      const body = Buffer.from('one\ntwo\rthree\0four\r\n.\r\n\xff\r\n', 'latin1');
      await using capture = await startCapture();
      await using exim = await startExim({ relayTo: capture.port });
      await using posthorn = await startPosthorn({
        routes: [{ domain: '*', to: `smtp://127.0.0.1:${exim.port}?tls=none` }],
      });
      const script = `use Net::SMTP; my $smtp = Net::SMTP->new("127.0.0.1", Port => ${posthorn.ports.mx}, Hello => "x.test") or die;
        binmode STDIN; local $/; my $text = <STDIN>;
        $smtp->mail('ann@example.com', Bits => 'binary') or die $smtp->message;
        $smtp->recipient('carl@far.example') or die $smtp->message;
        $smtp->bdat(substr($text, 0, 70)) or die $smtp->message;
        $smtp->bdatlast(substr($text, 70)) or die $smtp->message;
        $smtp->quit;`;
      const header =
        'MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n';
      await runProgram('perl', ['-e', script], Buffer.concat([Buffer.from(header), body]));
      const [mail] = await capture.waitFor(1);
      const [head = '', coded = ''] = mail?.text.toString('latin1').split('\r\n\r\n') ?? [];
      expect(head).toContain('\r\nContent-Transfer-Encoding: base64');
      expect(Buffer.from(coded, 'base64').equals(body)).toBe(true);
    },
  );
});
