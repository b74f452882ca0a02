import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSenderRewriting } from '../../src/directory/sender-rewriting-scheme.ts';

const day = 86_400_000;
const here = createSenderRewriting({ domain: 'here.example', secret: Buffer.alloc(32, 1), days: 21 });
const there = createSenderRewriting({ domain: 'there.example', secret: Buffer.alloc(32, 2), days: 21 });
const start = Date.UTC(2026, 0, 1);

const sender = fc.record({
  localPart: fc.oneof(
    fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}$/),
    fc.constantFrom('a b', '"', 'SRS0', 'srs2=x', '=', '==a', 'ünı'),
  ),
  domain: fc.constantFrom('example.com', 'a.b.c.example', 'xn--nxasmq6b.example'),
});

describe('a rewritten sender', () => {
  it('LOC-FW-1 leads back to who it was for its time, whoever changed its case, and to nobody later', () => {
    fc.assert(
      fc.property(sender, fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 500 }), (from, first, wait) => {
        fc.pre(!/^SRS[01]=/i.test(from.localPart));
        const written = here.rewrite(from, start + first * day);
        if (written === undefined) throw new Error('too long');
        expect(written.domain).toBe('here.example');
        const back = here.reverse(written, start + (first + wait) * day);
        expect(back).toEqual(wait <= 21 ? from : 'expired');
        if (!/^[\x20-\x7e]*$/.test(from.localPart)) return;
        for (const localPart of [written.localPart.toLowerCase(), written.localPart.toUpperCase()]) {
          const changed = here.reverse({ localPart, domain: 'Here.Example' }, start + first * day);
          expect(typeof changed === 'object' && changed.localPart.toLowerCase()).toBe(from.localPart.toLowerCase());
        }
      }),
    );
  });

  it('LOC-FW-1 leads back by the first host alone, however many forwarded it, and grows no longer', () => {
    fc.assert(
      fc.property(sender, fc.array(fc.constantFrom(here, there), { minLength: 1, maxLength: 6 }), (from, others) => {
        fc.pre(!/^SRS[01]=/i.test(from.localPart));
        const first = there.rewrite(from, start);
        let written = first;
        let longest = 0;
        for (const each of others) {
          written = written && each.rewrite(written, start);
          longest = Math.max(longest, written?.localPart.length ?? 0);
        }
        if (written === undefined || first === undefined) throw new Error('too long');
        expect(longest).toBeLessThan(first.localPart.length + 40);
        const last = others.at(-1) === here ? here : there;
        expect(last.reverse(written, start)).toEqual(first);
        expect(there.reverse(first, start)).toEqual(from);
      }),
    );
  });

  it('LOC-FW-1 CMD-RCPT-4 SEC-2505 is believed only as it was written: nobody else is written to by it', () => {
    const written = here.rewrite({ localPart: 'ann', domain: 'example.com' }, start);
    const again = here.rewrite({ localPart: 'SRS0=abcd=ef=example.com=ann', domain: 'other.example' }, start);
    for (const each of [written, again]) {
      const text = each?.localPart ?? '';
      for (let index = 5; index < text.length; index += 1) {
        const letter = text[index] === 'b' ? 'c' : 'b';
        const localPart = text.slice(0, index) + letter + text.slice(index + 1);
        const back = here.reverse({ localPart, domain: 'here.example' }, start);
        expect(back === 'forged' || back === undefined).toBe(true);
      }
      expect(there.reverse({ localPart: text, domain: 'there.example' }, start)).toBe('forged');
    }
  });

  it('LOC-FW-1 is no other address, whatever stands in it, and no longer than a path may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        for (const localPart of [text, `SRS0=${text}`, `SRS1=${text}`, `SRS0=İbcdefgh=${text}`]) {
          const back = here.reverse({ localPart, domain: 'here.example' }, start);
          expect([undefined, 'forged', 'expired']).toContain(back);
        }
      }),
    );
    expect(here.reverse({ localPart: 'ann', domain: 'here.example' }, start)).toBeUndefined();
    expect(here.rewrite({ localPart: 'x'.repeat(240), domain: 'example.com' }, start)).toBeUndefined();
  });
});
