import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { bindingOf } from '@posthorn/smtp/net/channel-binding';
import { reply } from '@posthorn/smtp/reply/reply';
import type { BindingOf } from '@posthorn/smtp/sasl/channel';
import { createServer } from '@posthorn/smtp/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificate } from '../laws/test-certificate.ts';

/** A server with TLS from the first octet that keeps what names each connection. */
async function open() {
  const bindings: (BindingOf | undefined)[] = [];
  const server = createServer({
    hostname: 'mx.example.test',
    tls: testCertificate,
    handlers: {
      connect: (session) => {
        const exporter = session.tls?.binding?.('tls-exporter');
        const host = session.tls?.binding?.('tls-server-end-point');
        bindings.push((type) => (type === 'tls-exporter' ? exporter : host));
      },
      authenticate: async () => reply(535, '5.7.8', 'No'),
      message: async () => reply(250, '2.0.0', 'Ok'),
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({ role: 'submissions', host: '127.0.0.1', port: 0 });
  return { bindings, port: 'port' in address ? address.port : 0 };
}

function greeted(port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: testCertificate.cert,
      servername: 'mx.example.test',
      maxVersion,
    });
    onTestFinished(() => void socket.destroy());
    socket.once('data', () => resolve(socket)).once('error', reject);
  });
}

const certificateHash = createHash('sha256').update(new X509Certificate(testCertificate.cert).raw).digest();

describe('what names a TLS connection', () => {
  it('CMD-AUTH-12 is the same at both ends, and another for each connection', async () => {
    const { bindings, port } = await open();
    const [one, two] = [await greeted(port, 'TLSv1.3'), await greeted(port, 'TLSv1.3')];
    const names = [one, two].map((socket) => bindingOf(socket, 'client'));
    expect(names[0]?.('tls-exporter')).toHaveLength(32);
    expect(names[0]?.('tls-exporter')).toEqual(bindings[0]?.('tls-exporter'));
    expect(names[1]?.('tls-exporter')).toEqual(bindings[1]?.('tls-exporter'));
    expect(names[0]?.('tls-exporter')).not.toEqual(names[1]?.('tls-exporter'));
    for (const name of [...names, ...bindings]) expect(name?.('tls-server-end-point')).toEqual(certificateHash);
    one.destroy();
    expect(names[0]?.('tls-exporter')).toBeUndefined();
  });

  it('CMD-AUTH-12 is the certificate alone over TLS 1.2', async () => {
    const { bindings, port } = await open();
    const name = bindingOf(await greeted(port, 'TLSv1.2'), 'client');
    expect(name('tls-exporter')).toBeUndefined();
    expect(bindings[0]?.('tls-exporter')).toBeUndefined();
    expect(name('tls-server-end-point')).toEqual(certificateHash);
  });

  it.skipIf(!existsSync('/usr/bin/openssl'))('CMD-AUTH-12 is what OpenSSL finds', async () => {
    const { bindings, port } = await open();
    const label = ['-keymatexport', 'EXPORTER-Channel-Binding', '-keymatexportlen', '32'];
    const found = await new Promise<string>((resolve) => {
      const child = execFile(
        'openssl',
        ['s_client', '-connect', `127.0.0.1:${port}`, ...label],
        { timeout: 20_000 },
        (_, out) => resolve(out),
      );
      // It ends when the server has answered.
      child.stdin?.write('QUIT\r\n');
    });
    const hex = /Keying material: ([0-9A-F]{64})/.exec(found)?.[1]?.toLowerCase();
    expect(hex).toBe(bindings[0]?.('tls-exporter')?.toString('hex'));
  });
});
