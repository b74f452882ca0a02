import { isIntermediate, isPermanent, isPositive, isTemporary, reply } from '@posthorn/smtp/reply/reply';
import { describe, expect, it } from 'vitest';

describe('reply', () => {
  it('has at least one line', () => {
    expect(reply(250, '2.0.0')).toEqual({ code: 250, status: '2.0.0', lines: [''] });
    expect(reply(354, undefined, 'a', 'b')).toEqual({ code: 354, lines: ['a', 'b'] });
  });

  it('GEN-16 is told by its first digit alone, whatever follows', () => {
    for (let code = 200; code < 600; code += 1) {
      const given = reply(code, undefined);
      const kinds = [isPositive, isIntermediate, isTemporary, isPermanent].map((is) => is(given));
      expect(kinds.indexOf(true)).toBe(Math.trunc(code / 100) - 2);
      expect(kinds.filter(Boolean)).toHaveLength(1);
    }
  });
});
