import { certifierOf, createTrackingServer, isCertifierOf, openTracker } from '@posthorn/smtp/tracking';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SocketClient } from '../laws/socket-client.ts';
import { streamPair } from '../laws/stream-pair.ts';
import { otherCertificate, testCertificate } from '../laws/test-certificate.ts';
import { query, recipient, reportBy, startTracking } from './tracking-hosts.ts';

const track = `TRACK ${query.envelopeId} Xwx74alNIobzsBF86F2aRGPC\r\n`;

async function clientOf(port: number): Promise<SocketClient> {
  const client = SocketClient.connect({ port });
  onTestFinished(() => client.destroy());
  return client;
}

async function lines(client: SocketClient, count: number): Promise<string[]> {
  const read: string[] = [];
  for (let left = count; left > 0; left -= 1) read.push(await client.line());
  return read;
}

const greeting = ['+OK+/MTQP mx.example.test tracking ready', 'STARTTLS', '.'];

describe('a tracking server', () => {
  it('EXT-MTQP-2 EXT-MTQP-3 EXT-MTSN-1 answers a query with a MIME entity', async () => {
    const asked: unknown[] = [];
    const { port } = await startTracking({
      track(given, client) {
        asked.push(given, client);
        return [reportBy('mx.example.test', recipient('transferred', 'mx1.example.com'))];
      },
    });
    const client = await clientOf(port);
    expect(await client.line()).toBe('+OK/MTQP mx.example.test tracking ready');
    client.send(track);
    const answer = await lines(client, 20);
    expect(answer[0]).toBe('+OK+ Tracking information follows');
    expect(answer[1]).toMatch(/^Content-Type: multipart\/related; boundary="[^"]+";$/);
    expect(answer).toContain('Action: transferred');
    expect(answer).toContain('Remote-MTA: dns; mx1.example.com');
    expect(answer.at(-1)).toBe('.');
    expect(asked).toEqual([query, { clientAddress: '127.0.0.1' }]);
  });

  it('EXT-MTQP-3 lets its owner know messages by their certifiers alone', async () => {
    const known = new Map([[query.envelopeId, certifierOf(query.secret)]]);
    const { port } = await startTracking({
      track: ({ envelopeId, secret }) =>
        isCertifierOf(known.get(envelopeId) ?? '', secret) ? [reportBy('mx.example.test', recipient('delivered'))] : [],
    });
    const tracker = await openTracker({ host: '127.0.0.1', port });
    expect(await tracker.track(query)).toMatchObject({ kind: 'found' });
    expect(await tracker.track({ ...query, secret: Buffer.alloc(18) })).toMatchObject({ kind: 'refused' });
    expect(await tracker.track({ ...query, envelopeId: 'x@y.example' })).toMatchObject({ kind: 'refused' });
    await tracker.close();
  });

  it('EXT-MTQP-4 takes STARTTLS for a name of its certificate alone, and greets anew', async () => {
    const { port } = await startTracking({ tls: testCertificate, requireTls: true });
    const client = await clientOf(port);
    expect(await lines(client, 3)).toEqual([greeting[0], 'STARTTLS required', '.']);
    client.send(`${track}STARTTLS other.example.test\r\n`);
    expect(await client.line()).toBe('-ERR/tls-required Use STARTTLS first');
    expect(await client.line()).toBe('-BAD/bad-fqdn Not a name of this server');
    client.send('STARTTLS MX.example.test\r\n');
    expect(await client.line()).toBe('+OK Begin TLS');
    await client.secure();
    expect(await client.line()).toBe('+OK/MTQP mx.example.test tracking ready');
    client.send(`STARTTLS mx.example.test\r\n${track}`);
    expect(await client.line()).toMatch(/^-BAD\/tls-in-progress /);
    expect(await client.line()).toMatch(/^\+OK\+ /);
  });

  it('EXT-MTQP-4 throws away what was put in behind STARTTLS in clear text', async () => {
    const asked: unknown[] = [];
    const { port } = await startTracking({
      tls: testCertificate,
      track(given) {
        asked.push(given);
        return [];
      },
    });
    const client = await clientOf(port);
    await lines(client, 3);
    client.send(`STARTTLS mx.example.test\r\n${track}QUIT\r\n`);
    expect(await client.line()).toBe('+OK Begin TLS');
    await client.secure();
    expect(await client.line()).toBe('+OK/MTQP mx.example.test tracking ready');
    client.send('COMMENT still here\r\n');
    expect(await client.line()).toBe('+OK');
    expect(asked).toEqual([]);
  });

  it('EXT-MTQP-4 serves nothing under TLS that it is told is too weak', async () => {
    const { port } = await startTracking({ tls: testCertificate, acceptsTls: ({ protocol }) => protocol === 'TLSv9' });
    const client = await clientOf(port);
    await lines(client, 3);
    client.send('STARTTLS mx.example.test\r\n');
    await client.line();
    await client.secure();
    await client.line();
    client.send(`${track}QUIT\r\n`);
    expect(await client.line()).toMatch(/^-ERR\/insecure /);
    expect(await client.line()).toMatch(/^\+OK /);
    await client.closed();
  });

  it('EXT-MTQP-3 answers a fault of its own as a temporary failure, and tells its owner', async () => {
    const fault = new Error('the table is gone');
    const { port, errors } = await startTracking({
      track: () => {
        throw fault;
      },
    });
    const tracker = await openTracker({ host: '127.0.0.1', port });
    expect(await tracker.track(query)).toMatchObject({
      kind: 'refused',
      reply: { indicator: 'TEMP', details: ['unavailable'] },
    });
    await tracker.close();
    expect(errors).toEqual([fault]);
  });

  it('EXT-MTQP-3 gives a handler that takes too long up', async () => {
    const { port } = await startTracking({ track: () => new Promise(() => {}), limits: { handlerTime: 20 } });
    const tracker = await openTracker({ host: '127.0.0.1', port });
    expect(await tracker.track(query)).toMatchObject({ reply: { indicator: 'TEMP' } });
    await tracker.close();
  });

  it('EXT-MTQP-2 turns those away that are too many', async () => {
    const { port } = await startTracking({ limits: { connections: 1, connectionsPerAddress: 1 } });
    const first = await clientOf(port);
    await first.line();
    const second = await clientOf(port);
    expect(await second.line()).toBe('-TEMP/MTQP/unavailable Too many connections');
    await second.closed();
  });

  it('ends the sessions of silent clients, and all of them when it is closed', async () => {
    const { server, port } = await startTracking({ limits: { idleTime: 30 } });
    const idle = await clientOf(port);
    await idle.line();
    expect(await idle.closed()).toBe('');
    await server.close({ grace: 0 });
    expect(server.sessions).toBe(0);
  });

  it('serves a stream in memory, and takes new certificates', async () => {
    const { server, port } = await startTracking({ tls: testCertificate });
    const [near, far] = streamPair();
    server.acceptStream(far);
    const client = new SocketClient(near);
    expect(await lines(client, 3)).toEqual(greeting);
    server.reload({ tls: otherCertificate });
    const other = await clientOf(port);
    await lines(other, 3);
    other.send('STARTTLS mx.example.test\r\nSTARTTLS other.example.test\r\n');
    expect(await other.line()).toMatch(/^-BAD\/bad-fqdn /);
    expect(await other.line()).toBe('+OK Begin TLS');
  });

  it('refuses options that cannot be', async () => {
    const track = () => [];
    expect(() => createTrackingServer({ hostname: 'a b', track })).toThrow(
      expect.objectContaining({ kind: 'invalid' }),
    );
    const bad = { cert: 'x', key: 'y' };
    expect(() => createTrackingServer({ hostname: 'x.example', track, tls: bad })).toThrow(
      expect.objectContaining({ kind: 'tls' }),
    );
    const server = createTrackingServer({ hostname: 'x.example', track });
    await expect(server.listen({ port: 0, requireTls: true })).rejects.toMatchObject({ kind: 'invalid' });
  });
});
