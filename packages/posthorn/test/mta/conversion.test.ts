import { connect } from 'node:net';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import type { MailHostOptions } from '../../../smtp/test/client/scripted-host.ts';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { pairOf, startNextHop } from './next-hop.ts';

/** An agent that sends all mail for elsewhere to a host with these extensions. */
async function startPair(...offers: readonly string[]) {
  const options: MailHostOptions = { offers: ['ENHANCEDSTATUSCODES', ...offers] };
  const hop = await startNextHop(options);
  const test = await startTestAgent(() => ({ relayFrom: ['127.0.0.0/8'], routes: [{ domain: '*', to: hop.to }] }));
  return pairOf(test, hop);
}

/** Sends a message by BDAT; gives the final reply. */
function sendChunk(port: number, parameters: string, text: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let said = '';
    socket.setTimeout(20_000, () => socket.destroy(new Error(`silence after ${said}`)));
    socket.on('error', reject);
    socket.on('data', (piece) => {
      said += piece.toString('latin1');
      const last = said.split('\r\n').filter((line) => line[3] === ' ');
      if (last.length === 1 && !said.includes('250')) socket.write('EHLO client.example\r\n');
      if (last.length === 2) {
        socket.write(
          `MAIL FROM:<ann@example.org>${parameters}\r\nRCPT TO:<u@far.example>\r\nBDAT ${text.length} LAST\r\n`,
        );
        socket.write(text);
      }
      if (last.length === 5) {
        socket.end();
        resolve(last[4] as string);
      }
    });
  });
}

const lines = (...list: readonly string[]) => Buffer.from(list.map((line) => `${line}\r\n`).join(''), 'latin1');
const utf8 = (text: string) => Buffer.from(text).toString('latin1');

const nested = lines(
  'From: ann@example.org',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=out',
  'Content-Transfer-Encoding: 8bit',
  '',
  '--out',
  'Content-Type: multipart/alternative; boundary=in',
  'Content-Transfer-Encoding: 8bit',
  '',
  '--in',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  utf8('Grüße'),
  '--in',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<b>Gr=C3=BC=C3=9Fe</b>',
  '--in--',
  '--out',
  'Content-Type: message/rfc822',
  'Content-Transfer-Encoding: 8bit',
  '',
  'Subject: inner',
  'MIME-Version: 1.0',
  'Content-Type: application/octet-stream',
  'Content-Transfer-Encoding: 8bit',
  '',
  utf8('é'),
  '--out--',
);

