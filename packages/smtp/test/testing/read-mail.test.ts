import { readMail } from '@posthorn/smtp/testing';
import fc from 'fast-check';
import MailComposer from 'nodemailer/lib/mail-composer';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';

function compose(options: object): Promise<Buffer> {
  return new MailComposer(options).compile().build();
}

const lines = (...text: readonly string[]) => Buffer.from(text.join('\r\n'));

/** A message of one part. */
const part = (fields: readonly string[], body: string | Buffer) =>
  Buffer.concat([lines(...fields, '', ''), Buffer.from(body)]);

/** The other reader gives lines without CR, and each with an end. */
const legible = (content: Buffer | ArrayBuffer) =>
  Buffer.from(content as Buffer)
    .toString('latin1')
    .replaceAll('\r', '')
    .trimEnd();

const letters = [...'abc XYZ.,;=_?"()<>@', ...'éßöĀж你😀'];
const words = (maxLength: number) =>
  fc
    .string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength })
    .map((text) => text.trim().replace(/\s+/g, ' '));
const paragraph = fc
  .array(fc.string({ unit: fc.constantFrom(...letters, '-', '>', '0'), maxLength: 100 }), { maxLength: 6 })
  .map((all) => all.join('\n'));

const attachment = fc.record({
  filename: words(90).filter((name) => /^[^/\\:"<>?]+$/.test(name) && name === name.trim()),
  content: fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets)),
  contentType: fc.constantFrom('application/pdf', 'image/png', 'text/csv', 'application/octet-stream'),
});

