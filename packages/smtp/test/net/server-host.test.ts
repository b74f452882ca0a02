import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '@posthorn/smtp/net/endpoint';
import { proxyMatcher } from '@posthorn/smtp/net/proxies';
import { openServerTls } from '@posthorn/smtp/net/server-tls';
import { reply } from '@posthorn/smtp/reply/reply';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SocketClient } from '../laws/socket-client.ts';
import { streamPair } from '../laws/stream-pair.ts';
import { TestApplication } from '../laws/test-application.ts';
import { otherCertificate, testCertificate } from '../laws/test-certificate.ts';
import { openTestHost } from '../laws/test-host.ts';

type Event = Parameters<TestApplication['handle']>[0];
type Answer = ReturnType<TestApplication['handle']>;

/** An application that answers one kind of event in its own way; the connection awaits promises. */
function answering(kind: Event['kind'], answer: (event: Event) => Answer | Promise<Answer>): () => TestApplication {
  return () =>
    new (class extends TestApplication {
      override handle(event: Event): Answer {
        return event.kind === kind ? (answer(event) as Answer) : super.handle(event);
      }
    })();
}

const transaction = ['EHLO client.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>'];

describe('the pump', () => {
  it('EXT-PIPE-1 EXT-PIPE-2 sends the replies to a pipelined group in one write', async () => {
    const { host, service } = await openTestHost();
    const [server, client] = streamPair();
    host.accept(server, service);
    await once(client, 'data');
    client.write(
      'EHLO client.test\r\nMAIL FROM:<a@x.test>\r\nFOO\r\nRCPT TO:<b@y.test>\r\nRCPT TO:<c@y.test>\r\nDATA\r\n',
    );
    await once(client, 'data');
    expect(server.writes).toHaveLength(2);
    expect(server.writes[1]?.match(/^\d{3} /gm)).toEqual(['250 ', '250 ', '500 ', '250 ', '250 ', '354 ']);
  });

  it('EXT-PIPE-1 does not let the replies to EHLO and NOOP wait for an answer to a later command', async () => {
    const { greeted } = await openTestHost({ application: answering('mail', () => new Promise<Answer>(() => {})) });
    const client = await greeted();
    client.send('EHLO client.test\r\nNOOP\r\nMAIL FROM:<a@x.test>\r\n');
    expect(await client.reply()).toMatch(/^250-/);
    expect(await client.reply()).toBe('250 2.0.0 Ok');
  });

  it('EXT-PIPE-1 awaits the answers of the application one by one, in order', async () => {
    let asked = 0;
    const application = answering('recipient', async () => {
      asked += 1;
      await new Promise(setImmediate);
      return reply(asked % 2 === 1 ? 250 : 450, undefined, `answer ${asked}`);
    });
    const { greeted } = await openTestHost({ application });
    const client = await greeted();
    client.send(`${[...transaction, 'RCPT TO:<c@y.test>', 'RCPT TO:<d@y.test>', 'DATA'].join('\r\n')}\r\n`);
    const replies = [];
    for (let count = 0; count < 6; count += 1) replies.push((await client.reply()).split('\n').at(-1));
    expect(replies.slice(2)).toEqual([
      '250 2.0.0 answer 1',
      '450 4.0.0 answer 2',
      '250 2.0.0 answer 3',
      expect.stringMatching(/^354 /),
    ]);
  });

  it('GEN-15 REP-451 answers 451 once for an exception, tells of it, and goes on', async () => {
    const fault = new Error('a fault of the application');
    const late = answering('mail', () => Promise.reject(fault));
    const atOnce = answering('mail', () => {
      throw fault;
    });
    for (const application of [late, atOnce]) {
      const { greeted, errors } = await openTestHost({ application });
      const client = await greeted();
      expect(await client.say('EHLO client.test', 'MAIL FROM:<a@x.test>')).toBe('451 4.3.0 Local error in processing');
      expect(await client.say('NOOP')).toBe('250 2.0.0 Ok');
      expect(errors).toEqual([fault]);
    }
  });

  it('GEN-15 SEC-RES-1 answers 451 for an answer that does not come in time, and takes no notice of it later', async () => {
    let late: (answer: Answer) => void = () => {};
    const application = answering(
      'mail',
      () =>
        new Promise<Answer>((resolve) => {
          late = resolve;
        }),
    );
    const { greeted } = await openTestHost({ application, handlerTime: 30 });
    const client = await greeted();
    expect(await client.say('EHLO client.test', 'MAIL FROM:<a@x.test>')).toBe('451 4.3.0 Local error in processing');
    late(reply(250, '2.1.0', 'Too late'));
    expect(await client.say('NOOP', 'RCPT TO:<b@y.test>')).toMatch(/^503 /);
  });

  it('SEC-RES-1 reads nothing more from a client that does not read its replies', async () => {
    const { greeted, host } = await openTestHost({ rules: { limits: { errors: 1_000_000 } } });
    const client = await greeted();
    client.stream.pause();
    const socket = client.stream as Socket;
    const commands = Buffer.from('HELP\r\n'.repeat(10_000));
    for (let count = 0; count < 500 && socket.writableLength < 4_000_000; count += 1) {
      socket.write(commands);
      await new Promise(setImmediate);
    }
    expect(socket.writableLength).toBeGreaterThan(1_000_000);
    expect(host.connections).toBe(1);
    client.destroy();
  });

  it('answers all that a client sent before it closed its half, however long the answers take', async () => {
    const application = answering('end', async () => {
      await new Promise(setImmediate);
      return reply(250, '2.0.0', 'Ok: queued');
    });
    const { port } = await openTestHost({ application });
    const client = SocketClient.connect({ port });
    client.send(`${[...transaction, 'DATA', 'hi', '.'].join('\r\n')}\r\n`);
    expect(await client.rest()).toMatch(/354 [^\n]*\n250 2\.0\.0 Ok: queued\r\n$/);
  });

  it('GEN-22 ends with 421 4.3.0 rather than with the process when the application gives nonsense', async () => {
    const nonsense = { code: 250, lines: 1 } as unknown as Answer;
    for (const answer of [() => nonsense, async () => nonsense]) {
      const { greeted, errors } = await openTestHost({ application: answering('mail', answer) });
      const client = await greeted();
      expect(await client.say('EHLO client.test', 'MAIL FROM:<a@x.test>')).toMatch(/^421 4\.3\.0 /);
      await client.closed();
      expect(errors).toHaveLength(1);
    }
  });

  it('GEN-21 REP-421 tells a silent client that time is up', async () => {
    const { greeted } = await openTestHost({ rules: { limits: { idleTime: 40 } } });
    const client = await greeted();
    expect(await client.closed()).toBe('421 4.4.2 mx.example.test Timeout\r\n');
  });

  it('SEC-RES-1 CMD-AUTH-18 holds back the replies to repeated faults, and reads nothing meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { host, service } = await openTestHost({ rules: { limits: { errors: 4, errorDelay: 60_000 } } });
    const [server, client] = streamPair();
    host.accept(server, service);
    client.write('FOO\r\nFOO\r\n');
    await expect.poll(() => server.writes.join('').match(/^500 /gm)?.length).toBe(2);
    client.write('FOO\r\n');
    client.write('NOOP\r\n');
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(server.writes.join('').match(/^\d{3}/gm)).toEqual(['220', '500', '500']);
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => server.writes.join('').match(/^\d{3}/gm)).toEqual(['220', '500', '500', '500', '250']);
    vi.useRealTimers();
    client.end();
  });

  it('GEN-23 tells the application when a client is gone', async () => {
    let gone = 0;
    const application = (): TestApplication =>
      new (class extends TestApplication {
        override close(): void {
          gone += 1;
        }
      })();
    const { greeted, host } = await openTestHost({ application });
    const client = await greeted();
    await client.say(...transaction, 'DATA');
    client.destroy();
    await expect.poll(() => host.connections).toBe(0);
    expect(gone).toBe(1);
  });
});

