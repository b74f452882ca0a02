import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import type { Certificate } from '@posthorn/smtp/net/server-tls';
import { describe, expect, it } from 'vitest';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import type { Config } from '../../src/config/schema.ts';
import { tlsFileMistakes } from '../../src/config/tls-files.ts';
import { startTestAgent, type TestAgent } from './fixture.ts';
import { otherCertificate } from './other-certificate.ts';

function filesOf(folder: string, name: string, { cert, key }: Certificate) {
  mkdirSync(folder, { recursive: true });
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}

/** The name in the certificate that a client is shown and the version of TLS; or that there is no handshake. */
function shake({ port }: TestAgent, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    socket.once('error', () => resolve('no handshake'));
    socket.once('secureConnect', () => {
      resolve(`${socket.getPeerCertificate().subject.CN} ${socket.getProtocol()}`);
      socket.destroy();
    });
  });
}

const start = (change: Partial<NonNullable<Config['tls']>> = {}) =>
  startTestAgent((folder) => ({
    listeners: [{ role: 'submissions', host: '127.0.0.1', port: 0 }],
    tls: {
      ...filesOf(folder, 'first', testCertificate),
      names: {
        'mail.example.net': filesOf(folder, 'second', otherCertificate),
        '*.example.com': filesOf(folder, 'second', otherCertificate),
      },
      ...change,
    },
  }));

describe('certificates of the server', () => {
  it('CMD-TLS-9 are those of the name that is asked for; without one, and for others, the first', async () => {
    await using test = await start();
    const [first, second] = ['mx.example.test TLSv1.3', 'other.example.test TLSv1.3'];
    expect(await shake(test, {})).toBe(first);
    expect(await shake(test, { servername: 'elsewhere.example' })).toBe(first);
    expect(await shake(test, { servername: 'mail.example.net' })).toBe(second);
    expect(await shake(test, { servername: 'MAIL.example.net' })).toBe(second);
    expect(await shake(test, { servername: 'a.example.com' })).toBe(second);
    expect(await shake(test, { servername: 'a.b.example.com' })).toBe(first);
    expect(await shake(test, { servername: 'example.com' })).toBe(first);
  });

  it('CMD-TLS-9 are shown over TLS 1.2 and 1.3, nothing older, and over 1.3 alone where that is the oldest', async () => {
    await using test = await start();
    expect(await shake(test, { maxVersion: 'TLSv1.2' })).toBe('mx.example.test TLSv1.2');
    for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) {
      expect(await shake(test, { minVersion: 'TLSv1', maxVersion, ciphers: 'ALL:@SECLEVEL=0' })).toBe('no handshake');
    }
    await using strict = await start({ minVersion: 'TLSv1.3' });
    expect(await shake(strict, { maxVersion: 'TLSv1.2' })).toBe('no handshake');
    expect(await shake(strict, {})).toBe('mx.example.test TLSv1.3');
  });

  it('are checked with their keys before they are used', async () => {
    await using test = await start();
    const { tls } = test.config;
    expect(await tlsFileMistakes(tls)).toEqual([]);
    const names = { 'mail.example.net': { cert: tls?.cert ?? '', key: join(test.folder, 'second.key') } };
    const mistakes = await tlsFileMistakes({ ...(tls as NonNullable<typeof tls>), names });
    expect(mistakes.map(({ path }) => path)).toEqual(['tls.names["mail.example.net"].key']);
  });
});
