import { assertMail, type MailMatchers, mailMatchers, type ReceivedMail } from '@posthorn/smtp/testing';
import { describe, expect, it } from 'vitest';
import { clientOf, openInbox } from './open-inbox.ts';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as the interface is declared there
  interface Matchers<T = any> extends MailMatchers<T> {}
}

expect.extend(mailMatchers);

const message = {
  from: 'Shop <shop@a.test>',
  to: ['ann@b.test', 'bob@b.test'],
  subject: 'Welcome',
  text: 'Your code is 482913.\nhttps://a.test/confirm?t=1',
  html: '<b>Your code is 482913.</b>',
  attachments: [{ filename: 'terms.pdf', content: 'x' }],
  headers: { 'X-Campaign': 'autumn' },
};

async function received(): Promise<{ inbox: Awaited<ReturnType<typeof openInbox>>; mail: ReceivedMail }> {
  const inbox = await openInbox();
  await clientOf(inbox).send(message);
  return { inbox, mail: inbox.messages[0] as ReceivedMail };
}

/** A message as an inbox of its own hands it out. */
async function inboxMail(sent: typeof message): Promise<ReceivedMail> {
  const inbox = await openInbox();
  await clientOf(inbox).send(sent);
  return inbox.next();
}

const right = {
  from: 'shop@a.test',
  to: ['ann@b.test', /^bob@/],
  subject: 'Welcome',
  text: 'code is',
  html: /<b>.*<\/b>/,
  link: /confirm/,
  code: '482913',
  attachment: 'terms.pdf',
  headers: { 'x-campaign': 'autumn', 'List-Unsubscribe': null },
};

const wrong = {
  from: 'a@a.test',
  to: 'eve@b.test',
  subject: 'Welcom',
  text: 'Goodbye',
  html: /<i>/,
  link: ['https://a.test/confirm'],
  code: '1',
  attachment: 'x',
  headers: { 'X-Campaign': null, 'X-None': 'y' },
};

const complaints = [
  'The mail is not as expected:',
  '  from: expected "a@a.test", but found "shop@a.test"',
  '  to: expected "eve@b.test", but found "ann@b.test", "bob@b.test"',
  '  subject: expected "Welcom", but found "Welcome"',
  '  text: expected "Goodbye", but found "Your code is 482913.\\nhttps://a.test/confirm?t=1"',
  '  html: expected /<i>/, but found "<b>Your code is 482913.</b>"',
  '  link: expected "https://a.test/confirm", but found "https://a.test/confirm?t=1"',
  '  code: expected "1", but found "482913"',
  '  attachment: expected "x", but found "terms.pdf"',
  '  header X-None: expected "y", but there is none',
  '  header X-Campaign: expected none, but found "autumn"',
].join('\n');

describe('assertMail', () => {
  it('is content with a mail that is right, and tells all that is wrong of another', async () => {
    const { mail } = await received();
    assertMail(mail, right);
    expect(() => assertMail(mail, wrong)).toThrow(
      expect.objectContaining({ name: 'AssertionError', message: complaints }),
    );
  });
});

describe('the matchers', () => {
  it('pass where the mail is right, and with .not where it is not', async () => {
    const { inbox, mail } = await received();
    expect(mail).toBeMail(right);
    expect(mail).not.toBeMail(wrong);
    expect(mail).toHaveSubject(/^Wel/);
    expect(mail).toBeFrom('shop@a.test');
    expect(mail).toBeTo('BOB@b.test');
    expect(mail).toHaveText('482913');
    expect(mail).toContainLink('https://a.test/confirm?t=1');
    expect(mail).toHaveCode('482913');
    expect(mail).toHaveAttachment(/\.pdf$/);
    expect(inbox).toHaveReceived({ to: 'ann@b.test' });
    expect(inbox).not.toHaveReceived({ to: 'eve@b.test' });
    await expect(inbox).toReceive({ subject: 'Welcome' });
    await expect(inbox).not.toReceive({ timeout: 5 });
  });

  it('say what is wrong', async () => {
    const { inbox, mail } = await received();
    expect(() => expect(mail).toBeMail(wrong)).toThrow(complaints);
    expect(() => expect(mail).not.toHaveSubject('Welcome')).toThrow(
      'Expected a mail that differs from subject Welcome',
    );
    expect(() => expect(inbox).toHaveReceived({ from: 'x@y.test' })).toThrow(
      'Expected mail from x@y.test, but there is only:\n  "Welcome" from <shop@a.test> to <ann@b.test>, <bob@b.test>',
    );
    expect(() => expect(inbox).not.toHaveReceived()).toThrow('Expected no mail, but there is:\n  "Welcome"');
    await expect(expect(inbox).toReceive({ to: 'eve@b.test', timeout: 5 })).rejects.toThrow(
      'No mail to eve@b.test within 5 ms',
    );
    const two = await inboxMail({ ...message, text: `Code: 1234\n\nPIN: 5678\n\n${'x'.repeat(400)}` });
    expect(() => expect(two).toHaveCode('1234')).toThrow(
      'code: expected "1234", but: The mail has several codes: 1234, 5678',
    );
    expect(() => expect(two).toHaveText('y')).toThrow(/found "Code: 1234.{1,320} … \(\d+ characters\)$/);
    expect(() => expect(7).toHaveSubject('x')).toThrow('for mails');
    expect(() => expect({}).toHaveReceived()).toThrow('for inboxes');
  });
});
