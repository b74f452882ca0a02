import { external } from '@posthorn/smtp/sasl/external';
import { describe, expect, it } from 'vitest';

describe('EXTERNAL', () => {
  it('CMD-AUTH-15 takes an identity, or an empty one, with the command or behind an empty challenge', () => {
    const claim = (authorizeAs: string) => ({
      kind: 'verify',
      credentials: { mechanism: 'EXTERNAL', user: '', authorizeAs },
    });
    expect(external.server().begin(Buffer.alloc(0))).toEqual(claim(''));
    expect(external.server().begin(Buffer.from('brünch'))).toEqual(claim('brünch'));
    const asked = external.server();
    expect(asked.begin(undefined)).toEqual({ kind: 'challenge', bytes: Buffer.alloc(0) });
    expect(asked.next(Buffer.from('branch'))).toEqual(claim('branch'));
  });

  it('CMD-AUTH-15 finds malformed what is no UTF-8 or has a NUL', () => {
    for (const octets of [Buffer.from([0xff]), Buffer.from('a\0b')]) {
      expect(external.server().begin(octets)).toEqual({ kind: 'malformed' });
    }
  });
});
