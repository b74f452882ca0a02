import { anonymous } from '@posthorn/smtp/sasl/anonymous';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('ANONYMOUS', () => {
  it('CMD-AUTH-15 takes an address, a word or nothing, of up to 255 characters', () => {
    for (const trace of ['', 'sirhc', 'ann@example.org', 'ä'.repeat(255)]) {
      const credentials = { mechanism: 'ANONYMOUS', user: '', authorizeAs: '', trace };
      expect(anonymous.server().begin(Buffer.from(trace))).toEqual({ kind: 'verify', credentials });
    }
    for (const octets of [
      Buffer.from('x'.repeat(256)),
      Buffer.from('a\0b'),
      Buffer.from('a\nb'),
      Buffer.from([0xff]),
    ]) {
      expect(anonymous.server().begin(octets)).toEqual({ kind: 'malformed' });
    }
    const asked = anonymous.server();
    expect(asked.begin(undefined)).toEqual({ kind: 'challenge', bytes: Buffer.alloc(0) });
    expect(asked.next(Buffer.from('x')).kind).toBe('verify');
  });

  it('CMD-AUTH-15 agrees with itself, and says it once', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (user) => {
        const client = anonymous.client({ user, password: '', authorizeAs: '' });
        if (client.initial === undefined) return;
        expect(anonymous.server().begin(client.initial)).toMatchObject({ credentials: { trace: user } });
        expect(client.next(Buffer.alloc(0))).toEqual(client.initial);
        expect(client.next(Buffer.alloc(0))).toBeUndefined();
      }),
    );
  });
});
