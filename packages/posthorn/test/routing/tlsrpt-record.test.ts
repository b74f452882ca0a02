import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reportPlaces } from '../../src/routing/tlsrpt-record.ts';

describe('reportPlaces', () => {
  it.each<[readonly string[], readonly string[]]>([
    [['v=TLSRPTv1;rua=mailto:reports@example.com'], ['reports@example.com']],
    [['v=TLSRPTv1; rua=https://reports.example.com/v1/tlsrpt'], ['https://reports.example.com/v1/tlsrpt']],
    [['v=TLSRPTv1; rua=mailto:a@b.example , https://c.example/;'], ['a@b.example', 'https://c.example/']],
    [['v=TLSRPTv1; x=y; rua=mailto:a%2Bb@c.example'], ['a+b@c.example']],
    [['v=spf1 -all', 'v=TLSRPTv1; rua=mailto:a@b.example'], ['a@b.example']],
    [['v=TLSRPTv1; rua=mailto:a@b.example', 'v=TLSRPTv1; rua=mailto:c@d.example'], []],
    [['v=TLSRPTv1; rua=http://c.example/'], []],
    [['v=TLSRPTv1; rua=mailto:nobody'], []],
    [['v=TLSRPTv1; rua=mailto:%zz'], []],
    [['v=TLSRPTv1;'], []],
    [['v=TLSRPTv2; rua=mailto:a@b.example'], []],
    [[], []],
  ])('SEC-RPT-1 finds in %j the places %j', (records, places) => {
    expect(reportPlaces(records).map(({ to }) => to)).toEqual(places);
  });

  it('takes a bounded number of places, from anything', () => {
    const many = Array.from({ length: 100 }, (_, index) => `mailto:u${index}@example.com`).join(',');
    expect(reportPlaces([`v=TLSRPTv1; rua=${many}`])).toHaveLength(5);
    fc.assert(fc.property(fc.string(), (text) => void reportPlaces([`v=TLSRPTv1;rua=${text}`])));
  });
});
