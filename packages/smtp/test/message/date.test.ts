import { formatDate, parseDate } from '@posthorn/smtp/message/date';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('dates', () => {
  it('TRC-4 writes four digits of the year and a numeric zone', () => {
    expect(formatDate(Date.UTC(2026, 10, 3, 4, 5, 6))).toBe('Tue, 3 Nov 2026 04:05:06 +0000');
    expect(formatDate(Date.UTC(2026, 10, 3, 4, 5, 6), 330)).toBe('Tue, 3 Nov 2026 09:35:06 +0530');
    expect(formatDate(Date.UTC(2026, 0, 1, 2, 0, 0), -480)).toBe('Wed, 31 Dec 2025 18:00:00 -0800');
  });

  it.each([
    ['27 Oct 81 15:27:39 PST', Date.UTC(1981, 9, 27, 23, 27, 39)],
    ['Fri, 21 Nov 1997 09:55:06 -0600', Date.UTC(1997, 10, 21, 15, 55, 6)],
    ['Thu,\r\n\t13\r\n Feb\r\n 1969\r\n 23:32\r\n\t-0330 (Newfoundland Time)', Date.UTC(1969, 1, 14, 3, 2, 0)],
    ['Fri, 21 Nov 97 09(comment):   55  :  06 -0600', Date.UTC(1997, 10, 21, 15, 55, 6)],
    ['21 Nov 01 09:55:06 GMT', Date.UTC(2001, 10, 21, 9, 55, 6)],
    ['21-Nov-102 9:55 z', Date.UTC(2002, 10, 21, 9, 55)],
    ['Saturday, 1 January 2000 00:00:60 +0000 (a (b \\) c) d)', Date.UTC(2000, 0, 1, 0, 1, 0)],
    ['1 Jan 2000 00:00:00', Date.UTC(2000, 0, 1)],
  ])('TRC-4 EX-7 reads %j', (text, instant) => {
    expect(parseDate(text)).toBe(instant);
  });

  it.each([
    '',
    'yesterday',
    '31 Feb 2020 00:00:00 +0000',
    '1 Foo 2020 00:00:00 +0000',
    '1 Jan 2020 24:00:00 +0000',
    '1 Jan 2020',
    `1 Jan 2020 ${' '.repeat(1e6)}`,
  ])('TRC-4 finds no date in what is none', (text) => expect(parseDate(text)).toBeUndefined());

  it('TRC-4 gives back every second it wrote, in every zone', () => {
    const second = fc.integer({ min: Date.UTC(1900, 0, 2) / 1000, max: Date.UTC(9999, 11, 30) / 1000 });
    fc.assert(
      fc.property(second, fc.integer({ min: -14 * 60, max: 14 * 60 }), (seconds, offset) => {
        expect(parseDate(formatDate(seconds * 1000 + 999, offset))).toBe(seconds * 1000);
      }),
    );
  });
});
