import type { MessageToCompose } from '@posthorn/smtp/client';
import type { ReceivedMail } from '@posthorn/smtp/testing';
import { describe, expect, it } from 'vitest';
import { clientOf, openInbox } from './open-inbox.ts';

/** A mail as an inbox hands it out. */
async function received(message: Partial<MessageToCompose>): Promise<ReceivedMail> {
  const inbox = await openInbox();
  await clientOf(inbox).send({ from: 'shop@example.org', to: 'ann@a.test', ...message });
  return inbox.next();
}

describe('the links of a mail', () => {
  it('are those of text and HTML, each once, without what belongs to the sentence', async () => {
    const mail = await received({
      text: 'See https://a.test/x?y=1&z=2. (Or <https://a.test/b_(c)>, or http://b.test!) ftp://no.test',
      html: [
        '<a class="b" href="https://a.test/x?y=1&amp;z=2">Confirm</a> <A HREF=\'https://c.test/&#x2f;&quot;\'>x</A>',
        '<!-- <a href="https://hidden.test"> --> <a title="a > b" href = https://d.test/ >d</a>',
        '<img src="https://pixel.test"><a href="#top">top</a><a>none</a><a data-href="https://e.test" href="app://open">',
      ].join('\n'),
    });
    expect(mail.links).toEqual([
      'https://a.test/x?y=1&z=2',
      'https://a.test/b_(c)',
      'http://b.test',
      'https://c.test//"',
      'https://d.test/',
      'app://open',
    ]);
  });
});

describe('the code of a mail', () => {
  it.each([
    ['Your code is 482913. It expires in 1500 seconds.', '482913'],
    ['482913 is your Acme code. Valid until 2026-11-25 at 12:30.', '482913'],
    ['Here is your verification code:\n\n    7QK4-X9TA\n\nOrder 55512 was placed in 2026.', '7QK4-X9TA'],
    ['Use this PIN to log in: 0042', '0042'],
    ['Dein Einmalpasswort ist da.\n\nCode: 123 456\n\nRechnung 20261125', '123456'],
    ['验证码：8391，请勿泄露', '8391'],
    ['Hello,\n\n918273\n\nPaid 1200.50, call +49 30 1234567 or see https://a.test/code/555555', '918273'],
    ['Your code (A1B2C3) and again: code A1B2C3', 'A1B2C3'],
  ])('is found in %j', async (text, code) => {
    expect((await received({ text })).code()).toBe(code);
  });

  it('is found in the subject, and in HTML alone', async () => {
    expect((await received({ subject: '5512 is your code', text: 'See the subject.' })).code()).toBe('5512');
    const html =
      '<style>p { margin: 1234px } code 9999</style><p>Your code:</p><table><tr><td><b>77</b>4411</td></tr></table><p>&copy; 2026';
    expect((await received({ html })).code()).toBe('774411');
  });

  it.each([
    [
      'Your order 55512 of 2026 is on its way.',
      /^The mail has no code; nothing says which of these is one: 55512, 2026$/,
    ],
    ['Hello there', /^The mail has no code$/],
    ['Your code: 1234\n\nThe code of your friend: 5678', /^The mail has several codes: 1234, 5678$/],
  ])('is missed aloud in %j', async (text, message) => {
    const mail = await received({ text });
    expect(() => mail.code()).toThrow(message);
  });
});
