import { isAscii } from 'node:buffer';
import { downgradeMessage } from '@posthorn/smtp/message/downgrade-message';
import { headerFields, splitMessage } from '@posthorn/smtp/message/header';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';

const downgrade = (...lines: readonly string[]) =>
  downgradeMessage(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
const fieldOf = (...lines: readonly string[]) => {
  const [field] = headerFields(splitMessage(downgrade(...lines, '', 'x')).header);
  return `${field?.raw.toString().slice(0, field.raw.indexOf(':'))}: ${field?.value}`;
};
const word = (text: string) => `=?utf-8?q?${text}?=`;

describe('downgradeMessage', () => {
  it.each([
    ['Subject: Grüße', `Subject: ${word('Gr=C3=BC=C3=9Fe')}`],
    ['X-Own: a b Grüße c', `X-Own: a b ${word('Gr=C3=BC=C3=9Fe')} c`],
    ['From: Jörg <joerg@example.org>', `From: ${word('J=C3=B6rg')} <joerg@example.org>`],
    ['To: a@b.example, joerg@bücher.example', 'To: a@b.example, joerg@xn--bcher-kva.example'],
    [
      'To: Jörg <jörg@example.org>, a@b.example',
      `To: ${word('J=C3=B6rg_=3Cj=C3=B6rg=40example=2Eorg=3E')}:;, a@b.example`,
    ],
    ['Cc: jörg@example.org', `Cc: ${word('j=C3=B6rg=40example=2Eorg')}:;`],
    ['To: Team: a@b.example, jörg@c.example;', `To: ${word('Team_a=40b=2Eexample=2C_j=C3=B6rg=40c=2Eexample')}:;`],
    ['Sender: a@b.example (Grüße)', `Sender: a@b.example (${word('Gr=C3=BC=C3=9Fe')})`],
    ['Date: Tue, 3 Nov 2026 06:00:00 +0000 (Süd)', `Date: Tue, 3 Nov 2026 06:00:00 +0000 (${word('S=C3=BCd')})`],
    ['Message-ID: <ü@example.org>', `Downgraded-Message-ID: ${word('=3C=C3=BC=40example=2Eorg=3E')}`],
    ['References: <1@a> <über@b>', `Downgraded-References: <1@a> ${word('=3C=C3=BCber=40b=3E')}`],
    ['In-Reply-To: <1@a> (Grüße)', `In-Reply-To: <1@a> (${word('Gr=C3=BC=C3=9Fe')})`],
    ['Original-Recipient: utf-8;jörg@example.org', 'Original-Recipient: utf-8; j\\x{F6}rg@example.org'],
    ['Final-Recipient: x-own; jörg', `Downgraded-Final-Recipient: x-own; ${word('j=C3=B6rg')}`],
    ['Content-Type: text/plain; name="Grüße.txt"', "Content-Type: text/plain; name*=utf-8''Gr%C3%BC%C3%9Fe.txt"],
    ['Keywords: one, Grüße', `Keywords: one, ${word('Gr=C3=BC=C3=9Fe')}`],
    [
      'Received: from bücher.example by mx.example.org with UTF8SMTP id 1 for <jörg@example.org>; Tue, 3 Nov 2026 06:00:00 +0000',
      'Received: from xn--bcher-kva.example by mx.example.org with UTF8SMTP id 1; Tue, 3 Nov 2026 06:00:00 +0000',
    ],
  ])('EXT-UTF8-8 EXT-UTF8-7 writes %j as %j', (line, expected) => {
    expect(fieldOf(line)).toBe(expected);
  });

  it('EXT-UTF8-8 leaves alone what is ASCII, and every octet of bodies', () => {
    const message = Buffer.from('Subject:  x\r\n  y\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n');
    expect(downgradeMessage(message).equals(message)).toBe(true);
  });

  it('EXT-UTF8-8 EXT-UTF8-6 reaches the parts at all levels, reports and messages within', async () => {
    const read = downgrade(
      'Subject: Bericht für Änn',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Description: Erklärung',
      '',
      'Grüße',
      '--b',
      'Content-Type: message/global-delivery-status',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Reporting-MTA: dns; mx.example.org',
      '',
      'Final-Recipient: utf-8; jörg@bücher.example',
      'Action: failed',
      '--b',
      'Content-Type: message/global',
      '',
      'Subject: Grüße',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'ß',
      '--b--',
    ).toString();
    expect(read.replace(/\r\n/g, '\n')).toBe(
      [
        `Subject: Bericht ${word('f=C3=BCr_=C3=84nn')}`,
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        `Content-Description: ${word('Erkl=C3=A4rung')}`,
        '',
        'Grüße',
        '--b',
        'Content-Type: message/delivery-status',
        'Content-Transfer-Encoding: 8bit',
        '',
        'Reporting-MTA: dns; mx.example.org',
        '',
        'Final-Recipient: utf-8; j\\x{F6}rg@b\\x{FC}cher.example',
        'Action: failed',
        '--b',
        'Content-Type: message/rfc822',
        '',
        `Subject: ${word('Gr=C3=BC=C3=9Fe')}`,
        'Content-Type: text/plain; charset=utf-8',
        '',
        'ß',
        '--b--',
        '',
      ].join('\n'),
    );
  });

  it('EXT-UTF8-8 makes every header ASCII, of lines that a reader takes, and keeps what it says', async () => {
    const names = [
      'Subject',
      'From',
      'To',
      'Cc',
      'Message-ID',
      'References',
      'Received',
      'Content-Type',
      'Keywords',
      'Date',
      'X-Any',
      'Original-Recipient',
      'Return-Path',
      'MIME-Version',
    ];
    const text = fc.string({
      unit: fc.constantFrom(...'ab <>@,;:()"\\=?éß测😀.', 'jörg@bücher.example', 'utf-8;'),
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...names), text), { minLength: 1, maxLength: 6 }),
        text,
        async (fields, subject) => {
          const written = fields.filter(([name]) => name !== 'Subject');
          const plain = subject.replace(/[=?]/g, '').trim();
          const lines = [...written.map(([name, value]) => `${name}: ${value}`), `Subject: ${plain}`, '', 'body'];
          const { header, body } = splitMessage(downgrade(...lines));
          expect(isAscii(header)).toBe(true);
          expect(body.toString()).toBe('body\r\n');
          const subjects = [...headerFields(header)].filter(({ name }) => name === 'subject');
          expect(subjects).toHaveLength(1);
          const mail = await PostalMime.parse(
            Buffer.concat([subjects[0]?.raw ?? Buffer.alloc(0), Buffer.from('\r\n')]),
          );
          expect((mail.subject ?? '').replace(/\s+/g, ' ')).toBe(plain.replace(/\s+/g, ' '));
        },
      ),
    );
  });
});
