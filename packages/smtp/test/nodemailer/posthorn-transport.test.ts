import { once } from 'node:events';
import { Readable } from 'node:stream';
import { type ClientOptions, posthornTransport, SendError, type SentMessage } from '@posthorn/smtp/nodemailer';
import type { Inbox } from '@posthorn/smtp/testing';
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openInbox } from '../testing/open-inbox.ts';

/** Nodemailer over this library, to an inbox. */
function mailerOf({ host, port }: Inbox, options: Partial<ClientOptions> = {}): Transporter<SentMessage> {
  const mailer = createTransport(posthornTransport({ host, port, ...options } as ClientOptions));
  onTestFinished(() => mailer.close());
  return mailer;
}

const message: SendMailOptions = {
  from: 'Shop <shop@a.test>',
  to: ['ann@b.test', '"Bob" <bob@b.test>'],
  bcc: 'eve@b.test',
  subject: 'Grüße',
  text: 'Hello\n.\n',
};

/** The error that sending rejects with. */
async function failureOf(sending: Promise<unknown>): Promise<SendError> {
  const error = await sending.then(() => undefined).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SendError);
  return error as SendError;
}

describe('the transport for Nodemailer', () => {
  it('sends what Nodemailer composes, and tells what Nodemailer would', async () => {
    const inbox = await openInbox();
    const info = await mailerOf(inbox).sendMail({
      ...message,
      dkim: undefined,
      attachments: [{ filename: 'a.txt', content: 'x' }],
    });
    const mail = await inbox.next();
    expect(info).toMatchObject({
      envelope: { from: 'shop@a.test', to: ['ann@b.test', 'bob@b.test', 'eve@b.test'] },
      messageId: mail.headers.get('message-id'),
      accepted: ['ann@b.test', 'bob@b.test', 'eve@b.test'],
      rejected: [],
      pending: [],
      response: '250 2.0.0 Ok: kept',
    });
    expect(info.rejectedErrors).toBeUndefined();
    expect(info.ehlo).toContain('PIPELINING');
    expect(mail).toMatchObject({ subject: 'Grüße', text: 'Hello\n.\n', attachments: [{ filename: 'a.txt' }] });
    expect(mail.headers.get('bcc')).toBeUndefined();
    expect(mail.envelope.to).toHaveLength(3);
  });

  it('takes an envelope of its own, addresses in UTF-8, and texts that are larger than memory should hold', async () => {
    const inbox = await openInbox();
    const mailer = mailerOf(inbox);
    const envelope = { from: 'bounce@a.test', to: ['jürgen@bücher.test'] };
    const content = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(20_000, 'x')));
    const { accepted } = await mailer.sendMail({ ...message, envelope, attachments: [{ filename: 'big', content }] });
    expect(accepted).toEqual(['jürgen@bücher.test']);
    const mail = await inbox.next();
    expect(mail.envelope).toMatchObject({ from: 'bounce@a.test', mail: { smtputf8: true } });
    expect(mail.attachments[0]?.content).toHaveLength(800_000);
    await mailer.sendMail({ ...message, envelope: { from: '', to: ['ann@b.test'] } });
    expect((await inbox.next()).envelope.from).toBe('');
  });

  it.each([
    [
      { id: 'QQ1', return: 'headers', notify: ['failure', 'delay'], recipient: 'ann@c.test' },
      'HDRS',
      ['FAILURE', 'DELAY'],
      'rfc822;ann@c.test',
    ],
    [
      { envid: 'QQ1', ret: 'FULL', notify: 'success, failure', orcpt: 'x400;y' },
      'FULL',
      ['SUCCESS', 'FAILURE'],
      'x400;y',
    ],
    [{ envid: 'QQ1', notify: 'never' }, undefined, [], undefined],
  ])('asks for the reports that dsn names: %j', async (dsn, ret, notify, originalRecipient) => {
    const inbox = await openInbox();
    await mailerOf(inbox).sendMail({ ...message, dsn } as SendMailOptions);
    const { mail, recipients } = (await inbox.next()).envelope;
    expect([mail.ret, mail.envelopeId]).toEqual([ret, 'QQ1']);
    for (const recipient of recipients) expect(recipient).toMatchObject({ notify });
    expect(recipients[0]?.originalRecipient).toBe(originalRecipient);
  });

  it.each([{ ret: 'all' }, { notify: 'sometimes' }, { notify: ['never', 'delay'] }])(
    'refuses what is no dsn: %j',
    async (dsn) => {
      const inbox = await openInbox();
      const { code } = await failureOf(mailerOf(inbox).sendMail({ ...message, dsn } as SendMailOptions));
      expect(code).toBe('EENVELOPE');
    },
  );

  it('tells of each recipient that was refused, and fails when all were', async () => {
    const inbox = await openInbox();
    inbox.trouble({ refuse: { to: /^bob/, status: '5.1.1', text: 'No Bob' } }, { defer: { to: /^eve/ } });
    const mailer = mailerOf(inbox);
    const info = await mailer.sendMail(message);
    expect([info.accepted, info.rejected]).toEqual([['ann@b.test'], ['bob@b.test', 'eve@b.test']]);
    expect(info.rejectedErrors).toMatchObject([
      { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, permanent: true, recipient: 'bob@b.test' },
      { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 451, permanent: false, recipient: 'eve@b.test' },
    ]);
    const error = await failureOf(mailer.sendMail({ ...message, to: 'bob@b.test', bcc: [] }));
    expect(error).toMatchObject({
      message: "Can't send mail - all recipients were rejected: 550 5.1.1 No Bob",
      code: 'EENVELOPE',
      command: 'RCPT TO',
      response: '550 5.1.1 No Bob',
      responseCode: 550,
      permanent: true,
      rejected: ['bob@b.test'],
    });
    const both = await failureOf(mailer.sendMail({ ...message, to: ['eve@b.test', 'bob@b.test'], bcc: [] }));
    expect(both).toMatchObject({ responseCode: 451, permanent: false, rejected: ['eve@b.test', 'bob@b.test'] });
  });

  it.each([
    [
      { refuse: { at: 'mail', code: 552, status: '5.2.3' } },
      { code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 552 },
    ],
    [{ refuse: { at: 'text', code: 554, status: '5.6.0' } }, { code: 'EMESSAGE', command: 'DATA', responseCode: 554 }],
    [{ refuse: { at: 'connect', code: 554 } }, { code: 'EPROTOCOL', command: 'CONN', responseCode: 554 }],
    [{ drop: 'after-text' }, { code: 'ECONNECTION', command: 'DATA' }],
  ] as const)('names the command and the code: %j', async (rule, expected) => {
    const inbox = await openInbox();
    inbox.trouble(rule);
    const error = await failureOf(mailerOf(inbox).sendMail(message));
    expect(error).toMatchObject(expected);
    if (!('responseCode' in expected)) expect(error.responseCode).toBeUndefined();
  });

  it('verifies the way there and the login', async () => {
    const inbox = await openInbox({ tls: 'starttls', users: { shop: 'secret' } });
    const tlsMaterial = { ca: inbox.ca as string };
    const options = { tls: 'starttls', tlsMaterial, credentials: { user: 'shop', password: 'secret' } } as const;
    const mailer = mailerOf(inbox, options);
    expect(await mailer.verify()).toBe(true);
    expect((await mailer.sendMail(message)).rejected).toEqual([]);
    expect((await inbox.next()).envelope).toMatchObject({ login: 'shop', secure: true });
    const wrong = mailerOf(inbox, { ...options, credentials: { user: 'shop', password: 'x' } });
    expect(await failureOf(wrong.verify())).toMatchObject({ code: 'EAUTH', command: 'AUTH', responseCode: 535 });
    expect(await failureOf(wrong.sendMail(message))).toMatchObject({ code: 'EAUTH', responseCode: 535 });
    const untrusting = mailerOf(inbox, { tls: 'starttls' });
    const told = await new Promise((resolve) => untrusting.verify((error) => resolve(error)));
    expect(told).toMatchObject({ code: 'ETLS', command: 'STARTTLS' });
    const verified = new Promise((resolve) => mailer.verify((error, success) => resolve([error, success])));
    expect(await verified).toEqual([null, true]);
    await inbox.close();
    expect(await failureOf(mailerOf(inbox).verify())).toMatchObject({ code: 'ESOCKET', command: 'CONN' });
  });

  it('asks for REQUIRETLS, and fails where it is not to be had', async () => {
    const inbox = await openInbox({ tls: 'starttls', extensions: { requireTls: true } });
    const wish = { ...message, requireTLSExtensionEnabled: true } as SendMailOptions;
    await mailerOf(inbox, { tls: 'starttls', tlsMaterial: { ca: inbox.ca as string } }).sendMail(wish);
    expect((await inbox.next()).envelope.mail.requireTls).toBe(true);
    const plain = await openInbox();
    expect(await failureOf(mailerOf(plain).sendMail(wish))).toMatchObject({ code: 'EREQUIRETLS' });
  });

  it('shares a few connections among many messages, is busy and then idle, and closes', async () => {
    const inbox = await openInbox();
    inbox.trouble({ delay: { at: 'mail', milliseconds: 20 }, times: 4 });
    const transport = posthornTransport({ host: inbox.host, port: inbox.port, limits: { connections: 2 } });
    const mailer = createTransport(transport);
    await once(mailer, 'idle');
    const sending = Array.from({ length: 20 }, () => mailer.sendMail(message));
    await new Promise(setImmediate);
    expect(mailer.isIdle()).toBe(false);
    const idle = once(mailer, 'idle');
    await Promise.all(sending);
    await idle;
    expect(mailer.isIdle()).toBe(true);
    expect(new Set(inbox.transcript.map(({ session }) => session)).size).toBeLessThanOrEqual(2);
    expect(inbox.messages).toHaveLength(20);
    const closed = once(transport, 'close');
    mailer.close();
    await closed;
    expect(await failureOf(mailer.sendMail(message))).toMatchObject({ code: 'EABORT' });
  });

  it('sends over another connection where the host has closed the one it kept', async () => {
    const inbox = await openInbox();
    const mailer = mailerOf(inbox);
    await mailer.sendMail(message);
    inbox.trouble({ drop: 'after-mail', times: 1 });
    const info = await mailer.sendMail(message);
    expect(info.rejected).toEqual([]);
    expect(inbox.messages).toHaveLength(2);
  });

  it('ends with the signal of a message, fails with the stream of an attachment, and takes no login per message', async () => {
    const inbox = await openInbox();
    const mailer = mailerOf(inbox);
    inbox.trouble({ delay: { at: 'mail', milliseconds: 10_000 }, times: 1 });
    const controller = new AbortController();
    const sending = mailer.sendMail({ ...message, signal: controller.signal } as SendMailOptions);
    const failure = failureOf(sending);
    await vi.waitUntil(() => inbox.transcript.some(({ text }) => text.startsWith('trouble at mail')));
    controller.abort();
    expect(await failure).toMatchObject({ code: 'EABORT' });
    await expect(mailer.sendMail({ ...message, attachments: [{ path: '/nowhere/at/all' }] })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    const auth = { user: 'x', pass: 'y' };
    expect(await failureOf(mailer.sendMail({ ...message, auth } as SendMailOptions))).toMatchObject({
      code: 'EENVELOPE',
    });
    expect((await mailer.sendMail(message)).rejected).toEqual([]);
  });
});
