import { X509Certificate } from 'node:crypto';
import { signatureHash } from '@posthorn/smtp/net/signature-hash';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testCertificate } from '../laws/test-certificate.ts';

/** One element of DER. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function certificate(algorithm: string, ...parameters: Buffer[]): Buffer {
  const identifier = der(0x30, der(0x06, Buffer.from(algorithm, 'hex')), ...parameters);
  return der(0x30, der(0x30, Buffer.alloc(300)), identifier, der(0x03, Buffer.alloc(64)));
}

describe('the hash that names a certificate', () => {
  it('CMD-AUTH-12 is that of the signature, and never a weak one', () => {
    const { raw } = new X509Certificate(testCertificate.cert);
    expect(signatureHash(raw)).toBe('sha256');
    expect(signatureHash(certificate('2a864886f70d010105'))).toBe('sha256');
    expect(signatureHash(certificate('2a864886f70d01010c'))).toBe('sha384');
    expect(signatureHash(certificate('2a8648ce3d040304'))).toBe('sha512');
    const pss = '2a864886f70d01010a';
    const named = der(0x30, der(0xa0, der(0x30, der(0x06, Buffer.from('608648016503040203', 'hex')))));
    expect(signatureHash(certificate(pss, named))).toBe('sha512');
    expect(signatureHash(certificate(pss, der(0x30)))).toBe('sha256');
    expect(signatureHash(certificate('2b6570'))).toBeUndefined();
  });

  it('CMD-AUTH-12 is nothing for what is no certificate, wherever it is cut off', () => {
    const whole = certificate('2a864886f70d01010c');
    const end = whole.indexOf(Buffer.from('2a864886f70d01010c', 'hex')) + 9;
    for (let at = 0; at < end; at += 1) expect(signatureHash(whole.subarray(0, at))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void signatureHash(Buffer.from(octets))));
  });
});
