import type { Status } from '@posthorn/smtp/reply/reply';
import { composeDsn } from '@posthorn/smtp/report/compose-dsn';
import type { Action, DeliveryReport, Diagnostic, ReportedRecipient } from '@posthorn/smtp/report/delivery-report';
import { parseDsn } from '@posthorn/smtp/report/parse-dsn';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dsnFacts, partsOf, report } from './facts.ts';

const word = fc.stringMatching(/^[a-z0-9+-]{1,20}$/);
const words = fc.stringMatching(/^[a-zA-Z0-9(<;:.,!]{1,20}( [a-zA-Z0-9(<;:.,!]{1,20}){0,8}$/);
const address = fc.oneof(
  fc.tuple(word, word).map(([local, domain]) => `${local}@${domain}.example`),
  fc.constantFrom(
    '"a b\\"c;"@x.example',
    'jürg@x.example',
    'ann@例.example',
    '"ü\\\\ =+"@x.example',
    'user@[IPv6:::1]',
  ),
);
const instant = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
const status = fc
  .tuple(fc.constantFrom(2, 4, 5), fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 999 }))
  .map((numbers) => numbers.join('.') as Status);

const reply = fc
  .record({
    code: fc.integer({ min: 400, max: 599 }),
    lines: fc.array(words, { minLength: 1, maxLength: 5 }),
    detail: fc.option(fc.integer({ min: 0, max: 99 })),
  })
  .map(({ code, lines, detail }) => {
    if (detail === null) return { code, lines: lines.map((line) => `x${line}`) };
    return { code, status: `${String(code)[0]}.1.${detail}` as Status, lines };
  });
const diagnostic: fc.Arbitrary<Diagnostic> = fc.oneof(
  reply.map((given) => ({ type: 'smtp' as const, reply: given })),
  words.map((text) => ({ type: 'x-posthorn', text })),
);

const orAbsent = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const typed = address.map((text) => (/^[ -~]*$/.test(text) ? `rfc822;${text}` : `utf-8;${text}`));

/** Absent properties are not there at all. */
function trimmed<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

const recipient = fc
  .record({
    finalRecipient: address,
    originalRecipient: orAbsent(typed),
    action: fc.constantFrom<Action>('failed', 'delayed', 'delivered', 'relayed', 'expanded'),
    status,
    remoteMta: orAbsent(fc.constantFrom('mx.example.net', '[192.0.2.7]')),
    diagnostic: orAbsent(diagnostic),
    remoteRecipient: orAbsent(address),
    lastAttempt: orAbsent(instant),
    willRetryUntil: orAbsent(instant),
  })
  .map((all) => trimmed(all.action === 'delayed' ? all : { ...all, willRetryUntil: undefined }) as ReportedRecipient);

const anyReport = fc
  .record({
    reportingMta: fc.constantFrom('mx.example.org', 'localhost'),
    envelopeId: orAbsent(words),
    receivedFromMta: orAbsent(fc.constantFrom({ name: 'client.example' }, { name: 'x', address: '2001:db8::1' })),
    arrivalDate: orAbsent(instant),
    deliverBy: orAbsent(instant),
    futureRelease: orAbsent(
      fc.oneof(fc.record({ for: fc.integer({ min: 1, max: 999_999_999 }) }), fc.record({ until: instant })),
    ),
    recipients: fc.array(recipient, { minLength: 1, maxLength: 4 }),
  })
  .map((all) => trimmed(all) as DeliveryReport);

