import { Readable } from 'node:stream';
import { Failure } from '@posthorn/smtp/failure/failure';
import { composeMessage } from '@posthorn/smtp/message/compose-message';
import { fieldValue, headerFields, splitMessage } from '@posthorn/smtp/message/header';
import type { AttachmentInput, MessageInput } from '@posthorn/smtp/message/message-input';
import fc from 'fast-check';
import MailComposer from 'nodemailer/lib/mail-composer';
import PostalMime, { type Email } from 'postal-mime';
import { describe, expect, it } from 'vitest';

function surroundings() {
  let calls = 0;
  const random = (octets: number) => {
    calls += 1;
    return Buffer.alloc(octets, calls);
  };
  return { now: Date.UTC(2026, 10, 3, 4, 5, 6), offsetMinutes: 60, random };
}

const compose = (input: Partial<MessageInput>) => composeMessage({ from: 'ann@example.org', ...input }, surroundings());
const written = async (input: Partial<MessageInput>) => (await compose(input).toBuffer()).toString('latin1');

/** What people see of a message, in whichever way it was encoded. */
function seen(mail: Email) {
  const attachments = mail.attachments.map(({ filename, mimeType, disposition, contentId, content }) => ({
    filename,
    mimeType,
    disposition,
    contentId,
    content: Buffer.from(content as ArrayBuffer).toString('base64'),
  }));
  const { from, to, cc, replyTo, subject, text, html } = mail;
  return { from, to, cc, replyTo, subject, text: lineFeeds(text), html: lineFeeds(html), attachments };
}

/** The parser leaves CRLF in what was base64. */
function lineFeeds(text: string | undefined): string | undefined {
  return text?.replace(/\r\n/g, '\n').trimEnd();
}

const character = fc.oneof(
  fc.constantFrom(...'abcXYZ019(),.;:<>@"\\=?_-', 'ä', 'ß', 'é', '日', '本', 'ж', '😀', '👩‍👩‍👧', '\u0301'),
  fc
    .integer({ min: 0xa1, max: 0xd7ff })
    .map((code) => String.fromCharCode(code))
    .filter((each) => /^[\p{L}\p{N}\p{P}]$/u.test(each)),
);
const word = fc.array(character, { minLength: 1, maxLength: 12 }).map((list) => list.join(''));
const phrase = fc
  .array(word, { minLength: 1, maxLength: 25 })
  .map((words) => words.join(' '))
  .filter((text) => !text.includes('=?') && !text.includes('?='));
const address = fc.constantFrom(
  'ann@example.org',
  'bob.smith+tag@xn--bcher-kva.example',
  '"a b"@example.net',
  'x@[192.0.2.1]',
);
const named = fc
  .record({ name: phrase, address })
  .map(({ name, address: given }) => ({ name: name.trim(), address: given }));
const lines = fc.array(phrase, { maxLength: 6 }).map((list) => list.join('\n'));
const attachment: fc.Arbitrary<AttachmentInput & { content: Buffer }> = fc.record({
  filename: fc
    .tuple(phrase, fc.constantFrom('.pdf', '.png', '.bin'))
    .map(([name, end]) => `${name.replace(/[/\\:]/g, '')}${end}`),
  content: fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets)),
});

const message = fc.record({
  from: named,
  to: fc.array(named, { minLength: 1, maxLength: 6 }),
  cc: fc.array(named, { maxLength: 2 }),
  replyTo: fc.array(named, { maxLength: 1 }),
  subject: phrase,
  text: lines.filter((text) => text !== ''),
  html: fc.option(
    lines.filter((text) => text !== '').map((text) => `<p>${text}</p>`),
    { nil: undefined },
  ),
  attachments: fc.array(attachment, { maxLength: 3 }),
});

/** Absent properties are not there at all. */
function trimmed<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