describe('connections', () => {
  it('GEN-24 REP-421 SEC-RES-1 beyond the limit of an address are told so', async () => {
    const { greeted, port } = await openTestHost({ connectionsPerAddress: 1 });
    const first = await greeted();
    const second = SocketClient.connect({ port });
    expect(await second.closed()).toBe('421 4.7.0 mx.example.test Too many connections\r\n');
    expect(await (await greeted('127.0.0.2')).say('NOOP')).toBe('250 2.0.0 Ok');
    first.destroy();
    second.destroy();
    await expect.poll(async () => (await SocketClient.connect({ port }).reply()).slice(0, 3)).toBe('220');
  });

  it('GEN-24 come from many clients at once', async () => {
    const { greeted, host } = await openTestHost();
    const clients = await Promise.all(Array.from({ length: 20 }, () => greeted()));
    const replies = await Promise.all(clients.map((client) => client.say(...transaction)));
    expect(new Set(replies)).toEqual(new Set(['250 2.1.5 Recipient ok']));
    expect(host.connections).toBe(20);
  });

  it('GEN-22 end with 421 when the server does, after the transaction under way', async () => {
    const { greeted, host, port } = await openTestHost();
    const idle = await greeted();
    const busy = await greeted();
    await busy.say(...transaction, 'DATA');
    const closed = host.close(60_000);
    expect(await idle.closed()).toMatch(/^421 4\.3\.2 /);
    busy.send('hi\r\n.\r\n');
    expect(await busy.closed()).toMatch(/^250 2\.0\.0 [^\n]+\n421 4\.3\.2 [^\n]+\n$/);
    idle.stream.end();
    busy.stream.end();
    await closed;
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow();
  });

  it('GEN-22 end with 421 when the time for that is over, whatever they do', async () => {
    const { greeted, host } = await openTestHost();
    const busy = await greeted();
    await busy.say(...transaction, 'DATA');
    const closed = host.close(10);
    expect(await busy.closed()).toMatch(/^421 4\.3\.2 /);
    busy.destroy();
    await closed;
    expect(host.connections).toBe(0);
  });
});

