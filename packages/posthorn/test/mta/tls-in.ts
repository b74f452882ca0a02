import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';

/** The files of a certificate, in the form in which a configuration names them. */
export function tlsIn(folder: string): { readonly cert: string; readonly key: string } {
  mkdirSync(folder, { recursive: true });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, testCertificate.cert);
  writeFileSync(files.key, testCertificate.key);
  return files;
}

/** How a client reaches an agent that has it, within TLS. */
export function withinTls(port: number) {
  return {
    host: '127.0.0.1',
    port,
    serverName: 'mx.example.test',
    tls: 'starttls',
    tlsMaterial: { ca: testCertificate.cert },
    name: 'client.example',
  } as const;
}