describe('mail on its way to a host that cannot take it as it is', () => {
  it('EXT-8BIT-2 TRC-7 leaves in 7 bits, encoded at every level once, to a host without 8BITMIME', async () => {
    await using pair = await startPair();
    await sendMail(pair.test.port, {
      from: '<ann@example.org> BODY=8BITMIME',
      to: ['<u@far.example>'],
      text: nested.toString('latin1'),
    });
    await expect.poll(() => pair.hop.taken.length).toBe(1);
    const [taken] = pair.hop.taken;
    expect(taken?.mail).not.toContain('BODY=');
    expect(taken?.text).toMatch(/^[\r\n\t -~]*$/);
    expect(taken?.text.match(/Content-Transfer-Encoding: .*/g)).toEqual([
      'Content-Transfer-Encoding: 7bit',
      'Content-Transfer-Encoding: 7bit',
      'Content-Transfer-Encoding: quoted-printable',
      'Content-Transfer-Encoding: quoted-printable',
      'Content-Transfer-Encoding: 7bit',
      'Content-Transfer-Encoding: base64',
    ]);
    const mail = await PostalMime.parse(taken?.text ?? '');
    expect(mail.text).toMatch(/^Grüße\n/);
    expect(mail.html).toMatch(/^<b>Grüße<\/b>/);
  });

  it('EXT-8BIT-2 EXT-8BIT-1 leaves as it is to a host with 8BITMIME', async () => {
    await using pair = await startPair('8BITMIME');
    const text = nested.toString('latin1');
    await sendMail(pair.test.port, { from: '<ann@example.org> BODY=8BITMIME', to: ['<u@far.example>'], text });
    await expect.poll(() => pair.hop.taken.length).toBe(1);
    expect(pair.hop.taken[0]?.mail).toContain('BODY=8BITMIME');
    expect(pair.hop.taken[0]?.text.endsWith(text)).toBe(true);
  });

  const binary = Buffer.concat([
    lines('MIME-Version: 1.0', 'Content-Type: application/octet-stream', 'Content-Transfer-Encoding: binary', ''),
    Buffer.from([0, 1, 13, 10, 10, 255, 0]),
  ]);

  it.each([[['8BITMIME']], [[]]])(
    'EXT-CHUNK leaves binary mail in base64 to a host that offers only %j',
    async (offers) => {
      await using pair = await startPair(...offers);
      expect(await sendChunk(pair.test.port, ' BODY=BINARYMIME', binary)).toMatch(/^250 /);
      await expect.poll(() => pair.hop.taken.length).toBe(1);
      const [taken] = pair.hop.taken;
      expect(taken?.text).toContain('\r\nContent-Transfer-Encoding: base64\r\n');
      expect(taken?.text.endsWith(`\r\n\r\n${Buffer.from([0, 1, 13, 10, 10, 255, 0]).toString('base64')}\r\n`)).toBe(
        true,
      );
    },
  );

  it('EXT-CHUNK leaves binary mail as it is to a host with BINARYMIME', async () => {
    await using pair = await startPair('8BITMIME', 'CHUNKING', 'BINARYMIME');
    await sendChunk(pair.test.port, ' BODY=BINARYMIME', binary);
    await expect.poll(() => pair.hop.taken.length).toBe(1);
    expect(pair.hop.taken[0]?.mail).toContain('BODY=BINARYMIME');
    expect(pair.hop.taken[0]?.text.endsWith(binary.toString('latin1'))).toBe(true);
  });

  const signed = lines(
    'MIME-Version: 1.0',
    'Content-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"; micalg=pgp-sha256',
    'Content-Transfer-Encoding: 8bit',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    utf8('é'),
    '--b',
    'Content-Type: application/pgp-signature',
    '',
    'x',
    '--b--',
  );

  it.each([
    ['ENH-6/5.6.2', 'signed', signed],
    ['ENH-6/5.6.3', 'a header that is not ASCII', lines(`Subject: ${utf8('é')}`, '', 'x')],
    ['ENH-6/5.6.0', 'a line of the header that is too long', lines(`Subject: ${'x'.repeat(1200)}`, '', 'x')],
    ['ENH-6/5.6.5', 'a label that is wrong', lines('Content-Transfer-Encoding: base64', '', utf8('é'))],
  ])('%s EXT-8BIT-2 fails where no form of it is allowed: %s', async (id, _, text) => {
    const status = id.slice('ENH-6/'.length);
    await using pair = await startPair();
    await sendMail(pair.test.port, {
      from: '<ann@example.org> BODY=8BITMIME',
      to: ['<u@far.example>'],
      text: text.toString('latin1'),
    });
    const [report] = await mailIn(pair.test, 'ann', 1);
    expect(report).toContain(`\nStatus: ${status}\n`);
    expect(pair.hop.taken).toEqual([]);
  });

  it.each([[[]], [['8BITMIME', 'CHUNKING', 'BINARYMIME']]])(
    'EXT-CHUNK-2 ENH-6/5.6.3 is given back when it is binary without having been declared so, whatever the host offers: %j',
    async (offers) => {
      await using pair = await startPair(...offers);
      const text = lines(
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Type: application/octet-stream',
        'Content-Transfer-Encoding: Binary',
        '',
        'x'.repeat(1200),
        '--b--',
      );
      const answer = await sendMail(pair.test.port, {
        from: '<ann@example.org>',
        to: ['<u@far.example>'],
        text: text.toString('latin1'),
      });
      expect(answer[0]).toMatch(/^250 /);
      const [report] = await mailIn(pair.test, 'ann', 1);
      expect(report).toContain('\nStatus: 5.6.3\n');
      expect(pair.hop.sessions.flatMap((session) => session.lines)).not.toContain('RCPT TO:<u@far.example>');
      expect(pair.hop.taken).toEqual([]);
    },
  );

  it('is sent on when lines of text are labelled binary', async () => {
    await using pair = await startPair('8BITMIME');
    const text = lines('MIME-Version: 1.0', 'Content-Transfer-Encoding: binary', '', 'plain text').toString('latin1');
    await sendMail(pair.test.port, { from: '<ann@example.org>', to: ['<u@far.example>'], text });
    await expect.poll(() => pair.hop.taken.length).toBe(1);
    expect(pair.hop.taken[0]?.text.endsWith(text)).toBe(true);
  });
});
