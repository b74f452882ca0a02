import { formatAtrn, formatEtrn, parseAtrn, parseEtrn } from '@posthorn/smtp/command/turn-arguments';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?$/);
const domain = fc.array(label, { minLength: 2, maxLength: 5 }).map((labels) => labels.join('.'));

describe('the argument of ETRN', () => {
  it('CMD-ETRN-1 CMD-ETRN-6 is a node, a domain with all below it, or a queue', () => {
    expect(parseEtrn('foo.example')).toEqual({ kind: 'node', name: 'foo.example' });
    expect(parseEtrn('[192.0.2.1]')).toEqual({ kind: 'node', name: '[192.0.2.1]' });
    expect(parseEtrn('@foo.example')).toEqual({ kind: 'subdomains', name: 'foo.example' });
    expect(parseEtrn('#uucp')).toEqual({ kind: 'queue', name: 'uucp' });
  });

  it.each([
    '',
    'localname',
    '@',
    '@com',
    '#',
    '@@a.b',
    '# uucp',
    'a.b c.d',
    'a..b',
    '-a.b',
    'a.b-',
    '!a.b',
    '@[192.0.2.1]',
  ])('CMD-ETRN-5 is malformed as %j', (argument) => {
    expect(parseEtrn(argument)).toBeUndefined();
  });

  it('CMD-ETRN-1 is read as it was written', () => {
    const request = fc.record({ kind: fc.constantFrom('node' as const, 'subdomains' as const), name: domain });
    fc.assert(
      fc.property(request, (given) => {
        expect(parseEtrn(formatEtrn(given))).toEqual(given);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/), (name) => {
        expect(parseEtrn(formatEtrn({ kind: 'queue', name }))).toEqual({ kind: 'queue', name });
      }),
    );
  });

  it('CMD-ETRN-5 is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (argument) => {
        const request = parseEtrn(argument);
        if (request !== undefined) expect(formatEtrn(request)).toBe(argument);
      }),
    );
  });
});

describe('the argument of ATRN', () => {
  it('CMD-ATRN-2 is domains with a comma between them, or nothing', () => {
    expect(parseAtrn('')).toEqual([]);
    expect(parseAtrn('a.example')).toEqual(['a.example']);
    expect(parseAtrn('a.example,B-1.Example.ORG')).toEqual(['a.example', 'B-1.Example.ORG']);
  });

  it.each([
    'localhost',
    'a.b, c.d',
    'a.b ,c.d',
    'a.b,',
    ',a.b',
    'a.b,,c.d',
    'a.b c.d',
    'a-.b',
    '-a.b',
    'a_b.c',
    'a.b.',
  ])('CMD-ATRN-2 is malformed as %j', (argument) => {
    expect(parseAtrn(argument)).toBeUndefined();
  });

  it('CMD-ATRN-2 is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(domain), (domains) => {
        expect(parseAtrn(formatAtrn(domains))).toEqual(domains);
      }),
    );
  });

  it('CMD-ATRN-2 is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (argument) => {
        const domains = parseAtrn(argument);
        if (domains !== undefined) expect(formatAtrn(domains)).toBe(argument);
      }),
    );
  });
});
