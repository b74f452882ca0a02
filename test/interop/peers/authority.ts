import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, program } from './peer.ts';

/** An authority that certifies hosts for the length of a test. */
export interface Authority extends Disposable {
  /** The PEM file of its certificate. */
  readonly file: string;
  /** Certifies a host under a name and an address. */
  certify(name: string, address: string, more?: CertificateWishes): { readonly cert: string; readonly key: string };
}

/** What is out of the ordinary about a certificate. */
interface CertificateWishes {
  /** Further names. */
  readonly names?: readonly string[];
  /** It certifies itself. */
  readonly selfSigned?: boolean;
  /** Its time is over. */
  readonly expired?: boolean;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes one. */
export function createAuthority(): Authority {
  const folder = newFolder('authority');
  const path = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) =>
    execFileSync(program('openssl'), args, { stdio: 'ignore', cwd: folder, env: { RANDFILE: path('random') } });
  const make = (name: string, more: readonly string[]) => {
    const [cert, key] = [path(`${name}.pem`), path(`${name}.key`)];
    openssl('req', '-x509', ...newKey, '-days', '30', '-subj', `/CN=${name}`, '-out', cert, '-keyout', key, ...more);
    return { cert, key };
  };
  const own = make('authority', []);
  // Only `ca` makes a certificate whose time is over.
  const makeExpired = (name: string, alternatives: string) => {
    const [cert, key, request] = [path(`${name}.pem`), path(`${name}.key`), path(`${name}.csr`)];
    writeFileSync(path('index.txt'), '');
    writeFileSync(
      path('ca.conf'),
      `[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=any
[any]\ncommonName=supplied\n[host]\nsubjectAltName=${alternatives}\nbasicConstraints=critical,CA:FALSE\n`,
    );
    openssl('req', '-new', ...newKey, '-subj', `/CN=${name}`, '-out', request, '-keyout', key);
    const time = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z', '-extensions', 'host', '-notext'];
    const signer = ['-cert', own.cert, '-keyfile', own.key];
    openssl('ca', '-batch', '-config', path('ca.conf'), ...signer, ...time, '-in', request, '-out', cert);
    return { cert, key };
  };
  return {
    file: own.cert,
    certify(name, address, { names = [], selfSigned = false, expired = false } = {}) {
      const alternatives = [...[name, ...names].map((each) => `DNS:${each}`), `IP:${address}`].join(',');
      const extension = ['-addext', `subjectAltName=${alternatives}`];
      if (selfSigned) return make(name, extension);
      const signer = ['-CA', own.cert, '-CAkey', own.key, '-addext', 'basicConstraints=critical,CA:FALSE'];
      const made = expired ? makeExpired(name, alternatives) : make(name, [...extension, ...signer]);
      // A host shows its authority, too, as that is what TLSA records may be for (RFC 7672 §3.1.2).
      appendFileSync(made.cert, readFileSync(own.cert));
      return made;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
