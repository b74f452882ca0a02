import { fieldValue, headerFields, splitMessage } from '@posthorn/smtp/message/header';
import { composeDsn } from '@posthorn/smtp/report/compose-dsn';
import type { ReportedRecipient } from '@posthorn/smtp/report/delivery-report';
import { parseDsn } from '@posthorn/smtp/report/parse-dsn';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { dsnFacts, failed, partsOf, report } from './facts.ts';

const of = (...recipients: ReportedRecipient[]) => dsnFacts({ report: { ...report, recipients } });
const statusOf = (content: Buffer) => (partsOf(content)[1] as { body: string }).body;

describe('composeDsn', () => {
  it('DSN-3 is a multipart/report of an explanation, the status and the header of the message', async () => {
    const { content, body, smtputf8 } = composeDsn(dsnFacts());
    expect(fieldValue(splitMessage(content).header, 'content-type')).toMatch(
      /^multipart\/report; report-type=delivery-status; boundary="[^"]+"$/,
    );
    expect(partsOf(content).map((part) => part.head)).toEqual([
      'Content-Type: text/plain; charset=us-ascii',
      'Content-Type: message/delivery-status',
      'Content-Type: text/rfc822-headers',
    ]);
    expect([body, smtputf8]).toEqual(['7BIT', false]);
    const mail = await PostalMime.parse(content);
    expect(mail.text).toContain('<bob@example.net>');
    expect(mail.attachments.map((part) => part.mimeType)).toEqual(['message/delivery-status', 'text/rfc822-headers']);
  });

  it('DSN-16 has the header of a report that a mailer made', () => {
    const { content } = composeDsn(dsnFacts());
    const { header } = splitMessage(content);
    expect([...headerFields(header)].map((field) => [field.name, field.value])).toEqual([
      ['from', 'Mail Delivery System <MAILER-DAEMON@mx.example.org>'],
      ['to', '<ann@example.org>'],
      ['subject', 'Your message was not delivered'],
      ['date', 'Tue, 3 Nov 2026 06:00:00 +0000'],
      ['message-id', expect.stringMatching(/^<[0-9a-f]{32}@mx\.example\.org>$/)],
      ['in-reply-to', '<1@example.org>'],
      ['references', '<1@example.org>'],
      ['auto-submitted', 'auto-replied'],
      ['mime-version', '1.0'],
      ['content-type', expect.stringContaining('multipart/report')],
    ]);
  });

  it('DSN-5 DSN-6 DSN-15 DSN-23 tells the message once and each recipient in a group of its own', () => {
    expect(statusOf(composeDsn(dsnFacts()).content)).toBe(
      [
        'Original-Envelope-Id: QQ314159 Case',
        'Reporting-MTA: dns; mx.example.org',
        'Received-From-MTA: dns; client.example (192.0.2.1)',
        'Arrival-Date: Tue, 3 Nov 2026 04:05:06 +0000',
        '',
        'Original-Recipient: rfc822;Bob+tag@example.net',
        'Final-Recipient: rfc822; bob@example.net',
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mx.example.net',
        'Diagnostic-Code: smtp; 550-5.1.1 No such user',
        ' 550 5.1.1 Try another one',
        'Last-Attempt-Date: Tue, 3 Nov 2026 05:00:00 +0000',
        '',
        'Final-Recipient: rfc822; carol@example.com',
        'Action: delayed',
        'Status: 4.4.1',
        'Diagnostic-Code: x-posthorn; no host of example.com answered',
        'Last-Attempt-Date: Tue, 3 Nov 2026 05:00:00 +0000',
        'Will-Retry-Until: Sun, 8 Nov 2026 05:00:00 +0000',
        '',
      ].join('\r\n'),
    );
  });

  it('DSN-5 DSN-6 leaves out what the message came without', () => {
    const { originalRecipient: _, ...bare } = failed;
    const { content } = composeDsn(dsnFacts({ report: { reportingMta: 'mx.example.org', recipients: [bare] } }));
    expect(statusOf(content)).not.toMatch(/Original-|Received-From|Arrival/);
  });

  it('DSN-6 never tells of further tries where there are none', () => {
    const { content } = composeDsn(of({ ...failed, willRetryUntil: Date.UTC(2027, 0, 1) }));
    expect(content.toString()).not.toMatch(/Will-Retry-Until|will be tried until/);
  });

  it('DSN-8 keeps class 4 when it gives up after temporary errors', () => {
    const { content } = composeDsn(of({ ...failed, status: '4.4.1' }));
    expect(statusOf(content)).toContain('Action: failed\r\nStatus: 4.4.1\r\n');
  });

  it('DSN-23 calls a host without a full name by another type than dns', () => {
    const local = { ...report, reportingMta: 'mailbox' };
    expect(statusOf(composeDsn(dsnFacts({ report: local })).content)).toContain(
      'Reporting-MTA: x-local-hostname; mailbox\r\n',
    );
  });

  it('DSN-23 names the address that the host was given', () => {
    expect(statusOf(composeDsn(of({ ...failed, remoteRecipient: 'bob@inner.example' })).content)).toContain(
      'SMTP-Remote-Recipient: rfc822; bob@inner.example\r\n',
    );
  });

  it('EXT-DBY-5 adds the time of delivery that was wished, behind the arrival', () => {
    const timed = { ...report, deliverBy: Date.UTC(2026, 10, 3, 5, 0, 0) };
    expect(statusOf(composeDsn(dsnFacts({ report: timed })).content)).toMatch(
      /Arrival-Date: .*\r\nDeliver-By-Date: Tue, 3 Nov 2026 05:00:00 \+0000\r\n/,
    );
  });

  it('DSN-3 says in plain words what happened to whom, why and what to do', () => {
    const text = (partsOf(composeDsn(dsnFacts()).content)[0] as { body: string }).body;
    expect(text).toBe(
      [
        'This is the mail system of mx.example.org. It reports about a message of',
        'yours that arrived here on Tue, 3 Nov 2026 04:05:06 +0000.',
        '',
        'It could not be delivered to the following, and will not be tried again:',
        '',
        '  <bob@example.net>',
        '    (written to as Bob+tag@example.net)',
        '    The host mx.example.net said:',
        '      550-5.1.1 No such user',
        '      550 5.1.1 Try another one',
        '    The address is not known there. Check it for typing errors, and write',
        '    again to the right one.',
        '',
        'It has not been delivered to the following yet, and will be tried again. You',
        'need not send it again:',
        '',
        '  <carol@example.com>',
        '    no host of example.com answered (4.4.1)',
        '    It will be tried until Sun, 8 Nov 2026 05:00:00 +0000.',
        '',
        'The header of your message is attached. For help write to',
        'postmaster@mx.example.org and include this report.',
        '',
      ].join('\r\n'),
    );
  });

  it.each([
    ['failed', 'Your message was not delivered'],
    ['delayed', 'Your message is delayed'],
    ['delivered', 'Your message was delivered'],
    ['relayed', 'Your message was passed on'],
    ['expanded', 'Your message was passed on to several addresses'],
  ] as const)('DSN-16 names a %s report by its subject', (action, subject) => {
    const { content } = composeDsn(of({ finalRecipient: 'a@b.example', action, status: '2.0.0' }));
    expect(fieldValue(splitMessage(content).header, 'subject')).toBe(subject);
    expect(statusOf(content)).toContain(`Action: ${action}\r\n`);
  });

  it('DSN-20 keeps the words of strangers inside of their field, in ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' })), (word, lines) => {
        const hostile: ReportedRecipient = {
          ...failed,
          originalRecipient: `rfc822;${word}`,
          remoteMta: word,
          diagnostic: {
            type: 'smtp',
            reply: { code: 550, lines: [word, 'x\r\nAction: delivered\r\n\r\nStatus: 2.0.0', ...lines] },
          },
        };
        const { content, body } = composeDsn(
          dsnFacts({
            report: {
              ...report,
              envelopeId: word,
              receivedFromMta: { name: word, address: word },
              recipients: [hostile],
            },
          }),
        );
        expect(body).toBe('7BIT');
        const read = parseDsn(content);
        expect(read?.report.recipients).toHaveLength(1);
        expect(read?.report.recipients[0]).toMatchObject({
          action: 'failed',
          status: '5.1.1',
          finalRecipient: 'bob@example.net',
        });
        for (const line of content.toString('latin1').split('\r\n')) expect(line).toMatch(/^[ -~]{0,998}$/);
      }),
    );
  });

  it('DSN-16 does not thread on what is no message identifier', () => {
    const original = { header: Buffer.from('Message-ID: <a b>\r\n\tBcc: x\r\n') };
    expect(composeDsn(dsnFacts({ original })).content.toString()).not.toContain('In-Reply-To');
  });

  it('DSN-3 does without the message when there is none', () => {
    const { original: _, ...facts } = dsnFacts();
    expect(partsOf(composeDsn(facts).content)).toHaveLength(2);
  });
});
