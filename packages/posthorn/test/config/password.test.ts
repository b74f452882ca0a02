import { scryptSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashPassword, parsePasswordHash, verifyPassword } from '../../src/config/password.ts';

/** A hash of small cost, so that many can be made. */
function cheapHash(password: string, salt = Buffer.from('0123456789abcdef')): string {
  const hash = scryptSync(password, salt, 32, { cost: 16, blockSize: 1, parallelization: 1 });
  return `scrypt:16:1:1:${salt.toString('base64')}:${hash.toString('base64')}`;
}

describe('a password', () => {
  it('is verified against its own hash alone', async () => {
    const hashed = await hashPassword('correct horse');
    expect(hashed).toMatch(/^scrypt:32768:8:1:[A-Za-z0-9+/]{22}==:[A-Za-z0-9+/]{43}=$/);
    expect(await verifyPassword('correct horse', hashed)).toBe(true);
    expect(await verifyPassword('correct horsf', hashed)).toBe(false);
    expect(await verifyPassword('', hashed)).toBe(false);
  });

  it('has another hash each time, and holds no trace of itself', async () => {
    const [one, other] = await Promise.all([hashPassword('geheim'), hashPassword('geheim')]);
    expect(one).not.toBe(other);
    expect(one).not.toContain('geheim');
  });

  it('is verified with the parameters that its hash names, as others write them', async () => {
    // The second test vector of the scrypt document, shortened to its first 32 octets.
    const salt = Buffer.from('SodiumChloride').toString('base64');
    const key = scryptSync('pleaseletmein', 'SodiumChloride', 64, { cost: 16_384, blockSize: 8, parallelization: 1 });
    expect(key.toString('hex')).toMatch(/^7023bdcb3afd7348461c06cd81fd38eb/);
    expect(await verifyPassword('pleaseletmein', `scrypt:16384:8:1:${salt}:${key.toString('base64')}`)).toBe(true);
  });

  it('counts the same however its letters are composed', async () => {
    expect(await verifyPassword('Ame\u0301lie', cheapHash('Am\u00e9lie'))).toBe(true);
  });

  it('is never right where there is no hash', async () => {
    expect(await verifyPassword('anything', undefined)).toBe(false);
    expect(await verifyPassword('', undefined)).toBe(false);
  });

  it('is verified right when many come at once, and refused with `limit` beyond a thousand in line', async () => {
    const hashed = cheapHash('right');
    const tries = Array.from({ length: 1300 }, (_, index) =>
      verifyPassword(index % 2 === 0 ? 'right' : 'wrong', hashed),
    );
    const settled = await Promise.allSettled(tries);
    const answered = settled.flatMap((result, index) =>
      result.status === 'fulfilled' ? [[result.value, index % 2 === 0]] : [],
    );
    const refused = settled.filter((result) => result.status === 'rejected').map(({ reason }) => reason.kind);
    expect(answered.length).toBe(1002);
    expect(answered.every(([value, expected]) => value === expected)).toBe(true);
    expect(new Set(refused)).toEqual(new Set(['limit']));
    expect(await verifyPassword('right', hashed)).toBe(true);
  });

  it('in the clear, or with a hash that would take the memory, is no hash', async () => {
    const [, salt, hash] = /([^:]+):([^:]+)$/.exec(cheapHash('x')) ?? [];
    const faulty = [
      'geheim',
      '',
      'plain:geheim',
      `scrypt:15:1:1:${salt}:${hash}`,
      `scrypt:16777216:8:1:${salt}:${hash}`,
      `scrypt:16:0:1:${salt}:${hash}`,
      `scrypt:16:1:99:${salt}:${hash}`,
      `scrypt:16:1:1:${salt}`,
      `scrypt:16:1:1:${salt}:short`,
      `scrypt:16:1:1:${salt}:${hash} `,
    ];
    for (const text of faulty) {
      expect(parsePasswordHash(text), text).toBeUndefined();
      await expect(verifyPassword('x', text)).rejects.toMatchObject({ kind: 'invalid' });
    }
    fc.assert(fc.property(fc.string(), (text) => parsePasswordHash(text) === undefined));
  });
});
