import { parseDate } from '@posthorn/smtp/message/date';
import { headerFields, splitMessage } from '@posthorn/smtp/message/header';
import { formatReceived, type ReceivedFacts, withKeyword } from '@posthorn/smtp/message/received';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const facts: ReceivedFacts = {
  from: 'client.example',
  reverseName: 'host.example',
  address: '192.0.2.1',
  by: 'mx.example.org',
  protocol: 'ESMTPS',
  id: '0A1B2C',
  recipients: [{ address: 'ann@example.org' }],
  date: Date.UTC(2026, 10, 3, 4, 5, 6),
  offsetMinutes: 60,
};

const unfolded = (field: string) => field.replace(/\r\n(?=[ \t])/g, '').replace(/\t/g, ' ');

describe('formatReceived', () => {
  it('TRC-1 TRC-4 tells who sent it, who took it, how, under which id, for whom and when', () => {
    expect(unfolded(formatReceived(facts))).toBe(
      'Received: from client.example (host.example [192.0.2.1]) by mx.example.org with ESMTPS id 0A1B2C for <ann@example.org>; Tue, 3 Nov 2026 05:05:06 +0100\r\n',
    );
  });

  it('TRC-1 writes an IPv6 address as a literal, and does without a reverse name', () => {
    const { reverseName: _, ...others } = facts;
    expect(formatReceived({ ...others, address: '2001:db8::1', from: '[IPv6:2001:db8::1]' })).toContain(
      'from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n',
    );
  });

  it('TRC-3 TRC-10 names no recipient when there are several', () => {
    const field = formatReceived({
      ...facts,
      recipients: [{ address: 'a@example.org' }, { address: 'secret@example.org' }],
    });
    expect(field).not.toContain('for <');
    expect(field).not.toContain('secret');
  });

  it('TRC-8 adds the cipher suite as a clause on submission and as a comment elsewhere', () => {
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', group: 'X25519' };
    expect(unfolded(formatReceived({ ...facts, tls: { ...tls, form: 'clause' } }))).toContain(
      ' for <ann@example.org> tls TLS_AES_128_GCM_SHA256 group X25519; ',
    );
    expect(unfolded(formatReceived({ ...facts, tls: { ...tls, form: 'comment' } }))).toContain(
      ' by mx.example.org (TLSv1.3 TLS_AES_128_GCM_SHA256) with ESMTPS ',
    );
    const { group: _, ...noGroup } = tls;
    expect(unfolded(formatReceived({ ...facts, tls: { ...noGroup, cipher: '0x1301', form: 'clause' } }))).toContain(
      ' tls 0x1301; ',
    );
  });

  it('TRC-8 hides the submitter when no address is given', () => {
    const { address: _, ...hidden } = facts;
    expect(unfolded(formatReceived(hidden))).toMatch(/^Received: from client\.example by /);
  });

  it('EXT-NOSOL-3 notes the classes of solicitation behind the with clause, as long as they have room in a line', () => {
    const solicit = ['net.example:ADV', 'org.example:ADV:ADLT'];
    expect(unfolded(formatReceived({ ...facts, solicit }))).toContain(
      ' with ESMTPS (SOLICIT=net.example:ADV,org.example:ADV:ADLT) id ',
    );
    expect(formatReceived({ ...facts, solicit: ['a)\r\nX: b'] })).toContain('(SOLICIT=a???X:?b)');
    const many = Array.from({ length: 100 }, () => 'a234567890');
    for (const line of formatReceived({ ...facts, solicit: many }).split('\r\n')) expect(line.length).toBeLessThan(998);
    expect(formatReceived({ ...facts, solicit: many })).toBe(formatReceived(facts));
  });

  it('EXT-PRI-2 names the priority', () => {
    expect(unfolded(formatReceived({ ...facts, priority: -3 }))).toContain('for <ann@example.org> PRIORITY -3; ');
  });

  it('TRC-1 keeps one field of short lines whatever the client and its DNS say', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.string(),
        (from, reverseName, local) => {
          const hostile = { ...facts, from, reverseName, recipients: [{ address: `${local}@x` }] };
          const field = Buffer.from(formatReceived(hostile));
          expect([...headerFields(field)]).toHaveLength(1);
          expect(splitMessage(field).separator).toHaveLength(0);
          for (const line of field.toString().split('\r\n')) expect(line.length).toBeLessThan(998);
          const [before] = field.toString().split(' id 0A1B2C\r\n');
          expect((before as string).match(/[();]/g)).toEqual(['(', ')']);
        },
      ),
    );
  });

  it('TRC-1 folds at 78 columns when the names have the usual length', () => {
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', form: 'comment' } as const;
    for (const line of formatReceived({ ...facts, tls }).split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
  });
});

describe('withKeyword', () => {
  it.each([
    [{}, 'SMTP'],
    [{ tls: true }, 'SMTP'],
    [{ esmtp: true }, 'ESMTP'],
    [{ esmtp: true, tls: true }, 'ESMTPS'],
    [{ esmtp: true, authenticated: true }, 'ESMTPA'],
    [{ esmtp: true, tls: true, authenticated: true }, 'ESMTPSA'],
    [{ lmtp: true }, 'LMTP'],
    [{ lmtp: true, tls: true }, 'LMTPS'],
    [{ lmtp: true, authenticated: true }, 'LMTPA'],
    [{ lmtp: true, tls: true, authenticated: true }, 'LMTPSA'],
    [{ esmtp: true, utf8: true }, 'UTF8SMTP'],
    [{ esmtp: true, utf8: true, tls: true }, 'UTF8SMTPS'],
    [{ esmtp: true, utf8: true, authenticated: true }, 'UTF8SMTPA'],
    [{ esmtp: true, utf8: true, tls: true, authenticated: true }, 'UTF8SMTPSA'],
    [{ lmtp: true, utf8: true }, 'UTF8LMTP'],
    [{ lmtp: true, utf8: true, tls: true, authenticated: true }, 'UTF8LMTPSA'],
  ])('TRC-2 EXT-UTF8-9 gives %j the keyword %s', (kind, keyword) => {
    expect(withKeyword(kind)).toBe(keyword);
  });
});

it('TRC-4 writes dates that read back', () => {
  const [, date] = unfolded(formatReceived(facts)).split('; ');
  expect(parseDate(date as string)).toBe(facts.date);
});
