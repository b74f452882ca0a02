import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { type AutoReplyInput, composeAutoReply } from '@posthorn/smtp/message/auto-reply';
import { fieldValue, headerFields, splitMessage } from '@posthorn/smtp/message/header';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';

const mailbox = parseMailbox('ann@example.org') as NonNullable<ReturnType<typeof parseMailbox>>;
const compose = (more: Partial<AutoReplyInput> = {}) =>
  composeAutoReply({
    header: Buffer.from(
      'From: x@far.example\r\nSubject: Re: lunch\r\nMessage-ID: <2@far.example>\r\nReferences: <1@far.example>\r\n',
    ),
    reversePath: 'bob@far.example',
    from: { name: 'Ann Smith', mailbox },
    text: 'I am away.',
    now: Date.UTC(2026, 10, 3, 6, 0, 0),
    random: (octets) => Buffer.alloc(octets, 7),
    ...more,
  });
const subjectOf = (subject: string) =>
  fieldValue(splitMessage(compose({ header: Buffer.from(subject) }).content).header, 'subject');

describe('composeAutoReply', () => {
  it('LOC-VAC-2 goes to the return path alone, from whom the user said, and says that a program wrote it', () => {
    const header =
      'From: a@far.example\r\nSender: s@far.example\r\nReply-To: r@far.example\r\nSubject: x\r\nMessage-ID: <2@f>\r\n';
    const { content, smtputf8 } = compose({ header: Buffer.from(header) });
    const parts = splitMessage(content);
    expect([...headerFields(parts.header)].map(({ name, value }) => [name, value])).toEqual([
      ['from', 'Ann Smith <ann@example.org>'],
      ['to', '<bob@far.example>'],
      ['subject', 'Auto: x'],
      ['date', 'Tue, 3 Nov 2026 06:00:00 +0000'],
      ['message-id', `<${'07'.repeat(16)}@example.org>`],
      ['in-reply-to', '<2@f>'],
      ['references', '<2@f>'],
      ['auto-submitted', 'auto-replied'],
      ['mime-version', '1.0'],
      ['content-type', 'text/plain; charset=utf-8'],
      ['content-transfer-encoding', '7bit'],
    ]);
    expect(parts.body.toString()).toBe('I am away.\r\n');
    expect(smtputf8).toBe(false);
  });

  it('LOC-VAC-2 names the thread of the message, and none for one without an identifier', () => {
    const { header } = splitMessage(compose().content);
    expect(fieldValue(header, 'references')).toBe('<1@far.example> <2@far.example>');
    const none = splitMessage(
      compose({ header: Buffer.from('Message-ID: <bad id>\r\nReferences: <1@x>\r\n') }).content,
    ).header;
    expect([fieldValue(none, 'in-reply-to'), fieldValue(none, 'references')]).toEqual([undefined, undefined]);
    const long = Array.from({ length: 500 }, (_, index) => `<${index}@x>`).join('\r\n ');
    const named = splitMessage(
      compose({ header: Buffer.from(`Message-ID: <m@x>\r\nReferences: ${long}\r\n`) }).content,
    );
    expect(fieldValue(named.header, 'references')?.split(' ')).toHaveLength(21);
    expect(fieldValue(named.header, 'references')).toMatch(/^<0@x> .* <499@x> <m@x>$/);
  });

  it('LOC-VAC-2 leaves encoded words of the subject whole, in lines of 76 characters', () => {
    const word = `=?utf-8?q?${'x'.repeat(63)}?=`;
    const { content } = compose({ header: Buffer.from(`Subject: ${word}\r\n ${word} ${word}\r\n`) });
    const text = content.toString();
    expect(text).toContain(`Subject: Auto:\r\n ${word}\r\n ${word}\r\n ${word}\r\n`);
    expect(subjectOf(`Subject: ${`${word} `.repeat(20)}\r\n`)).toBe(`Auto: ${word} ${word} ${word}`);
    expect(subjectOf('Subject:\r\n')).toBe('Auto:');
  });

  it('LOC-VAC-2 encodes what is not ASCII, in the text too', async () => {
    const { content } = compose({
      header: Buffer.from('Subject: Grüße\r\n'),
      text: 'Ich bin für eine Woche weg.\nGrüße\n',
      from: { name: 'Änn', mailbox },
    });
    expect(content.every((octet) => octet < 128)).toBe(true);
    const mail = await PostalMime.parse(content);
    expect([mail.subject, mail.from?.name, mail.text?.trimEnd()]).toEqual([
      'Auto: Grüße',
      'Änn',
      'Ich bin für eine Woche weg.\nGrüße',
    ]);
    expect(compose({ reversePath: 'grün@far.example' }).smtputf8).toBe(true);
    expect(compose({ text: 'Привет, я в отпуске и не читаю писем.' }).content.toString()).toContain('base64');
  });

  it('LOC-VAC-2 is a message that readers understand, whatever it answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.string({ maxLength: 200 }),
        async (subject, text) => {
          const header = Buffer.from(`Subject: ${subject}\r\nMessage-ID: ${subject}\r\n`);
          const { content } = compose({ header, text });
          const mail = await PostalMime.parse(content);
          expect(mail.to?.map(({ address }) => address)).toEqual(['bob@far.example']);
          expect(fieldValue(splitMessage(content).header, 'auto-submitted')).toBe('auto-replied');
          expect(mail.subject).toMatch(/^Auto:/);
        },
      ),
      { numRuns: 60 },
    );
  });
});
