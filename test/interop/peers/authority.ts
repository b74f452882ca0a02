import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, program } from './peer.ts';

/** An authority that certifies hosts for the length of a test. */
export interface Authority extends Disposable {
  /** The PEM file of its certificate. */
  readonly file: string;
  /** Certifies a host under a name and an address. */
  certify(name: string, address: string): { readonly cert: string; readonly key: string };
}

/** Makes one. */
export function createAuthority(): Authority {
  const folder = newFolder('authority');
  const path = (name: string) => join(folder, name);
  const make = (name: string, more: readonly string[]) => {
    const [cert, key] = [path(`${name}.pem`), path(`${name}.key`)];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
    const args = [...kind, '-subj', `/CN=${name}`, '-out', cert, '-keyout', key, ...more];
    execFileSync(program('openssl'), ['req', ...args], { stdio: 'ignore' });
    return { cert, key };
  };
  const own = make('authority', []);
  return {
    file: own.cert,
    certify: (name, address) =>
      make(name, ['-CA', own.cert, '-CAkey', own.key, '-addext', `subjectAltName=DNS:${name},IP:${address}`]),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
