import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { identifyByName } from '../../src/net/identify.ts';
import { identifyByTlsa } from '../../src/net/identify-by-tlsa.ts';
import { formatTlsa, matchesTlsa, type TlsaRecord, usableTlsa } from '../../src/net/tlsa.ts';
import { otherCertificate, testCertificate } from '../laws/test-certificate.ts';

const leaf = new X509Certificate(testCertificate.cert);
const other = new X509Certificate(otherCertificate.cert);
const octetsOf = (certificate: X509Certificate, selector: number) =>
  selector === 0 ? certificate.raw : certificate.publicKey.export({ format: 'der', type: 'spki' });

function record(certificate: X509Certificate, usage: number, selector: number, matchingType: number): TlsaRecord {
  const octets = octetsOf(certificate, selector);
  const name = { 1: 'sha256', 2: 'sha512' }[matchingType];
  return {
    usage,
    selector,
    matchingType,
    data: name === undefined ? octets : createHash(name).update(octets).digest(),
  };
}

const forms = [0, 1].flatMap((selector) => [0, 1, 2].map((matchingType) => [selector, matchingType] as const));
const now = () => Date.parse('2030-01-01');

describe('TLSA records', () => {
  it.each(forms)('SEC-DANE-1 with selector %i and matching type %i are for one certificate alone', (...form) => {
    expect(matchesTlsa(record(leaf, 3, ...form), leaf)).toBe(true);
    expect(matchesTlsa(record(leaf, 3, ...form), other)).toBe(false);
    expect(usableTlsa([record(leaf, 3, ...form), record(leaf, 2, ...form)])).toHaveLength(2);
  });

  it('SEC-DANE-2 are of no use with other usages, unknown forms, or data that cannot be', () => {
    const good = record(leaf, 3, 1, 1);
    const useless = [
      { ...good, usage: 0 },
      { ...good, usage: 1 },
      { ...good, usage: 4 },
      { ...good, usage: 255 },
      { ...good, selector: 2 },
      { ...good, matchingType: 3 },
      { ...good, data: good.data.subarray(1) },
      { ...good, data: Buffer.alloc(0) },
      { ...good, matchingType: 2 },
      { ...good, matchingType: 0 },
      { ...good, selector: 0, matchingType: 0, data: Buffer.from('garbage') },
    ];
    expect(usableTlsa(useless)).toEqual([]);
    expect(usableTlsa([...useless, good])).toEqual([good]);
  });

  it('are written as in zone files', () => {
    expect(formatTlsa({ usage: 3, selector: 1, matchingType: 1, data: Buffer.from('0a1b', 'hex') })).toBe('3 1 1 0a1b');
  });
});

describe('identifyByTlsa', () => {
  const judge = (records: TlsaRecord[], names = ['mx.example.test'], chain = [leaf], time = now) =>
    identifyByTlsa({ records, names, now: time })({ chain: chain as [X509Certificate], distrust: 'SELF_SIGNED' })?.kind;
  const late = () => Date.parse('2200-01-01');

  it('SEC-DANE-1 believes the certificate that usage 3 names, whatever its names, dates and authority', () => {
    expect(judge([record(leaf, 3, 1, 1)], ['elsewhere.example'], [leaf], late)).toBeUndefined();
    expect(judge([record(other, 3, 1, 1)])).toBe('tlsa');
    expect(judge([record(other, 3, 1, 1), record(leaf, 3, 0, 2)])).toBeUndefined();
  });

  it('SEC-DANE-1 SEC-DANE-4 asks for name, dates and signatures where usage 2 names an authority', () => {
    for (const selector of [0, 1]) {
      // The authority is in the record itself, as it may be when the host does not send it.
      const authority = record(leaf, 2, selector, 0);
      expect(judge([authority])).toBeUndefined();
      expect(judge([authority], ['elsewhere.example'])).toBe('name');
      expect(judge([authority], ['elsewhere.example', 'localhost'])).toBeUndefined();
      expect(judge([authority], undefined, undefined, late)).toBe('expired');
      expect(judge([record(other, 2, selector, 0)])).toBe('tlsa');
    }
    expect(judge([record(leaf, 2, 0, 1)], undefined, [leaf, leaf])).toBeUndefined();
    // One that is shown, and has not signed what it is shown with.
    expect(judge([record(other, 2, 0, 1)], undefined, [leaf, other])).toBe('tlsa');
  });
});

describe('identifyByName', () => {
  const judge = (names: string[], distrust?: string) =>
    identifyByName(names)({ chain: [leaf], ...(distrust === undefined ? {} : { distrust }) })?.kind;

  it('CMD-TLS-10 believes one of the names of a certificate that is trusted, and what is below a name with a dot', () => {
    expect(judge(['mx.example.test'])).toBeUndefined();
    expect(judge(['other.example', 'mx.example.test'])).toBeUndefined();
    expect(judge(['127.0.0.1'])).toBeUndefined();
    expect(judge(['.example.test'])).toBeUndefined();
    expect(judge(['.mx.example.test'])).toBe('name');
    expect(judge(['ample.test'])).toBe('name');
    expect(judge(['example.test'])).toBe('name');
    expect(judge([])).toBe('name');
    expect(judge(['mx.example.test'], 'CERT_HAS_EXPIRED')).toBe('expired');
    expect(judge(['mx.example.test'], 'SELF_SIGNED_CERT_IN_CHAIN')).toBe('untrusted');
  });
});