describe('composeMessage', () => {
  it('reads back as what was given, in any script', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (given) => {
        const mail = seen(await PostalMime.parse(await compose(trimmed(given) as MessageInput).toBuffer()));
        expect(mail.from).toEqual(given.from);
        expect(mail.to).toEqual(given.to);
        expect(mail.subject).toBe(given.subject);
        expect(mail.text).toBe(given.text.trimEnd());
        expect(mail.html).toBe(given.html?.trimEnd());
        expect(mail.attachments.map(({ filename, content }) => [filename, content])).toEqual(
          given.attachments.map(({ filename, content }) => [filename, content.toString('base64')]),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('reads as what another composer writes', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (given) => {
        const other = await new MailComposer(trimmed(given)).compile().build();
        const mail = await compose(trimmed(given) as MessageInput).toBuffer();
        expect(seen(await PostalMime.parse(mail))).toEqual(seen(await PostalMime.parse(other)));
      }),
      { numRuns: 100 },
    );
  });

  it('keeps to 7 bits, short lines and CRLF, and tells its size', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (given) => {
        const composed = compose(trimmed(given) as MessageInput);
        const octets = await composed.toBuffer();
        expect(composed.body).toBe('7BIT');
        expect(composed.size).toBe(octets.length);
        const { header } = splitMessage(octets);
        for (const line of octets.toString('latin1').split('\r\n')) expect(line).toMatch(/^[\t -~]{0,998}$/);
        for (const line of header.toString('latin1').split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
        expect(octets.subarray(-2).toString()).toBe('\r\n');
      }),
    );
  });

  it('writes a plain text as one part', async () => {
    expect(await written({ to: 'bob@example.net', subject: 'Hi', text: 'Hello\nBob' })).toBe(
      [
        'Date: Tue, 3 Nov 2026 05:05:06 +0100',
        'From: ann@example.org',
        'To: bob@example.net',
        'Subject: Hi',
        'Message-ID: <01010101010101010101010101010101@example.org>',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Hello',
        'Bob',
        '',
      ].join('\r\n'),
    );
  });

  it('nests files beside HTML in related, forms in alternative, all in mixed', async () => {
    const text = await written({
      text: 'a',
      html: '<img src="cid:logo">',
      alternatives: [{ contentType: 'text/calendar; method=REQUEST', content: 'BEGIN:VCALENDAR' }],
      attachments: [
        { filename: 'logo.png', cid: 'logo', content: Buffer.from('png') },
        { filename: 'notes.txt', content: 'grüße' },
      ],
    });
    expect(text.match(/^Content-Type: [^;\r]+/gm)).toEqual([
      'Content-Type: multipart/mixed',
      'Content-Type: multipart/alternative',
      'Content-Type: text/plain',
      'Content-Type: multipart/related',
      'Content-Type: text/html',
      'Content-Type: image/png',
      'Content-Type: text/calendar',
      'Content-Type: text/plain',
    ]);
    expect(text).toContain('Content-Disposition: inline; filename=logo.png\r\nContent-ID: <logo>\r\n');
    expect(text).toContain('method=REQUEST; charset=utf-8\r\n');
    const boundaries = [...text.matchAll(/boundary="([^"]+)"/g)].map(([, boundary]) => boundary);
    expect(new Set(boundaries).size).toBe(3);
  });

  it('takes text in any charset and sends UTF-8', async () => {
    const latin = { content: Buffer.from('Gr\xfc\xdfe', 'latin1'), charset: 'iso-8859-1' };
    const japanese = { content: Buffer.from('93fa967b8cea', 'hex'), charset: 'shift_jis' };
    const mail = await PostalMime.parse(await compose({ text: latin, html: japanese }).toBuffer());
    expect([mail.text, mail.html].map(lineFeeds)).toEqual(['Grüße', '日本語']);
    expect(() => compose({ text: { content: Buffer.alloc(1), charset: 'no-such' } })).toThrow(Failure);
  });

  it('encodes text by what it holds', async () => {
    const encoding = async (text: string) => /^Content-Transfer-Encoding: (.*)\r$/m.exec(await written({ text }))?.[1];
    expect(await encoding('plain')).toBe('7bit');
    expect(await encoding('naïve')).toBe('quoted-printable');
    expect(await encoding('x'.repeat(999))).toBe('quoted-printable');
    expect(await encoding('日本語'.repeat(20))).toBe('base64');
  });

  it('streams attachments, and encodes them as they come', async () => {
    const content = Readable.from([Buffer.alloc(100_000, 1), 'text', Buffer.alloc(3, 2)]);
    const composed = compose({ text: 'x', attachments: [{ filename: 'big.bin', content }] });
    expect(composed.size).toBeUndefined();
    const mail = await PostalMime.parse(await composed.toBuffer());
    const expected = Buffer.concat([Buffer.alloc(100_000, 1), Buffer.from('text'), Buffer.alloc(3, 2)]);
    expect(Buffer.from(mail.attachments[0]?.content as ArrayBuffer).equals(expected)).toBe(true);
  });

  it('passes the error of an attachment on', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('x');
      throw new Error('disk');
    }
    await expect(compose({ attachments: [{ content: broken() }] }).toBuffer()).rejects.toThrow('disk');
  });

  it('attaches a message as a message, with the line ends of mail', async () => {
    const eml = (content: string) => compose({ text: 'see', attachments: [{ filename: 'x.eml', content }] });
    const plain = eml('Subject: a\n\nbody\n');
    expect(plain.body).toBe('7BIT');
    expect((await plain.toBuffer()).toString()).toContain(
      'Content-Transfer-Encoding: 7bit\r\n\r\nSubject: a\r\n\r\nbody\r\n\r\n--',
    );
    const eightBit = eml('Subject: a\r\n\r\nbödy\r\n');
    expect(eightBit.body).toBe('8BITMIME');
    expect((await eightBit.toBuffer()).toString()).toContain('Content-Transfer-Encoding: 8bit\r\n');
    const global = (await eml('Subject: ä\r\n\r\nbody\r\n').toBuffer()).toString();
    expect(global).toContain('Content-Type: message/global; name=x.eml\r\n');
    expect(global).toContain('Content-Transfer-Encoding: base64\r\n');
    expect(() => eml(`\r\n${'x'.repeat(999)}`)).toThrow(Failure);
    expect(() => compose({ attachments: [{ filename: 'x.eml', content: Readable.from([]) }] })).toThrow(Failure);
  });

  it('TRC-10 never writes Bcc', async () => {
    const composed = compose({ to: 'bob@example.net', bcc: ['Secret <secret@example.com>'], text: 'x' });
    expect((await composed.toBuffer()).toString()).not.toMatch(/secret|bcc/i);
    expect(composed.envelope.recipients).toEqual(['bob@example.net', 'secret@example.com']);
    expect(() => compose({ headers: { bCC: 'secret@example.com' } })).toThrow(Failure);
  });

  it('EXT-UTF8-5 writes addresses in UTF-8 as they are and says that SMTPUTF8 is needed', async () => {
    const composed = compose({ from: 'Jürg <jürg@例.example>', to: 'ann@bücher.example' });
    expect([composed.smtputf8, composed.envelope.smtputf8]).toEqual([true, true]);
    expect(composed.envelope.recipients).toEqual(['ann@xn--bcher-kva.example']);
    const { header } = splitMessage(await composed.toBuffer());
    expect(fieldValue(header, 'from')).toBe('=?utf-8?q?J=C3=BCrg?= <jürg@例.example>');
    expect(fieldValue(header, 'to')).toBe('ann@xn--bcher-kva.example');
    expect(fieldValue(header, 'message-id')).toMatch(/@localhost>$/);
  });

  it('does without SMTPUTF8 where only a domain is foreign', () => {
    expect(compose({ to: ['ann@bücher.example'] }).smtputf8).toBe(false);
    expect(compose({ replyTo: 'ü@example.org' })).toMatchObject({ smtputf8: true, envelope: { smtputf8: false } });
  });

  it('writes further fields, folded and encoded, and those of a thread', async () => {
    const octets = await compose({
      headers: { 'X-One': 'a', 'X-Two': ['grüße an alle', `${'long words '.repeat(30)}end`], 'X-Empty': '' },
      inReplyTo: '1@x',
      references: ['<0@x>', '1@x'],
      messageId: 'me@x',
      date: new Date(0),
    }).toBuffer();
    const { header } = splitMessage(octets);
    const fields = [...headerFields(header)].map(({ name, value }) => [name, value]);
    expect(fields.slice(0, 9)).toEqual([
      ['date', 'Thu, 1 Jan 1970 01:00:00 +0100'],
      ['from', 'ann@example.org'],
      ['message-id', '<me@x>'],
      ['in-reply-to', '<1@x>'],
      ['references', '<0@x> <1@x>'],
      ['x-one', 'a'],
      ['x-two', '=?utf-8?q?gr=C3=BC=C3=9Fe?= an alle'],
      ['x-two', `${'long words '.repeat(30)}end`],
      ['x-empty', ''],
    ]);
  });

  const hostile = 'x\r\nBcc: victim@example.com';
  it.each([
    [{ from: `Ann ${hostile} <ann@example.org>` }],
    [{ from: { name: hostile, address: 'ann@example.org' } }],
    [{ from: { address: 'ann@example.org\r\nX: y' } }],
    [{ to: `bob@example.net\n` }],
    [{ to: { group: hostile, members: [] } }],
    [{ cc: 'bob@example.net\0' }],
    [{ bcc: { name: 'a\rb', address: 'x@example.org' } }],
    [{ replyTo: hostile }],
    [{ sender: hostile }],
    [{ subject: hostile }],
    [{ subject: 'a\0b' }],
    [{ headers: { 'X-A': hostile } }],
    [{ headers: { 'X-A': ['ok', hostile] } }],
    [{ headers: { [hostile]: 'x' } }],
    [{ headers: { 'X A': 'x' } }],
    [{ headers: { 'X-Ä': 'x' } }],
    [{ headers: { 'Content-Type': 'x' } }],
    [{ messageId: '<a@b>\r\nX: y' }],
    [{ messageId: '<a b>' }],
    [{ inReplyTo: hostile }],
    [{ references: hostile }],
    [{ attachments: [{ filename: hostile, content: '' }] }],
    [{ attachments: [{ contentType: `text/plain\r\nX: y`, content: '' }] }],
    [{ attachments: [{ contentType: 'multipart/mixed; boundary=x', content: '' }] }],
    [{ attachments: [{ contentType: 'text', content: '' }] }],
    [{ attachments: [{ cid: 'a>\r\nX: y', content: '' }] }],
    [{ alternatives: [{ contentType: hostile, content: '' }] }],
    [{ date: Number.NaN }],
    [{ from: [] }],
    [{ from: 'nobody' }],
  ] as [Partial<MessageInput>][])('SEC-INJ-1 refuses %j before anything is written', (input) => {
    expect(() => compose(input)).toThrow(expect.objectContaining({ name: 'Failure', kind: 'invalid' }));
  });
});
