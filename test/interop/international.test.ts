import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailIn, type TestAgent, talk } from '../../packages/posthorn/test/mta/fixture.ts';
import { give, Parts, placeOf, reportIn, startNames, startPosthornAt } from './network.ts';
import { type Capture, startCapture } from './peers/capture.ts';
import { startExim } from './peers/exim.ts';
import { hasPeers } from './peers/peer.ts';
import { type Postfix, startPostfix } from './peers/postfix.ts';

const smtputf8 = { smtputf8: true, body: '8BITMIME' } as const;
const most = { timeout: 60_000 };

/** A message whose header has letters that only SMTPUTF8 carries. */
const letter = (from: string, to: string) =>
  `From: Анна <${from}>\r\nTo: <${to}>\r\nSubject: Привет из Гёрлица\r\nMIME-Version: 1.0\r\n` +
  'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nКак дела?\r\n';

describe.skipIf(!hasPeers('postfix', 'exim4', 'knotd'))('mail in every script', () => {
  const parts = new Parts();
  let home: TestAgent;
  let postfix: Postfix;
  let beyond: Capture;

  beforeAll(async () => {
    const mail = { mx: [[10, 'mx.postfix.example'] as const] };
    const { address } = await parts.add(startNames({ 'xn--80a1acny.example': mail }));
    home = await parts.add(startPosthornAt('home', address));
    const settings = {
      smtputf8_enable: 'yes',
      myhostname: 'mx.postfix.example',
      transport_maps: `inline:{ {home.example = smtp:[${placeOf('home').host}]:25} }`,
    };
    const mailboxes = ['пеле@postfix.example', 'пеле@xn--80a1acny.example'];
    postfix = await parts.add(startPostfix({ place: placeOf('postfix'), mailboxes, settings }));
    beyond = await parts.add(startCapture());
    const plain = 'smtputf8_advertise_hosts =\n';
    await parts.add(startExim({ place: placeOf('exim'), relayTo: beyond.port, settings: plain }));
  });

  afterAll(() => parts[Symbol.asyncDispose]());

  const inPostfix = async (address: string) => {
    await expect.poll(() => postfix.mailbox(address).length, { timeout: 20_000 }).toBe(1);
    return postfix.mailbox(address)[0]?.toString() ?? '';
  };

  it('EXT-UTF8-1 EXT-UTF8-5 EXT-UTF8-11 goes to a mailbox of Postfix as it is', most, async () => {
    const [from, to] = ['анна@home.example', 'пеле@postfix.example'];
    await give('home', { from, to, mail: smtputf8, text: letter(from, to) });
    const mail = await inPostfix(to);
    expect(mail).toContain(`Return-Path: <${from}>\n`);
    for (const line of letter(from, to).split('\r\n')) expect(mail).toContain(`${line}\n`);
    expect(mail).toMatch(/by mx\.postfix\.example \(Postfix\) with UTF8SMTP id/);
    expect(mail).toMatch(/by mx\.home\.example with UTF8SMTP id/);
  });

  it('EXT-UTF8-4 finds the host of a domain in another script by its A-labels', most, async () => {
    const wire = (text: string) => Buffer.from(text).toString('latin1');
    const to = 'пеле@почта.example';
    const replies = await talk(home.port, [
      { send: 'EHLO client.example\r\n', replies: 1 },
      { send: wire(`MAIL FROM:<анна@home.example> SMTPUTF8\r\nRCPT TO:<${to}>\r\nDATA\r\n`), replies: 3 },
      { send: wire(`${letter('анна@home.example', to)}.\r\n`), replies: 1 },
    ]);
    expect(replies.at(-1)).toMatch(/^250 /);
    expect(await inPostfix('пеле@xn--80a1acny.example')).toContain('Subject: Привет из Гёрлица\n');
  });

  it('EXT-UTF8-5 EXT-UTF8-9 comes from Postfix into a mailbox as it is', most, async () => {
    const [from, to] = ['пеле@postfix.example', 'дора@home.example'];
    await give('postfix', { from, to, mail: smtputf8, text: letter(from, to) });
    const [mail = ''] = await mailIn(home, 'дора', 1);
    const text = Buffer.from(mail, 'latin1').toString();
    expect(text).toMatch(/by mx\.home\.example with UTF8SMTP id/);
    for (const line of letter(from, to).split('\r\n')) expect(text).toContain(`${line}\n`);
  });

  it(
    'EXT-UTF8-6 EXT-UTF8-10 EXT-UTF8-12 is reported about by Postfix, and the report is understood',
    most,
    async () => {
      const to = 'пеле@postfix.example';
      const originalRecipient = 'utf-8;шеф@elsewhere.example';
      await give('home', {
        from: 'успех@home.example',
        to,
        mail: { ...smtputf8, envelopeId: 'x' },
        recipient: { notify: ['SUCCESS'], originalRecipient },
        text: letter('успех@home.example', to),
      });
      const { report } = await reportIn(home, 'успех');
      expect(report).toMatchObject({
        envelopeId: 'x',
        recipients: [{ finalRecipient: to, originalRecipient, action: 'delivered' }],
      });
    },
  );

  it.each([
    ['EXT-UTF8-3 EXT-UTF8-6 EXT-UTF8-12 DSN-19', 'пеле@exim.example', 'ann', '5.6.7'],
    ['EXT-UTF8-3 EXT-UTF8-6 EXT-UTF8-9 DSN-19', 'пеле@exim.example', 'аня', '5.6.7'],
    ['EXT-UTF8-3 DSN-19', 'pele@exim.example', 'ben', '5.6.9'],
  ])('%s for %s comes back from a host without SMTPUTF8, to %s, with %s', most, async (_ids, to, box, status) => {
    const from = `${box}@home.example`;
    await give('home', { from, to, mail: smtputf8, text: letter(from, to) });
    const { report, original } = await reportIn(home, box);
    expect(report.recipients).toMatchObject([{ finalRecipient: to, action: 'failed', status }]);
    expect(original?.content.toString()).toContain('Subject: Привет из Гёрлица');
    const [text = ''] = await mailIn(home, box, 1);
    const isForeign = box === 'аня';
    expect(text).toContain(`\nContent-Type: message/${isForeign ? 'global-' : ''}delivery-status\n`);
    expect(text).toContain(`\n\tby mx.home.example with ${isForeign ? 'UTF8SMTP' : 'ESMTP'} id`);
    // To the sender in ASCII nothing comes that needs more.
    expect(/^[\0-\x7f]*$/.test(text)).toBe(!isForeign);
    expect(beyond.mails).toEqual([]);
  });
});
