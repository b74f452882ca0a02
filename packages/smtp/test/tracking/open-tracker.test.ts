import { createServer, type Socket } from 'node:net';
import { openTracker } from '@posthorn/smtp/tracking';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificate } from '../laws/test-certificate.ts';
import { query, recipient, reportBy, startTracking } from './tracking-hosts.ts';

const host = '127.0.0.1';
const trust = { ca: testCertificate.cert };

/** A host that says what a test has it say. */
async function startScripted(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

describe('a tracker', () => {
  it('EXT-MTQP-3 EXT-MTQP-5 asks many things at once and gets each its answer', async () => {
    const { port } = await startTracking({
      track: ({ envelopeId }) =>
        envelopeId === query.envelopeId ? [reportBy('mx.example.test', recipient('delivered'))] : [],
    });
    const tracker = await openTracker({ host, port });
    const other = { ...query, envelopeId: 'none@x.example' };
    const [found, none, again] = await Promise.all([tracker.track(query), tracker.track(other), tracker.track(query)]);
    expect(found).toEqual({ kind: 'found', reports: [reportBy('mx.example.test', recipient('delivered'))] });
    expect(none).toMatchObject({ kind: 'refused', reply: { indicator: 'ERR', details: ['noinfo'] } });
    expect(again).toEqual(found);
    await tracker.close();
    await expect(tracker.track(query)).rejects.toMatchObject({ kind: 'lost' });
  });

  it('EXT-MTQP-4 asks inside TLS, and knows whether the certificate fits', async () => {
    const { port } = await startTracking({ tls: testCertificate, requireTls: true });
    const serverName = 'mx.example.test';
    const verified = await openTracker({ host, port, serverName, tls: 'starttls', tlsMaterial: trust });
    expect(verified.privacy).toBe('verified');
    expect(verified.options.startTls).toBe('no');
    expect(await verified.track(query)).toMatchObject({ kind: 'found' });
    await verified.close();
    const encrypted = await openTracker({ host, port, serverName });
    expect(encrypted.privacy).toBe('encrypted');
    expect(await encrypted.track(query)).toMatchObject({ kind: 'found' });
    await encrypted.close();
  });

  it('EXT-MTQP-4 does not ask in clear text where it is to use TLS', async () => {
    const { port } = await startTracking({ tls: testCertificate });
    const strict = { host, port, tls: 'starttls' as const };
    await expect(openTracker({ ...strict, serverName: 'mx.example.test' })).rejects.toMatchObject({ kind: 'tls' });
    await expect(openTracker({ ...strict, serverName: 'x.example' })).rejects.toMatchObject({ kind: 'refused' });
    await expect(openTracker(strict)).rejects.toMatchObject({ kind: 'invalid' });
    const plain = await startTracking();
    await expect(openTracker({ ...strict, port: plain.port, serverName: 'mx.example.test' })).rejects.toMatchObject({
      kind: 'refused',
    });
  });

  it('EXT-MTQP-4 asks in clear text where TLS does not come about and need not', async () => {
    let connections = 0;
    const port = await startScripted((socket) => {
      connections += 1;
      socket.write('+OK+/MTQP x\r\nstarttls\r\n.\r\n');
      socket.on('data', (octets) => {
        if (octets.includes('STARTTLS')) socket.write('+OK\r\nthis is no TLS at all, whatever it is\r\n');
        else if (octets.includes('TRACK')) socket.write('-ERR/noinfo\r\n');
        else socket.write('+OK\r\n');
      });
    });
    const tracker = await openTracker({ host, port, serverName: 'x.example' });
    expect(tracker.privacy).toBe('clear');
    expect(await tracker.track(query)).toMatchObject({ kind: 'refused' });
    await tracker.close();
    expect(connections).toBe(2);
  });

  it.each([
    ['says no', '-TEMP/MTQP/admin Closed\r\n', 'refused'],
    ['speaks SMTP', '220 mx.example.test ESMTP\r\n', 'protocol'],
    ['sends a line without end', 'x'.repeat(100_000), 'timeout'],
    ['says nothing', '', 'timeout'],
  ])('EXT-MTQP-2 EXT-MTQP-5 gives a host up that %s', async (_, greeting, kind) => {
    const port = await startScripted((socket) => socket.write(greeting));
    await expect(openTracker({ host, port, timeouts: { reply: 100 } })).rejects.toMatchObject({ kind });
  });

  it('tells everybody who waits when the connection is lost, or the time is over', async () => {
    const cut = await startScripted((socket) => {
      socket.write('+OK/MTQP x\r\n');
      socket.on('data', () => socket.destroy());
    });
    const lost = await openTracker({ host, port: cut });
    await expect(Promise.all([lost.track(query), lost.track(query)])).rejects.toMatchObject({ kind: 'lost' });
    await lost.close();
    const mute = await startScripted((socket) => socket.write('+OK/MTQP x\r\n'));
    const slow = await openTracker({ host, port: mute, timeouts: { reply: 50 } });
    await expect(slow.track(query)).rejects.toMatchObject({ kind: 'timeout' });
    const controller = new AbortController();
    const aborted = await openTracker({ host, port: mute, signal: controller.signal });
    const answer = aborted.track(query);
    controller.abort();
    await expect(answer).rejects.toMatchObject({ kind: 'aborted' });
    await expect(openTracker({ host, port: mute, signal: controller.signal })).rejects.toMatchObject({
      kind: 'aborted',
    });
  });

  it('takes no more of an answer than it can be', async () => {
    const port = await startScripted((socket) => {
      socket.write('+OK/MTQP x\r\n');
      socket.on('data', () => {
        socket.write('+OK+\r\n');
        const more = () => {
          while (!socket.destroyed && socket.write(`${'x'.repeat(500)}\r\n`.repeat(200)));
        };
        socket.on('drain', more);
        more();
      });
    });
    const tracker = await openTracker({ host, port });
    await expect(tracker.track(query)).rejects.toMatchObject({ kind: 'protocol' });
  });

  it('uses a connection that somebody else makes', async () => {
    const { server } = await startTracking();
    const { streamPair } = await import('../laws/stream-pair.ts');
    const tracker = await openTracker({
      host: 'mx.example.test',
      socketFactory: () => {
        const [near, far] = streamPair();
        server.acceptStream(far);
        return near;
      },
    });
    expect(await tracker.track(query)).toMatchObject({ kind: 'found' });
    await tracker.close();
  });
});
