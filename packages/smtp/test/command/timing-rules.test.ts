import { writeMailParameters } from '@posthorn/smtp/command/parameters';
import { describe, expect, it } from 'vitest';
import { all, mail } from './read-parameters.ts';

const written = (typed: object) => writeMailParameters(typed, all);

describe('BY', () => {
  it('EXT-DBY-1 has a time of one to nine digits, a mode, and maybe a T', () => {
    expect(mail(' BY=120;R')).toEqual({ deliverBy: { seconds: 120, mode: 'R' } });
    expect(mail(' BY=+120;r')).toEqual({ deliverBy: { seconds: 120, mode: 'R' } });
    expect(mail(' by=-5;nt')).toEqual({ deliverBy: { seconds: -5, mode: 'N', trace: true } });
    expect(mail(' BY=999999999;RT')).toEqual({ deliverBy: { seconds: 999_999_999, mode: 'R', trace: true } });
    for (const zero of ['0', '-0', '+000']) {
      expect(mail(` BY=${zero};N`)).toEqual({ deliverBy: { seconds: 0, mode: 'N' } });
    }
  });

  it('EXT-DBY-1 is refused when it is malformed, or when mode R has no time left', () => {
    const texts = ['', '=120', '=120;', '=;R', '=120;X', '=120;RTT', '=120;R;T', '=1234567890;N', '=--1;N', '=1.5;R'];
    for (const text of [...texts, '=0;R', '=-5;R', '=+0;RT', '=120R', '=120;T', '=120;NR']) {
      expect(mail(` BY${text}`), text).toBe('501 5.5.4');
    }
    expect(mail(' BY=1;R BY=2;R')).toBe('501 5.5.4');
  });

  it('EXT-DBY-1 EXT-DBY-2 is written with the seconds that are left, in mode N whatever they are', () => {
    expect(written({ deliverBy: { seconds: 98, mode: 'R', trace: true } })).toEqual([
      { keyword: 'BY', value: '98;RT' },
    ]);
    expect(written({ deliverBy: { seconds: -3, mode: 'N' } })).toEqual([{ keyword: 'BY', value: '-3;N' }]);
    for (const seconds of [0, -1, 1.5, Number.NaN, 1e9])
      expect(written({ deliverBy: { seconds, mode: 'R' } })).toEqual([]);
  });
});

describe('HOLDFOR and HOLDUNTIL', () => {
  it('EXT-FUT-1 have seconds of one to nine digits, or a time in UTC', () => {
    expect(mail(' HOLDFOR=1')).toEqual({ hold: { for: 1 } });
    expect(mail(' holdfor=999999999')).toEqual({ hold: { for: 999_999_999 } });
    expect(mail(' HOLDUNTIL=2026-11-25T08:30:00Z')).toEqual({ hold: { until: Date.UTC(2026, 10, 25, 8, 30) } });
    expect(mail(' HOLDUNTIL=2026-11-25T08:30:00.250Z')).toEqual({
      hold: { until: Date.UTC(2026, 10, 25, 8, 30, 0, 250) },
    });
  });

  it('EXT-FUT-1 are refused when they are malformed, and when there is more than one', () => {
    for (const text of ['', '=0', '=01', '=-1', '=+1', '=1234567890', '=1s', '=1.5']) {
      expect(mail(` HOLDFOR${text}`), text).toBe('501 5.5.4');
    }
    const day = '2026-11-25T08:30:00';
    for (const text of [
      '',
      '=',
      `=${day}`,
      `=${day}+01:00`,
      `=${day}+00:00`,
      '=2026-02-30T00:00:00Z',
      '=2026-11-25Z',
    ]) {
      expect(mail(` HOLDUNTIL${text}`), text).toBe('501 5.5.4');
    }
    expect(mail(' HOLDFOR=1 HOLDFOR=2')).toBe('501 5.5.4');
    expect(mail(` HOLDFOR=1 HOLDUNTIL=${day}Z`)).toBe('501 5.5.4');
    expect(mail(` HOLDUNTIL=${day}Z HOLDFOR=1`)).toBe('501 5.5.4');
  });

  it('EXT-FUT-1 are written as they are typed, or not at all', () => {
    expect(written({ hold: { for: 60 } })).toEqual([{ keyword: 'HOLDFOR', value: '60' }]);
    expect(written({ hold: { until: Date.UTC(2026, 10, 25) } })).toEqual([
      { keyword: 'HOLDUNTIL', value: '2026-11-25T00:00:00Z' },
    ]);
    for (const hold of [{ for: 0 }, { for: 1e9 }, { for: 0.5 }, { until: Number.NaN }, { until: 1e18 }]) {
      expect(written({ hold })).toEqual([]);
    }
  });
});

describe('MT-PRIORITY', () => {
  it('EXT-PRI-1 EXT-PRI-3 is a whole number from -9 to 9 in its shortest form', () => {
    for (let priority = -9; priority <= 9; priority += 1) {
      expect(mail(` MT-PRIORITY=${priority}`)).toEqual({ priority });
      expect(written({ priority })).toEqual([{ keyword: 'MT-PRIORITY', value: String(priority) }]);
    }
  });

  it('EXT-PRI-1 EXT-PRI-3 is refused with 501 5.5.2 when it is anything else, or given twice', () => {
    for (const text of ['', '=+3', '=03', '=-0', '=10', '=-10', '=1.0', '=high', '=--1']) {
      expect(mail(` MT-PRIORITY${text}`), text).toBe('501 5.5.2');
    }
    expect(mail(' MT-PRIORITY=1 MT-PRIORITY=1')).toBe('501 5.5.2');
    for (const priority of [10, -10, 0.5, Number.NaN]) expect(written({ priority })).toEqual([]);
  });
});
