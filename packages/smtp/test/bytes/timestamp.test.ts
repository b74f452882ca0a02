import { formatTimestamp, parseTimestamp } from '@posthorn/smtp/bytes/timestamp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant } from '../arbitraries.ts';

describe('timestamps', () => {
  it('EXT-FUT-1 EXT-RRVS-1 give back what was written, whatever the zone is', () => {
    fc.assert(
      fc.property(instant, fc.integer({ min: -1439, max: 1439 }), (time, offset) => {
        expect(parseTimestamp(formatTimestamp(time) ?? '')).toBe(time);
        const local = formatTimestamp(time + offset * 60_000);
        const minutes = Math.abs(offset);
        const [hour, minute] = [Math.trunc(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
        const zone = `${offset < 0 ? '-' : '+'}${hour}:${minute}`;
        if (local !== undefined) expect(parseTimestamp(local.replace('Z', zone))).toBe(time);
      }),
    );
  });

  it('EXT-FUT-1 never end on a time that is earlier than what was written', () => {
    expect(parseTimestamp('1996-12-19T16:39:57-08:00')).toBe(Date.UTC(1996, 11, 20, 0, 39, 57));
    expect(parseTimestamp('1985-04-12T23:20:50.5200001Z')).toBe(Date.UTC(1985, 3, 12, 23, 20, 50, 521));
    expect(parseTimestamp('1990-12-31T23:59:60Z')).toBe(Date.UTC(1991, 0, 1));
    expect(formatTimestamp(Date.UTC(2026, 0, 1))).toBe('2026-01-01T00:00:00Z');
    expect(formatTimestamp(Date.UTC(2026, 0, 1, 0, 0, 0, 5))).toBe('2026-01-01T00:00:00.005Z');
  });

  it('are none when they are malformed, or on no day', () => {
    for (const text of [
      '',
      '2026-11-25',
      '2026-11-25T08:30Z',
      '2026-11-25T08:30:00',
      '2026-2-5T08:30:00Z',
      '2026-02-29T00:00:00Z',
      '2026-04-31T00:00:00Z',
      '2026-00-01T00:00:00Z',
      '2026-01-00T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-01-01T00:60:00Z',
      '2026-01-01T00:00:61Z',
      '2026-01-01T00:00:00.Z',
      '2026-01-01T00:00:00+24:00',
      '2026-01-01T00:00:00+1:00',
      '+02026-01-01T00:00:00Z',
      `2026-01-01T00:00:00.${'0'.repeat(1000)}Z`,
    ]) {
      expect(parseTimestamp(text), text).toBeUndefined();
    }
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, -1e15, 1e15])
      expect(formatTimestamp(time)).toBeUndefined();
  });
});
