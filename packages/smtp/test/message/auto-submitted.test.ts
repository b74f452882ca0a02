import { isAutoSubmitted, parseAutoSubmitted } from '@posthorn/smtp/message/auto-submitted';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const isAutomatic = (text: string) => isAutoSubmitted(Buffer.from(text));

describe('Auto-Submitted', () => {
  it.each([
    ['no', 'no', {}],
    ['Auto-Replied (vacation; "no")', 'auto-replied', {}],
    ['(a (b)) auto-generated ; type = "a;b" (c); X=1', 'auto-generated', { type: 'a;b', x: '1' }],
    ['auto-notified; owner-email="me@example.com"', 'auto-notified', { 'owner-email': 'me@example.com' }],
    ['no;reason=x', 'no', { reason: 'x' }],
  ])('LOC-VAC-3 reads %j as the word and its parameters', (value, keyword, parameters) => {
    const read = parseAutoSubmitted(value);
    expect([read?.keyword, Object.fromEntries(read?.parameters ?? [])]).toEqual([keyword, parameters]);
  });

  it('LOC-VAC-3 LOC-VAC-1 says that a person wrote where it is `no` with whatever around it, or not there', () => {
    for (const value of ['no', ' NO (comment)', '(c)\r\n no\r\n ; a=b']) {
      expect(isAutomatic(`Subject: x\r\nAuto-Submitted: ${value}\r\n`)).toBe(false);
    }
    expect(isAutomatic('Subject: auto-replied\r\n')).toBe(false);
  });

  it('LOC-VAC-3 LOC-VAC-1 says that a program wrote for any other value, even a faulty or doubled one', () => {
    for (const value of ['auto-replied', 'x', '', '(no)', ';no', 'no-way', 'no\r\nAuto-Submitted: auto-generated']) {
      expect(isAutomatic(`AUTO-submitted : ${value}\r\n`)).toBe(true);
    }
  });

  it('LOC-VAC-3 reads the word whatever comments and parameters stand around it', () => {
    const token = fc.string({ unit: fc.constantFrom(...'abcXYZ0189-_.!'), minLength: 1, maxLength: 12 });
    const comment = fc.string({ unit: fc.constantFrom(...'ab ;="'), maxLength: 12 }).map((text) => ` (${text}) `);
    const space = fc.oneof(fc.constantFrom('', ' ', '\t'), comment);
    const parameter = fc.record({ before: space, name: token, value: token, after: space });
    fc.assert(
      fc.property(space, token, fc.array(parameter, { maxLength: 3 }), (before, keyword, parameters) => {
        const tail = parameters.map((one) => `${one.before};${one.after}${one.name}=${one.value}`).join('');
        const read = parseAutoSubmitted(`${before}${keyword}${tail}`);
        expect(read?.keyword).toBe(keyword.toLowerCase());
        for (const { name } of parameters) expect(read?.parameters.has(name.toLowerCase())).toBe(true);
      }),
    );
  });
});
