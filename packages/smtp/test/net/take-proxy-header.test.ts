import { PassThrough } from 'node:stream';
import { takeProxyHeader } from '@posthorn/smtp/net/take-proxy-header';
import { expect, it, onTestFinished, vi } from 'vitest';

const header = 'PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n';

it('leaves what follows the header in the stream, in whatever pieces all came', async () => {
  for (let cut = 0; cut <= header.length + 6; cut += 1) {
    const stream = new PassThrough();
    const taken = takeProxyHeader(stream);
    const octets = `${header}NOOP\r\n`;
    stream.write(octets.slice(0, cut));
    await new Promise(setImmediate);
    stream.write(octets.slice(cut));
    expect(await taken).toMatchObject({ endpoint: { clientAddress: '192.0.2.1' } });
    stream.end();
    let rest = '';
    for await (const piece of stream) rest += piece;
    expect(rest).toBe('NOOP\r\n');
  }
});

it('SEC-RES-1 waits five seconds for a header, and no longer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const stream = new PassThrough();
  const taken = takeProxyHeader(stream);
  stream.write('PROXY TCP4 192.0.2.1');
  await new Promise(setImmediate);
  vi.advanceTimersByTime(4999);
  stream.write(' 198.51.100.2');
  await new Promise(setImmediate);
  vi.advanceTimersByTime(1);
  expect(await taken).toBeUndefined();
});

it('finds none in a stream that ends, breaks off, or says something else', async () => {
  const ended = new PassThrough();
  const none = takeProxyHeader(ended);
  ended.end('PROXY');
  expect(await none).toBeUndefined();
  const broken = new PassThrough();
  const lost = takeProxyHeader(broken);
  broken.destroy();
  expect(await lost).toBeUndefined();
  const other = new PassThrough();
  const wrong = takeProxyHeader(other);
  other.write('EHLO');
  expect(await wrong).toBeUndefined();
});
