import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatResults, formatResultsField, withoutForged } from '../../src/authentication/authentication-results.ts';

const claims = (value: string) =>
  withoutForged(Buffer.from(`Authentication-Results: ${value}\r\nTo: x\r\n`), 'mx.example.org').toString() ===
  'To: x\r\n';

describe('Authentication-Results', () => {
  it('SEC-AR-1 names this host first, then what was found', () => {
    const results = [
      { method: 'spf', result: 'pass', properties: [['smtp.mailfrom', 'bob@example.com']] },
      { method: 'dkim', result: 'fail', reason: 'the "body"', properties: [['header.b', 'ab+/cd==']] },
    ] as const;
    expect(formatResults('mx.example.org', results)).toBe(
      'mx.example.org; spf=pass smtp.mailfrom=bob@example.com; dkim=fail reason="the \\"body\\"" header.b="ab+/cd=="',
    );
    expect(formatResultsField('mx.example.org', [])).toBe('Authentication-Results: mx.example.org;\r\n\tnone\r\n');
  });

  it('SEC-AR-1 stays one field, whatever a stranger calls himself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const field = formatResultsField('mx.example.org', [
          { method: 'spf', result: 'none', reason: text, properties: [['smtp.helo', text]] },
        ]);
        expect(field.replaceAll('\r\n\t', ' ')).toMatch(/^[^\r\n]+\r\n$/);
      }),
    );
  });

  it('SEC-AR-1 of somebody else is told from one that is forged, in every way to write the name', () => {
    for (const forged of [
      'mx.example.org; spf=pass',
      'MX.Example.ORG 1; spf=pass',
      '"mx.example.org"; spf=pass',
      '(it is) mx.example.org (it is; really) ; spf=pass',
      '"mx.exa\\mple.org"; none',
      ' ; spf=pass',
      '(',
      '',
    ])
      expect([forged, claims(forged)]).toEqual([forged, true]);
    for (const other of ['mx.example.net; spf=pass', 'mx.example.org.evil; none', '(mx.example.org) other; none'])
      expect([other, claims(other)]).toEqual([other, false]);
  });
});
