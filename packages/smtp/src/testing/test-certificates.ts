import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Certificate } from '../net/server-tls.ts';
import { der, derIdentifier, derTag, derTime } from './der.ts';

/** What may be wrong with a certificate: its name, its time, who signed it. */
export type CertificateFlaw = 'name' | 'expired' | 'untrusted';

/** Certificates for one test, and the authority that a client has to trust for them. */
export interface TestCertificates {
  /** PEM. */
  readonly ca: string;
  readonly good: Certificate;
  /** The certificate that has this flaw; made when it is asked for. */
  flawed(flaw: CertificateFlaw): Certificate;
}

interface Authority {
  readonly name: string;
  readonly key: KeyObject;
}

interface Subject {
  readonly name: string;
  /** Alternative names: domains, and addresses as octets. */
  readonly domains?: readonly string[];
  readonly addresses?: readonly Uint8Array[];
  readonly publicKey: KeyObject;
  /** Days from now, before and behind it. */
  readonly days?: readonly [from: number, to: number];
}

const day = 86_400_000;
const loopback = [Buffer.from([127, 0, 0, 1]), Buffer.concat([Buffer.alloc(15), Buffer.from([1])])];
const ecdsaWithSha256 = der(derTag.sequence, derIdentifier('1.2.840.10045.4.3.2'));

/** Makes an authority and a certificate for `hostname`, localhost and the loopback addresses (RFC 5280 §4.1). */
export function makeCertificates(hostname: string): TestCertificates {
  const authority = newAuthority();
  const names = { name: hostname, domains: [hostname, 'localhost'], addresses: loopback };
  return {
    ca: authority.cert,
    good: issue(names, authority),
    flawed(flaw) {
      if (flaw === 'name') return issue({ name: 'wrong.test', domains: ['wrong.test'] }, authority);
      if (flaw === 'expired') return issue({ ...names, days: [-60, -30] }, authority);
      return issue(names, newAuthority());
    },
  };
}

function newAuthority(): Authority & { readonly cert: string } {
  const { privateKey: key, publicKey } = newKey();
  const name = `Test authority ${randomBytes(4).toString('hex')}`;
  return { name, key, cert: certify({ name, publicKey }, { name, key }) };
}

function issue(subject: Omit<Subject, 'publicKey'>, authority: Authority): Certificate {
  const { privateKey, publicKey } = newKey();
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  return { cert: certify({ ...subject, publicKey }, authority), key };
}

function newKey(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function certify(subject: Subject, authority: Authority): string {
  const [from, to] = subject.days ?? [-1, 30];
  const facts = der(
    derTag.sequence,
    der(0xa0, der(derTag.integer, Buffer.from([2]))),
    der(derTag.integer, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    distinguishedName(authority.name),
    der(derTag.sequence, derTime(Date.now() + from * day), derTime(Date.now() + to * day)),
    distinguishedName(subject.name),
    subject.publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, der(derTag.sequence, ...extensions(subject))),
  );
  const signature = der(derTag.bitString, Buffer.from([0]), sign('sha256', facts, authority.key));
  const base64 = der(derTag.sequence, facts, ecdsaWithSha256, signature).toString('base64');
  const lines = base64.replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Buffer {
  const value = der(derTag.utf8String, Buffer.from(commonName));
  return der(derTag.sequence, der(derTag.set, der(derTag.sequence, derIdentifier('2.5.4.3'), value)));
}

/** An authority has no alternative names; everything else is no authority (RFC 5280 §4.2.1.9, RFC 5280 §4.2.1.6). */
function extensions({ domains = [], addresses = [] }: Subject): Buffer[] {
  const isTrue = der(derTag.boolean, Buffer.from([0xff]));
  if (domains.length === 0) return [extension('2.5.29.19', [isTrue], der(derTag.sequence, isTrue))];
  const names = [
    ...domains.map((name) => der(0x82, Buffer.from(name))),
    ...addresses.map((octets) => der(0x87, octets)),
  ];
  return [
    extension('2.5.29.19', [isTrue], der(derTag.sequence)),
    extension('2.5.29.17', [], der(derTag.sequence, ...names)),
  ];
}

function extension(identifier: string, critical: readonly Buffer[], value: Buffer): Buffer {
  return der(derTag.sequence, derIdentifier(identifier), ...critical, der(derTag.octetString, value));
}
