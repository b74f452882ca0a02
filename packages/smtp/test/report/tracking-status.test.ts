import type { Status } from '@posthorn/smtp/reply/reply';
import { composeTrackingStatus } from '@posthorn/smtp/report/compose-tracking-status';
import { parseTrackingStatus } from '@posthorn/smtp/report/parse-tracking-status';
import type { TrackedAction, TrackedRecipient, TrackingReport } from '@posthorn/smtp/report/tracking-report';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const at = Date.UTC(2026, 10, 21, 10, 0, 45);

function reportOf(...recipients: TrackedRecipient[]): TrackingReport {
  return {
    envelopeId: 't17.20261121@mail.example.org',
    reportingMta: 'mail.example.org',
    arrivalDate: Date.UTC(2026, 10, 21, 10, 0, 0),
    recipients,
  };
}

function recipientOf(action: TrackedAction, change: Partial<TrackedRecipient> = {}): TrackedRecipient {
  return {
    finalRecipient: 'carol@example.com',
    originalRecipient: 'rfc822;carol@example.com',
    action,
    status: '2.1.5',
    remoteMta: 'mx1.example.com',
    lastAttempt: at,
    willRetryUntil: at + 1000,
    ...change,
  };
}

const compose = (...recipients: TrackedRecipient[]) => composeTrackingStatus([reportOf(...recipients)], 'trk.1');