describe('TLS', () => {
  it('CMD-TLS-1 CMD-TLS-9 SEC-SMUG-1 begins behind STARTTLS, and reads nothing that was sent before it', async () => {
    const application = new TestApplication();
    const { greeted } = await openTestHost({ application: () => application });
    const client = await greeted();
    await client.say('EHLO client.test');
    client.send('STARTTLS\r\nMAIL FROM:<injected@x.test>\r\n');
    expect(await client.reply()).toBe('220 2.0.0 Ready to start TLS');
    expect((await client.secure()).getProtocol()).toBe('TLSv1.3');
    expect(await client.say('NOOP')).toBe('250 2.0.0 Ok');
    expect(await client.say('EHLO client.test')).toMatch(/AUTH PLAIN LOGIN/);
    expect(application.asked.join()).not.toContain('injected');
  });

  it('CMD-TLS-4 CMD-TLS-9 begins with the first octet on ports for TLS, with 1.2 at the least', async () => {
    const { port } = await openTestHost({ rules: { startTls: false }, service: { implicitTls: true } });
    const options = { port, host: '127.0.0.1', ca: testCertificate.cert, servername: 'mx.example.test' } as const;
    const modern = new SocketClient(connectTls({ ...options, maxVersion: 'TLSv1.2' }));
    expect(await modern.reply()).toMatch(/^220 /);
    expect(await modern.say('EHLO client.test')).not.toMatch(/STARTTLS/);
    expect(await modern.say('STARTTLS')).toMatch(/^503 5\.5\.1 /);
    modern.destroy();
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(once(connectTls({ ...options, ...old }), 'secureConnect')).rejects.toThrow(/alert protocol version/i);
  });

  it('CMD-TLS-9 gives the default certificate for no name and for an unknown one, and knows mail by ALPN', async () => {
    const { port, host } = await openTestHost({ service: { implicitTls: true } });
    host.tls = openServerTls({ ...testCertificate, names: { 'other.example.test': otherCertificate } });
    const nameFor = async (servername?: string): Promise<string> => {
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols: ['smtp'],
        ...(servername && { servername }),
      });
      await once(socket, 'secureConnect');
      const name = String(socket.getPeerCertificate().subject.CN);
      expect(socket.alpnProtocol).toBe('smtp');
      socket.destroy();
      return name;
    };
    expect(await nameFor()).toBe('mx.example.test');
    expect(await nameFor('nobody.example.test')).toBe('mx.example.test');
    expect(await nameFor('OTHER.example.test')).toBe('other.example.test');
  });

  it('CMD-TLS-9 turns away a client that means to speak another protocol', async () => {
    const { port } = await openTestHost({ service: { implicitTls: true } });
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    await expect(once(socket, 'secureConnect')).rejects.toThrow(/no application protocol/i);
  });

  it('survives handshakes that fail or break off', async () => {
    const { port, host, errors } = await openTestHost({ service: { implicitTls: true } });
    for (const octets of ['EHLO client.test\r\n', '\x16\x03\x01', '']) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(Buffer.from(octets, 'latin1'));
      await once(socket.resume(), 'close');
    }
    await expect.poll(() => host.connections).toBe(0);
    expect(errors).toEqual([]);
  });

  it('uses another certificate from the next handshake on, and keeps sessions', async () => {
    const { greeted, host } = await openTestHost();
    const before = await greeted();
    await before.say('EHLO client.test', 'STARTTLS');
    await before.secure();
    host.tls = openServerTls(otherCertificate);
    const after = await greeted();
    await after.say('EHLO client.test', 'STARTTLS');
    const socket = await after.secure({ ca: otherCertificate.cert, servername: 'other.example.test' });
    expect(socket.getPeerCertificate().subject.CN).toBe('other.example.test');
    expect(await before.say('NOOP')).toBe('250 2.0.0 Ok');
  });

  it('CMD-TLS-1 REP-454 is answered 454 without a certificate', async () => {
    const { greeted } = await openTestHost({ tls: false });
    const client = await greeted();
    expect(await client.say('EHLO client.test', 'STARTTLS')).toBe('454 4.7.0 TLS is not available for now');
    expect(await client.say('NOOP')).toBe('250 2.0.0 Ok');
  });
});

