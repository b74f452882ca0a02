import {
  certifierOf,
  composeTrackingSecret,
  formatTrackingSecret,
  isCertifierOf,
  parseTrackingSecret,
} from '@posthorn/smtp/mtqp/tracking-secret';
import { formatTrackingUri, parseTrackingUri } from '@posthorn/smtp/mtqp/tracking-uri';
import { hostOfEnvid } from '@posthorn/smtp/mtqp/unique-envid';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secret } from './memory-mtqp.ts';

describe('the secret of a tracked message', () => {
  it('EXT-MTRK-1 is certified by its SHA-1 in 27 characters of base64', () => {
    expect(certifierOf(secret)).toBe('rCdfRXj5v2zwaR8qPyN/jzXH3bU');
    expect(isCertifierOf('rCdfRXj5v2zwaR8qPyN/jzXH3bU', secret)).toBe(true);
    expect(isCertifierOf('rCdfRXj5v2zwaR8qPyN/jzXH3bV', secret)).toBe(false);
    expect(isCertifierOf('', secret)).toBe(false);
  });

  it('EXT-MTRK-1 has at least 128 bits, and needs no padding', () => {
    const made = composeTrackingSecret((octets) => Buffer.alloc(octets, 7));
    expect(made.length).toBeGreaterThanOrEqual(16);
    expect(formatTrackingSecret(made)).not.toContain('=');
  });

  it('EXT-MTRK-1 reads what it writes, up to 1024 bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 128 }), (octets) => {
        expect(parseTrackingSecret(formatTrackingSecret(Buffer.from(octets)))).toEqual(Buffer.from(octets));
      }),
    );
    expect(parseTrackingSecret('A'.repeat(172))).toBeUndefined();
    expect(parseTrackingSecret('')).toBeUndefined();
  });
});

describe('an mtqp URI', () => {
  const uri = fc.record({
    host: fc.constantFrom('mx.example.org', '192.0.2.1', '2001:db8::1'),
    port: fc.integer({ min: 1, max: 65_535 }),
    envelopeId: fc.stringMatching(/^[!-*,-;=?-~ ]{1,20}@[a-z.]{1,20}$/),
    secret: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((octets) => Buffer.from(octets)),
  });

  it('EXT-MTQP-6 reads what it writes', () => {
    fc.assert(
      fc.property(uri, (given) => {
        const text = formatTrackingUri(given);
        expect(text).toMatch(/^mtqp:\/\/[^/]+\/track\/[^/?#]+\/[^/?#]+$/);
        expect(parseTrackingUri(text)).toEqual(given);
      }),
    );
  });

  it('EXT-MTQP-6 encodes slash, question mark and percent sign, and takes the path in any case', () => {
    const given = { host: 'mx.example.org', envelopeId: 'a/b?c%d@x.example', secret: Buffer.from('fbffbf', 'hex') };
    expect(formatTrackingUri(given)).toBe('mtqp://mx.example.org/track/a%2Fb%3Fc%25d@x.example/+%2F+%2F');
    expect(parseTrackingUri('MTQP://mx.example.org/TRACK/a%2fb%3fc%25d@x.example/+%2F+%2F')).toEqual(given);
  });

  it.each([
    'http://mx.example.org/track/a@b/YWJj',
    'mtqp://mx.example.org/a@b/YWJj',
    'mtqp://mx.example.org/track/a@b',
    'mtqp://mx.example.org/track/a@b/YWJj/x',
    'mtqp://mx.example.org/track/a%4@b/YWJj',
    'mtqp://mx.example.org/track/a%0D@b/YWJj',
    'mtqp://mx.example.org:0/track/a@b/YWJj',
    'mtqp://mx.example.org:99999/track/a@b/YWJj',
    'mtqp://[1::2::3]/track/a@b/YWJj',
    'mtqp://u@mx.example.org/track/a@b/YWJj',
    'mtqp://mx.example.org/track/a@b/$$$$',
  ])('EXT-MTQP-6 takes %s for none', (text) => {
    expect(parseTrackingUri(text)).toBeUndefined();
  });

  it('EXT-MTQP-6 knows the host that made an ENVID', () => {
    expect(hostOfEnvid('a@b@mx.example.org')).toBe('mx.example.org');
    expect(hostOfEnvid('QQ314159')).toBeUndefined();
    expect(hostOfEnvid('a@')).toBeUndefined();
  });
});
