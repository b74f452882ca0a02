import { writeMailParameters, writeRcptParameters } from '@posthorn/smtp/command/parameters';
import { commonClasses, parseSolicitation, refuseSolicitation } from '@posthorn/smtp/command/solicitation';
import { describe, expect, it } from 'vitest';
import { all, mail, rcpt } from './read-parameters.ts';

describe('SOLICIT', () => {
  it('EXT-NOSOL-1 is a list of classes with commas between', () => {
    expect(mail(' SOLICIT=net.example:ADV,org.example:ADV:ADLT')).toEqual({
      solicit: ['net.example:ADV', 'org.example:ADV:ADLT'],
    });
    expect(mail(' solicit=A')).toEqual({ solicit: ['A'] });
    expect(mail(` SOLICIT=${'a'.repeat(1000)}`)).toEqual({ solicit: ['a'.repeat(1000)] });
  });

  it('EXT-NOSOL-1 is refused when a class is malformed, or all are longer than 1000 characters', () => {
    const texts = ['', '=', '=,', '=a,', '=,a', '=a,,b', '=1a', '=:a', '=a/b', '=a@b', '=é', '=\u212a'];
    for (const text of [...texts, `=${'a'.repeat(1001)}`, `=${'ab,'.repeat(334)}`]) {
      expect(mail(` SOLICIT${text}`), text).toBe('501 5.5.4');
    }
    expect(parseSolicitation('')).toBeUndefined();
    for (const solicit of [[], ['a b'], ['a,b\r\n'], ['']]) expect(writeMailParameters({ solicit }, all)).toEqual([]);
  });

  it('EXT-NOSOL-1 EXT-NOSOL-2 meets classes in any case, and a refusal names those that it met', () => {
    const met = commonClasses(['net.example:ADV', 'org.example:NEWS'], ['NET.example:adv', 'x:y']);
    expect(met).toEqual(['net.example:ADV']);
    expect(commonClasses(['a'], [])).toEqual([]);
    expect(refuseSolicitation(met)).toMatchObject({ code: 550, status: '5.7.1' });
    expect(refuseSolicitation(met).lines[0]).toMatch(/ SOLICIT=net\.example:ADV$/);
  });
});

describe('REQUIRETLS', () => {
  it('EXT-RTLS-1 has no value', () => {
    expect(mail(' requiretls')).toEqual({ requireTls: true });
    expect(mail(' REQUIRETLS=yes')).toBe('501 5.5.4');
    expect(mail(' REQUIRETLS REQUIRETLS')).toBe('501 5.5.4');
    expect(writeMailParameters({ requireTls: true }, all)).toEqual([{ keyword: 'REQUIRETLS' }]);
  });
});

describe('RRVS', () => {
  it('EXT-RRVS-1 has a time of any zone, and a letter that is R where it is missing', () => {
    const since = Date.UTC(2014, 3, 3, 23, 1);
    expect(rcpt(' RRVS=2014-04-03T23:01:00Z')).toEqual({ rrvs: { since, fallback: 'R' } });
    expect(rcpt(' rrvs=2014-04-03t23:01:00z;c')).toEqual({ rrvs: { since, fallback: 'C' } });
    expect(rcpt(' RRVS=2014-04-04T01:01:00+02:00;R')).toEqual({ rrvs: { since, fallback: 'R' } });
    expect(writeRcptParameters({ rrvs: { since: since + 999, fallback: 'C' } }, all)).toEqual([
      { keyword: 'RRVS', value: '2014-04-03T23:01:00Z;C' },
    ]);
  });

  it('EXT-RRVS-1 is refused when it is malformed, or has a fraction', () => {
    const day = '2014-04-03';
    const texts = ['', '=', `=${day}`, `=${day}T23:01:00`, `=${day}T23:01:00.5Z`, `=${day}T24:00:00Z`];
    for (const text of [
      ...texts,
      `=${day}T23:01:00Z;X`,
      `=${day}T23:01:00Z;`,
      `=${day}T23:01:00Z;R;C`,
      '=2014-13-01T00:00:00Z',
    ]) {
      expect(rcpt(` RRVS${text}`), text).toBe('501 5.5.4');
    }
    expect(rcpt(` RRVS=${day}T23:01:00Z RRVS=${day}T23:01:00Z`)).toBe('501 5.5.4');
    expect(writeRcptParameters({ rrvs: { since: Number.NaN, fallback: 'R' } }, all)).toEqual([]);
  });
});
