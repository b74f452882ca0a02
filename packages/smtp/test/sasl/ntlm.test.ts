import { md4 } from '@posthorn/smtp/sasl/md4';
import { composeBlob, ntHash, ntlmClient, ntlmProof, ntlmServer } from '@posthorn/smtp/sasl/ntlm';
import { composeNegotiate, parseAuthenticate, parseChallenge } from '@posthorn/smtp/sasl/ntlm-message';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const nonce = Buffer.from('0123456789abcdef', 'hex');
const server = () => ntlmServer({ hostname: 'mx.example.test', nextNonce: () => nonce }).server();
const client = ntlmClient({ nextNonce: () => Buffer.alloc(8, 0xaa), now: () => 0 });

/** The client's last message, for the challenge of the server above. */
function answerOf(user: string, password: string) {
  const exchange = server();
  const login = client.client({ user, password, authorizeAs: '' });
  const step = exchange.begin(login.initial);
  const answer = step.kind === 'challenge' ? login.next(step.bytes) : undefined;
  return { exchange, login, answer: answer ?? Buffer.alloc(0) };
}

function proves(user: string, password: string, right = password): boolean {
  const { exchange, answer } = answerOf(user, password);
  const step = exchange.next(answer);
  return step.kind === 'verify' && step.credentials.mechanism === 'NTLM' && step.credentials.provesHash(ntHash(right));
}

describe('MD4', () => {
  it.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ])('CMD-AUTH-14 gives for %j what its standard says', (text, digest) => {
    expect(md4(Buffer.from(text)).toString('hex')).toBe(digest);
  });
});

describe('NTLM', () => {
  it('CMD-AUTH-14 proves as the example of its standard does', () => {
    expect(ntHash('Password').toString('hex')).toBe('a4f49c406510bdcab6824ee7c30fd852');
    const info = Buffer.from(
      '02000c0044006f006d00610069006e0001000c005300650072007600650072000000000000',
      'hex',
    ).subarray(0, 36);
    const blob = composeBlob(info, Buffer.alloc(8, 0xaa), -11_644_473_600_000);
    const proof = ntlmProof(ntHash('Password'), { user: 'User', domain: 'Domain', nonce, blob });
    expect(proof.toString('hex')).toBe('68cd0ab851e51c96aabc927bebef6a1c');
  });

  it('CMD-AUTH-14 tells the right password from all others, and knows the domain that is named', () => {
    expect(proves('ann', 'secret')).toBe(true);
    expect(proves('ann', 'secret', 'Secret')).toBe(false);
    expect(proves('OFFICE\\ann', 'secret')).toBe(true);
    const { exchange, answer } = answerOf('OFFICE\\ann', 'secret');
    expect(exchange.next(answer)).toMatchObject({ credentials: { user: 'ann', domain: 'OFFICE', authorizeAs: '' } });
  });

  it('CMD-AUTH-14 takes no answer of an older version, nor one that is cut off', () => {
    const { answer } = answerOf('ann', 'secret');
    for (let at = 0; at < answer.length; at += 1) {
      const { exchange } = answerOf('ann', 'secret');
      const step = exchange.next(answer.subarray(0, at));
      expect(step.kind, String(at)).toBe('malformed');
    }
    const old = Buffer.from(answer);
    old.writeUInt16LE(24, 20);
    expect(answerOf('ann', 'secret').exchange.next(old).kind).toBe('refused');
    const nobody = Buffer.from(answer);
    nobody.writeUInt16LE(0, 36);
    expect(answerOf('ann', 'secret').exchange.next(nobody).kind).toBe('malformed');
    expect(server().begin(Buffer.alloc(0)).kind).toBe('malformed');
    expect(server().begin(answer).kind).toBe('malformed');
  });

  it('CMD-AUTH-14 answers one challenge, and none that is none', () => {
    const { login } = answerOf('ann', 'secret');
    expect(login.next(Buffer.alloc(0))).toBeUndefined();
    const fresh = client.client({ user: 'ann', password: 'x', authorizeAs: '' });
    expect(fresh.initial).toEqual(composeNegotiate());
    expect(fresh.next(Buffer.from('NTLM supported'))).toBeUndefined();
    expect(client.client({ user: 'ann', password: 'x', authorizeAs: 'bob' }).initial).toBeUndefined();
  });

  it('CMD-AUTH-14 reads any octets without an exception, and agrees with itself', () => {
    const head = Buffer.from('NTLMSSP\0', 'latin1');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 120 }), fc.integer({ min: 1, max: 3 }), (rest, type) => {
        const octets = Buffer.concat([head, Buffer.from([type, 0, 0, 0]), Buffer.from(rest)]);
        parseAuthenticate(octets);
        parseChallenge(octets);
        server().begin(octets);
      }),
    );
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((given) => !/[\0\\]/.test(given));
    fc.assert(
      fc.property(text, text, (user, password) => proves(user, password) && !proves(user, password, `${password}x`)),
    );
  });
});
