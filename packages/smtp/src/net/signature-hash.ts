/** What is used in place of hash functions that are too weak (RFC 5929 §4.1). */
const hashes: Readonly<Record<string, 'sha224' | 'sha256' | 'sha384' | 'sha512'>> = {
  // RSA with MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512 (RFC 8017 §A.2.4).
  '2a864886f70d010104': 'sha256',
  '2a864886f70d010105': 'sha256',
  '2a864886f70d01010e': 'sha224',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  // ECDSA with SHA-1 to SHA-512 (RFC 5758 §3.2).
  '2a8648ce3d0401': 'sha256',
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  // The hash functions themselves, as RSASSA-PSS names them (RFC 8017 §A.2.3).
  '2b0e03021a': 'sha256',
  '608648016503040204': 'sha224',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
};
const pss = '2a864886f70d01010a';

const sequence = 0x30;
const objectIdentifier = 0x06;
const firstParameter = 0xa0;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** What follows it. */
  readonly rest: Buffer;
}

/** One element of DER; undefined when it is cut off, or its length is no good (X.690 §8.1). */
function readElement(octets: Buffer): Element | undefined {
  const [tag, first] = octets;
  if (tag === undefined || first === undefined) return undefined;
  const count = first < 0x80 ? 0 : first - 0x80;
  if (count > 4 || octets.length < 2 + count) return undefined;
  const length = count === 0 ? first & 0x7f : octets.readUIntBE(2, count);
  const start = 2 + count;
  if (octets.length < start + length) return undefined;
  return { tag, content: octets.subarray(start, start + length), rest: octets.subarray(start + length) };
}

/** The content of an element that has to stand here. */
function inside(octets: Buffer | undefined, tag: number): Buffer | undefined {
  const element = octets === undefined ? undefined : readElement(octets);
  return element?.tag === tag ? element.content : undefined;
}

/**
 * The hash function that names a certificate: that of its signature. Undefined where the signature has none, as Ed25519,
 * and for what is no certificate (RFC 5929 §4.1, RFC 5280 §4.1).
 */
export function signatureHash(certificate: Buffer): string | undefined {
  const body = inside(certificate, sequence);
  const signed = body === undefined ? undefined : readElement(body);
  const algorithm = inside(signed?.rest, sequence);
  const identifier = algorithm === undefined ? undefined : readElement(algorithm);
  if (identifier?.tag !== objectIdentifier) return undefined;
  const name = identifier.content.toString('hex');
  if (name !== pss) return hashes[name];
  // Without a parameter it is SHA-1.
  const parameter = inside(inside(identifier.rest, sequence), firstParameter);
  if (parameter === undefined) return 'sha256';
  return hashes[inside(inside(parameter, sequence), objectIdentifier)?.toString('hex') ?? ''];
}