describe('a tracking status', () => {
  it('EXT-MTSN-1 is multipart/related of message/tracking-status parts, groups behind empty lines', () => {
    expect(compose(recipientOf('transferred'), recipientOf('delivered', { finalRecipient: 'dave@example.net' }))).toBe(
      [
        'Content-Type: multipart/related; boundary="trk.1";',
        ' type="message/tracking-status"',
        '',
        '--trk.1',
        'Content-Type: message/tracking-status',
        '',
        'Original-Envelope-Id: t17.20261121@mail.example.org',
        'Reporting-MTA: dns; mail.example.org',
        'Arrival-Date: Sat, 21 Nov 2026 10:00:00 +0000',
        '',
        'Original-Recipient: rfc822;carol@example.com',
        'Final-Recipient: rfc822; carol@example.com',
        'Action: transferred',
        'Status: 2.1.5',
        'Remote-MTA: dns; mx1.example.com',
        'Last-Attempt-Date: Sat, 21 Nov 2026 10:00:45 +0000',
        '',
        'Original-Recipient: rfc822;carol@example.com',
        'Final-Recipient: rfc822; dave@example.net',
        'Action: delivered',
        'Status: 2.1.5',
        'Remote-MTA: dns; mx1.example.com',
        'Last-Attempt-Date: Sat, 21 Nov 2026 10:00:45 +0000',
        '',
        '--trk.1--',
        '',
      ].join('\r\n'),
    );
  });

  it('EXT-MTSN-1 names the original recipient of a message that came without ORCPT', () => {
    const { originalRecipient: _, ...plain } = recipientOf('delivered');
    expect(compose(plain)).toContain('\r\nOriginal-Recipient: rfc822;carol@example.com\r\n');
  });

  it('EXT-MTSN-2 ENH-1/2.1.9 says 2.1.9 of what was relayed, and of nothing else', () => {
    expect(compose(recipientOf('relayed'))).toContain('\r\nStatus: 2.1.9\r\n');
    for (const action of ['delivered', 'transferred', 'expanded', 'opaque'] as const) {
      expect(compose(recipientOf(action, { status: '2.1.9' }))).toContain('\r\nStatus: 2.1.5\r\n');
    }
  });

  it('EXT-MTSN-2 names no host and no attempt where there was none', () => {
    const { lastAttempt: _, ...untried } = recipientOf('delayed', { status: '4.0.0' });
    for (const text of [compose(untried), compose(recipientOf('opaque'))]) {
      expect(text).not.toMatch(/Remote-MTA|Last-Attempt-Date/);
    }
  });

  it('EXT-MTSN-2 says until when it is tried only while it is in the queue', () => {
    const all: TrackedAction[] = ['failed', 'delayed', 'delivered', 'expanded', 'relayed', 'transferred', 'opaque'];
    const saying = all.filter((action) => compose(recipientOf(action)).includes('Will-Retry-Until: '));
    expect(saying).toEqual(['delayed']);
  });

  it('EXT-MTSN-1 stays of short ASCII lines whatever the addresses are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1500 }), (text) => {
        const whole = compose(recipientOf('delayed', { finalRecipient: text || 'x', originalRecipient: `x;${text}` }));
        expect(whole).toMatch(/^[ -~\r\n]*$/);
        for (const line of whole.split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(998);
          expect(line).not.toMatch(/[\r\n]/);
        }
      }),
    );
  });

  it('EXT-MTSN-1 EXT-MTSN-2 reads what it writes', () => {
    const instant = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
    const status = fc
      .tuple(fc.constantFrom(2, 4, 5), fc.integer({ min: 0, max: 99 }), fc.integer({ min: 10, max: 99 }))
      .map((numbers) => numbers.join('.') as Status);
    const recipient = fc
      .record({
        action: fc.constantFrom<TrackedAction>('failed', 'delayed', 'delivered', 'expanded', 'transferred', 'opaque'),
        status,
        lastAttempt: instant,
        willRetryUntil: instant,
      })
      .map(({ action, ...rest }) => recipientOf(action, rest));
    const report = fc.record({
      envelopeId: fc.stringMatching(/^[!-~]{1,80}$/),
      reportingMta: fc.constantFrom('mx.example.org', 'a.b.example'),
      arrivalDate: instant,
      recipients: fc.array(recipient, { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 3 }), (reports) => {
        const read = parseTrackingStatus(Buffer.from(composeTrackingStatus(reports, '=_b')));
        expect(read).toEqual(
          reports.map((each) => ({
            ...each,
            recipients: each.recipients.map(({ willRetryUntil, lastAttempt, remoteMta, ...rest }) => ({
              ...rest,
              ...(rest.action === 'opaque' ? {} : { lastAttempt, remoteMta }),
              ...(rest.action === 'delayed' ? { willRetryUntil } : {}),
            })),
          })),
        );
      }),
    );
  });

  it('reads the faulty examples of RFC 3887 §4.1', () => {
    const lines = [
      'Content-Type: multipart/related; boundary=%%%%; type=tracking-status',
      '.Dot-Stuffed-Header: as an example',
      '',
      '--%%%%',
      'Content-Type: message/tracking-status',
      '',
      'Original-Envelope-Id: 12345-20010101@example.com',
      'Reporting-MTA: dns; example2.com',
      'Arrival-Date: Mon,  1 Jan 2001 15:15:15 -0500',
      '',
      'Original-Recipient: rfc822; user2@example1.com',
      'Final-Recipient: rfc822; user2@example1.com',
      'Action: failed',
      'Status 5.2.2 (Mailbox full)',
      'Remote-MTA: dns; example3.com',
      'Last-Attempt-Date: Mon, 1 Jan 2001 19:15:03 -0500',
      '',
      '--%%%%--',
    ];
    expect(parseTrackingStatus(Buffer.from(`${lines.join('\r\n')}\r\n`))).toEqual([
      {
        envelopeId: '12345-20010101@example.com',
        reportingMta: 'example2.com',
        arrivalDate: Date.UTC(2001, 0, 1, 20, 15, 15),
        recipients: [
          {
            originalRecipient: 'rfc822;user2@example1.com',
            finalRecipient: 'user2@example1.com',
            action: 'failed',
            status: '5.0.0',
            remoteMta: 'example3.com',
            lastAttempt: Date.UTC(2001, 0, 2, 0, 15, 3),
          },
        ],
      },
    ]);
  });

  it('tells nothing of what is no tracking status', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const entity = `Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: message/tracking-status\r\n\r\n${text}`;
        for (const report of parseTrackingStatus(Buffer.from(entity))) expect(report.recipients).not.toEqual([]);
        expect(parseTrackingStatus(Buffer.from(text))).toEqual([]);
      }),
    );
    const odd =
      'Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: message/tracking-status\r\n\r\nFinal-Recipient: rfc822;a@b.example\r\nAction: constructor\r\n';
    expect(parseTrackingStatus(Buffer.from(odd))[0]?.recipients[0]).toMatchObject({
      action: 'failed',
      status: '5.0.0',
    });
  });
});