describe('readMail', () => {
  it('reads whatever a composer wrote', async () => {
    const mail = fc.record(
      {
        subject: words(120),
        name: words(40).filter((name) => /^[^<>"@,;:()?=_.\\]+$/.test(name)),
        text: paragraph,
        html: paragraph.map((text) => `<p>${text}</p>`),
        attachments: fc.array(attachment, { maxLength: 3 }),
      },
      { requiredKeys: ['subject', 'name'] },
    );
    await fc.assert(
      fc.asyncProperty(
        mail,
        fc.constantFrom('quoted-printable', 'base64'),
        async ({ name, ...given }, textEncoding) => {
          const from = { name, address: 'ann@example.org' };
          const source = await compose({ from, to: 'bob@example.net', textEncoding, ...given });
          const read = readMail(source);
          expect(read.subject).toBe(given.subject);
          expect(read.from).toEqual(from);
          expect(read.to).toEqual([{ name: '', address: 'bob@example.net' }]);
          expect(read.text.trimEnd()).toBe((given.text ?? '').trimEnd());
          expect(read.html.trimEnd()).toBe((given.html ?? '').trimEnd());
          const files = read.attachments.map(({ filename, contentType, content }) => ({
            filename,
            contentType,
            content,
          }));
          expect(files).toEqual(given.attachments ?? []);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('reads what another reader reads', async () => {
    const samples = [
      {
        text: 'Plain ✓',
        html: '<p>Rich <img src="cid:logo@a"></p>',
        attachments: [
          { filename: 'logo.png', cid: 'logo@a', content: Buffer.from([1, 2, 3]) },
          {
            filename: 'Übersicht der Maßnahmen für das kommende Geschäftsjahr 2027.pdf',
            content: Buffer.alloc(500, 7),
          },
          {
            content: 'From: x@y.test\r\nSubject: inner\r\n\r\ninner text',
            contentType: 'message/rfc822',
            filename: 'inner.eml',
          },
        ],
      },
      { text: 'x', icalEvent: { method: 'request', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR' } },
      { text: 'Only a text, whose lines are long. '.repeat(20) },
    ];
    for (const sample of samples) {
      const source = await compose({
        from: 'ann@example.org',
        to: 'bob@example.net',
        cc: '"C, D" <c@d.test>',
        ...sample,
      });
      const read = readMail(source);
      const other = await PostalMime.parse(source, { forceRfc822Attachments: true });
      expect(read.text.trimEnd()).toBe((other.text ?? '').trimEnd());
      expect(read.html.trimEnd()).toBe((other.html ?? '').trimEnd());
      expect(read.cc).toEqual(other.cc);
      expect(
        read.attachments.map(({ filename = null, contentType, content }) => [filename, contentType, legible(content)]),
      ).toEqual(
        other.attachments.map(({ filename, mimeType, content }) => [
          filename,
          mimeType,
          legible(content as ArrayBuffer),
        ]),
      );
    }
  });

  it.each([
    ['iso-8859-15', [0xa4, 0x20, 0xe9], '€ é'],
    ['windows-1251', [0xcf, 0xf0, 0xe8], 'При'],
    ['shift_jis', [0x83, 0x65, 0x83, 0x58], 'テス'],
    ['us-ascii', [0x61, 0xc3, 0xa9], 'aé'],
    ['x-unknown', [0x61, 0xe9], 'aé'],
  ])('reads text in %s', (charset, octets, text) => {
    const source = part([`Content-Type: text/plain; charset=${charset}`], Buffer.from(octets));
    expect(readMail(source).text).toBe(text);
  });

  it('joins encoded words of one charset, even where a character is cut', () => {
    const source = part(
      ['Subject: Re: =?utf-8?b?w6k=?= =?UTF-8?q?_=C3?=', ' =?utf-8*en?q?=A9?= (=?iso-8859-1?q?=E9?=) =?bad'],
      '',
    );
    expect(readMail(source).subject).toBe('Re: é é (é) =?bad');
  });

  it('reads parameters in pieces, with a charset, and as encoded words', () => {
    const named = (parameter: string) =>
      readMail(part(['Content-Type: application/pdf', `Content-Disposition: attachment; ${parameter}`], 'x'))
        .attachments[0]?.filename;
    expect(named('filename*0*=utf-8\'\'%e2%82; filename*1*=%ac; filename*2=" 5%.pdf"')).toBe('€ 5%.pdf');
    expect(named("filename*=iso-8859-1'en'%A3.pdf; filename=x.pdf")).toBe('£.pdf');
    expect(named('filename="=?utf-8?q?=C3=A9=2Epdf?="')).toBe('é.pdf');
    expect(named('x=y')).toBeUndefined();
  });

  it('joins the lines of flowed text', () => {
    const flowed = (parameters: string, ...body: readonly string[]) =>
      readMail(part([`Content-Type: text/plain; format=flowed${parameters}`], lines(...body))).text;
    expect(flowed('', 'one ', 'two', ' >three', '> quoted ', '> more', '-- ', 'Ann')).toBe(
      'one two\n>three\n> quoted more\n-- \nAnn',
    );
    expect(flowed('; delsp=yes', '你 ', '好')).toBe('你好');
  });

  it('reads nested parts, and leaves an attached message whole', () => {
    const source = lines(
      'From: a@b.test',
      'X-Many: one',
      'x-many: two',
      'Content-Type: multipart/mixed; boundary=o',
      '',
      '--o',
      'Content-Type: multipart/alternative; boundary=i',
      '',
      '--i',
      '',
      'plain',
      '--i',
      'Content-Type: text/html',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '<b>=E2=82=AC</b>=',
      '',
      '--i--',
      '--o',
      'Content-Type: message/rfc822',
      '',
      'Subject: inner',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      '',
      'inner text',
      '--x--',
      '--o--',
    );
    const { text, html, attachments, headers } = readMail(source);
    expect([text, html]).toEqual(['plain', '<b>€</b>']);
    expect(headers.all('X-MANY')).toEqual(['one', 'two']);
    expect([...headers][0]).toEqual(['from', 'a@b.test']);
    const [message] = attachments;
    expect(message?.contentType).toBe('message/rfc822');
    expect(readMail(message?.content as Buffer)).toMatchObject({ subject: 'inner', text: 'inner text' });
  });

  it('reads any octets whatever without an exception', () => {
    const piece = fc.constantFrom(
      'Content-Type: ',
      'multipart/mixed; boundary=a',
      '\r\n',
      '--a',
      '=?utf-8?q?',
      '<a href="',
      '=E9',
      ';',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary' })), { maxLength: 40 }), (pieces) => {
        const { subject, from, attachments } = readMail(Buffer.from(pieces.join('')));
        expect([subject, from, attachments]).toHaveLength(3);
      }),
    );
  });
});