describe('the PROXY protocol', () => {
  const header = 'PROXY TCP4 192.0.2.7 198.51.100.2 4711 25\r\n';

  async function openProxied(networks: string[], implicitTls = false) {
    const seen: Endpoint[] = [];
    const service = {
      isProxy: proxyMatcher(networks),
      implicitTls,
      application(_: unknown, endpoint: Endpoint) {
        seen.push(endpoint);
        return new TestApplication();
      },
    };
    return { seen, ...(await openTestHost({ service })) };
  }

  it('names the client to the application when it comes from a named network', async () => {
    const { port, seen } = await openProxied(['127.0.0.0/8']);
    const client = SocketClient.connect({ port });
    client.send(header.slice(0, 10));
    client.send(`${header.slice(10)}NOOP\r\n`);
    expect(await client.reply()).toMatch(/^220 /);
    expect(await client.reply()).toBe('250 2.0.0 Ok');
    expect(seen[0]).toEqual({
      clientAddress: '192.0.2.7',
      clientPort: 4711,
      localAddress: '198.51.100.2',
      localPort: 25,
    });
    client.destroy();
  });

  it('goes before the TLS handshake', async () => {
    const { port, seen } = await openProxied(['127.0.0.1'], true);
    const socket = connect(port, '127.0.0.1');
    socket.write(header);
    const client = new SocketClient(connectTls({ socket, ca: testCertificate.cert, servername: 'mx.example.test' }));
    expect(await client.reply()).toMatch(/^220 /);
    expect(seen[0]?.clientAddress).toBe('192.0.2.7');
    client.destroy();
  });

  it('GEN-26 is not believed from anywhere else', async () => {
    const { greeted, seen } = await openProxied(['10.0.0.0/8']);
    const client = await greeted();
    expect(await client.say(header.trimEnd())).toMatch(/^500 5\.5\.1 /);
    expect(seen[0]?.clientAddress).toBe('127.0.0.1');
  });

  it('SEC-RES-1 ends a connection from a named network without a header', async () => {
    const { port } = await openProxied(['127.0.0.1']);
    const client = SocketClient.connect({ port });
    client.send('EHLO client.test\r\n');
    expect(await client.closed()).toBe('');
  });

  it('GEN-24 counts the connections of the client, not those of the proxy', async () => {
    const { port } = await openProxied(['127.0.0.1']);
    const clients = Array.from({ length: 3 }, (_, index) => {
      const client = SocketClient.connect({ port });
      client.send(header.replace('192.0.2.7', `192.0.2.${index}`));
      return client;
    });
    for (const client of clients) {
      expect(await client.reply()).toMatch(/^220 /);
      client.destroy();
    }
  });
});

describe('UNIX sockets', () => {
  async function socketPath(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'posthorn-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    return join(folder, 'lmtp.sock');
  }

  it('LMTP-2 are listened on, also where a dead process left one behind', async () => {
    const path = await socketPath();
    const child = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)},()=>console.log(1))`,
    ]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    const { host, service } = await openTestHost({ rules: { role: 'lmtp' } });
    await host.listen({ path }, service);
    const client = new SocketClient(connect(path));
    expect(await client.reply()).toBe('220 mx.example.test LMTP ready');
    expect(await client.say('LHLO client.test')).toMatch(/^250-/);
    client.destroy();
  });

  it('are left to a process that uses them', async () => {
    const path = await socketPath();
    const other = createServer().listen(path);
    await once(other, 'listening');
    const { host, service } = await openTestHost();
    await expect(host.listen({ path }, service)).rejects.toThrow(/EADDRINUSE/);
    other.close();
  });
});