describe('parseDsn', () => {
  it('DSN-3 DSN-5 DSN-6 EXT-UTF8-6 EXT-UTF8-10 reads back every report that is composed', () => {
    fc.assert(
      fc.property(anyReport, fc.constantFrom('ann@example.org', 'jürg@example.org'), (given, reversePath) => {
        const { content, smtputf8, body } = composeDsn(dsnFacts({ report: given, reversePath }));
        expect(smtputf8).toBe(reversePath.startsWith('j'));
        if (!smtputf8) expect(body).toBe('7BIT');
        const read = parseDsn(content);
        expect(read?.report).toEqual(given);
        expect(read?.original?.kind).toBe('headers');
        expect(read?.explanation).toContain('This is the mail system of');
      }),
      { numRuns: 500 },
    );
  });

  it('EXT-UTF8-6 EXT-UTF8-10 DSN-19 escapes addresses towards an ASCII sender, and spells them out towards a UTF-8 one', () => {
    const foreign: ReportedRecipient = {
      finalRecipient: 'jürg@example.net',
      originalRecipient: 'utf-8;j\\x{FC}rgen@example.net',
      action: 'failed',
      status: '5.1.1',
    };
    const utf8 = { ...report, recipients: [foreign] };
    const [ascii, spelled] = ['ann@example.org', 'änn@example.org'].map((reversePath) => {
      const part = partsOf(composeDsn(dsnFacts({ report: utf8, reversePath })).content)[1] as {
        head: string;
        body: string;
      };
      return `${part.head}\r\n${part.body}`;
    }) as [string, string];
    expect(ascii).toContain('Content-Type: message/delivery-status\r\n');
    expect(ascii).toContain('Original-Recipient: utf-8;j\\x{FC}rgen@example.net\r\n');
    expect(ascii).toContain('Final-Recipient: utf-8; j\\x{FC}rg@example.net\r\n');
    expect(spelled).toContain('Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n');
    expect(spelled).toContain('Original-Recipient: utf-8;jürgen@example.net\r\n');
    expect(spelled).toContain('Final-Recipient: utf-8; jürg@example.net\r\n');
  });

  it('EXT-UTF8-6 copies an address of type utf-8 that is none', () => {
    const odd: ReportedRecipient = {
      finalRecipient: 'a@b.example',
      originalRecipient: 'utf-8;a\\x{41}@ü.example',
      action: 'failed',
      status: '5.0.0',
    };
    const { content } = composeDsn(dsnFacts({ report: { ...report, recipients: [odd] }, reversePath: 'ü@b.example' }));
    expect(content.toString()).toContain('Original-Recipient: utf-8;a\\x{41}@ü.example\r\n');
  });

  const parts = ['message/delivery-status', 'message/global-delivery-status'];
  const originals = ['message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers'];
  it.each(parts.flatMap((status) => originals.map((original) => [status, original])))(
    'EXT-UTF8-12 reads %s together with %s',
    (statusType, originalType) => {
      const read = parseDsn(
        multipart(
          `Content-Type: ${statusType}\r\n\r\nReporting-MTA: dns;a.example\r\n\r\nFinal-Recipient: rfc822;x@b.example\r\nAction: failed\r\nStatus: 5.0.0\r\n`,
          `Content-Type: ${originalType}\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from('Subject: grüße\r\n').toString('base64')}`,
        ),
      );
      expect(read?.report.recipients[0]?.finalRecipient).toBe('x@b.example');
      expect(read?.original).toEqual({
        kind: originalType?.endsWith('headers') ? 'headers' : 'message',
        content: Buffer.from('Subject: grüße\r\n'),
      });
    },
  );

  it('DSN-6 reads fields in any order and case, without types, and folded for width', () => {
    const read = parseDsn(
      multipart(
        [
          'Content-Type: message/delivery-status',
          '',
          '',
          'arrival-date: 27 Oct 81 15:27:39 PST',
          'REPORTING-MTA: old.example',
          '',
          '',
          'Status: 5.01.001 (bad address)',
          'Diagnostic-Code: SMTP; 550 no such',
          '    user here',
          'ACTION: Failed (permanently)',
          'Final-Recipient: RFC822; <x@b.example>',
          '',
          'Final-Recipient: x400; /S=a/',
          'Diagnostic-Code: smtp;452 full',
          '',
          'Original-Recipient: y@b.example',
        ].join('\r\n'),
      ),
    );
    expect(read?.report).toEqual({
      reportingMta: 'old.example',
      arrivalDate: Date.UTC(1981, 9, 27, 23, 27, 39),
      recipients: [
        {
          finalRecipient: 'x@b.example',
          action: 'failed',
          status: '5.1.1',
          diagnostic: { type: 'smtp', reply: { code: 550, lines: ['no such    user here'] } },
        },
        {
          finalRecipient: 'x400;/S=a/',
          action: 'delayed',
          status: '4.0.0',
          diagnostic: { type: 'smtp', reply: { code: 452, lines: ['full'] } },
        },
        { finalRecipient: 'y@b.example', originalRecipient: 'rfc822;y@b.example', action: 'failed', status: '5.0.0' },
      ],
    });
  });

  it('finds no report in other mail, nor in one that is only forwarded', () => {
    expect(parseDsn(Buffer.from('Subject: x\r\n\r\nFinal-Recipient: rfc822;a@b\r\n'))).toBeUndefined();
    expect(
      parseDsn(multipart('Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;a\r\n')),
    ).toBeUndefined();
    const { content } = composeDsn(dsnFacts());
    expect(parseDsn(Buffer.concat([Buffer.from('Content-Type: message/rfc822\r\n\r\n'), content]))).toBeUndefined();
    const mixed = Buffer.from(content.toString().replace('multipart/report', 'multipart/mixed'));
    expect(parseDsn(mixed)).toBeUndefined();
  });

  it('reads a report that a list or a scanner wrapped', () => {
    const { content } = composeDsn(dsnFacts());
    const wrapped = `Content-Type: multipart/mixed; boundary=w\r\n\r\n--w\r\n\r\nfooter\r\n--w\r\n${content}\r\n--w\r\n\r\nscanned\r\n--w--`;
    expect(parseDsn(Buffer.from(wrapped))?.report).toEqual(report);
  });

  it('never throws, whatever is cut or changed in a report', () => {
    const { content } = composeDsn(dsnFacts());
    fc.assert(
      fc.property(
        fc.nat(content.length),
        fc.nat(content.length),
        fc.uint8Array({ maxLength: 20 }),
        (from, to, octets) => {
          parseDsn(Buffer.concat([content.subarray(0, from), octets, content.subarray(to)]));
        },
      ),
    );
  });
});

function multipart(...sections: string[]): Buffer {
  const body = sections.map((section) => `--=b\r\n${section}\r\n`).join('');
  return Buffer.from(`Content-Type: multipart/report; boundary="=b"\r\n\r\n${body}--=b--\r\n`);
}
