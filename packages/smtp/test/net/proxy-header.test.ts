import { isIP } from 'node:net';
import { parseProxyHeader } from '@posthorn/smtp/net/proxy-header';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function parseLine(line: string): ReturnType<typeof parseProxyHeader> {
  return parseProxyHeader(Buffer.from(line, 'latin1'));
}

function binary(command: number, family: number, rest: Buffer): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(rest.length);
  return Buffer.concat([signature, Buffer.from([command, family]), size, rest]);
}

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6().filter((text) => isIP(text) === 6);
const port = fc.integer({ min: 0, max: 65535 });

describe('version 1', () => {
  it('names both ends', () => {
    expect(parseLine('PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\nEHLO')).toEqual({
      size: 44,
      endpoint: { clientAddress: '192.0.2.1', clientPort: 56324, localAddress: '198.51.100.2', localPort: 25 },
    });
  });

  it('reads every pair of addresses and ports, and gives the size of the header', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6)),
        port,
        port,
        ([from, to], clientPort, localPort) => {
          const line = `PROXY TCP${isIP(from)} ${from} ${to} ${clientPort} ${localPort}\r\n`;
          fc.pre(line.length <= 107);
          expect(parseLine(`${line}MAIL`)).toMatchObject({ size: line.length, endpoint: { clientPort, localPort } });
        },
      ),
    );
  });

  it('takes a client whose address is not known', () => {
    expect(parseLine('PROXY UNKNOWN\r\n')).toEqual({ size: 15 });
    expect(parseLine('PROXY UNKNOWN ffff::1 what ever 1 2\r\n')).toEqual({ size: 37 });
  });

  it.each([
    'EHLO client.test\r\n',
    'proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n',
    `PROXY UNKNOWN ${'x'.repeat(93)}\r\n`,
    `PROXY UNKNOWN ${'x'.repeat(200)}`,
  ])('refuses %j', (line) => {
    expect(parseLine(line)).toBe('invalid');
  });
});

describe('version 2', () => {
  it('names both ends of TCP over IPv4 and IPv6, and passes over what follows the addresses', () => {
    const four = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0, 25, 3, 0, 4, 1, 2, 3, 4]);
    expect(parseProxyHeader(Buffer.concat([binary(0x21, 0x11, four), Buffer.from('EHLO')]))).toEqual({
      size: 16 + 19,
      endpoint: { clientAddress: '192.0.2.1', clientPort: 56324, localAddress: '198.51.100.2', localPort: 25 },
    });
    const six = Buffer.alloc(36);
    six.set([0x20, 0x01, 0x0d, 0xb8], 0);
    six[15] = 1;
    six.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9], 16);
    expect(parseProxyHeader(binary(0x21, 0x21, six))).toMatchObject({
      endpoint: { clientAddress: '2001:db8::1', localAddress: '192.0.2.9' },
    });
  });

  it('gives every IPv6 address in a form that means the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
        const rest = Buffer.concat([Buffer.from(octets), Buffer.alloc(20)]);
        const header = parseProxyHeader(binary(0x21, 0x21, rest));
        const address = typeof header === 'object' ? (header.endpoint?.clientAddress ?? '') : '';
        const groups = Array.from({ length: 8 }, (_, at) => rest.readUInt16BE(2 * at).toString(16)).join(':');
        const wanted = new URL(`http://[${groups}]`).hostname.slice(1, -1);
        if (isIP(address) === 4) expect(wanted.startsWith('::ffff:')).toBe(true);
        else expect(new URL(`http://[${address}]`).hostname.slice(1, -1)).toBe(wanted);
      }),
      { examples: [[new Uint8Array(16)], [new Uint8Array(16).fill(255)]] },
    );
  });

  it('leaves the ends as they are for LOCAL, for unknown families and for UNIX sockets', () => {
    expect(parseProxyHeader(binary(0x20, 0x11, Buffer.alloc(12)))).toEqual({ size: 28 });
    expect(parseProxyHeader(binary(0x20, 0x00, Buffer.alloc(0)))).toEqual({ size: 16 });
    expect(parseProxyHeader(binary(0x21, 0x00, Buffer.alloc(3)))).toEqual({ size: 19 });
    expect(parseProxyHeader(binary(0x21, 0x31, Buffer.alloc(216)))).toEqual({ size: 232 });
  });

  it.each([
    ['version 1 in binary', binary(0x11, 0x11, Buffer.alloc(12))],
    ['an unknown command', binary(0x22, 0x11, Buffer.alloc(12))],
    ['datagrams', binary(0x21, 0x12, Buffer.alloc(12))],
    ['too few octets for the addresses', binary(0x21, 0x11, Buffer.alloc(11))],
    ['more octets than any proxy sends', binary(0x21, 0x11, Buffer.alloc(2049))],
    ['a wrong signature', Buffer.from('\r\n\r\n\0\r\nQUIX')],
  ])('refuses %s', (_, octets) => {
    expect(parseProxyHeader(octets)).toBe('invalid');
  });
});

it('SEC-RES-1 asks for more, says no, or finds the same header, wherever the octets break off, and never throws', () => {
  const headers = [
    Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n'),
    binary(0x21, 0x11, Buffer.alloc(12)),
    binary(0x20, 0x00, Buffer.alloc(0)),
  ];
  for (const header of headers) {
    for (let cut = 0; cut < header.length; cut += 1)
      expect(parseProxyHeader(header.subarray(0, cut))).toBe('incomplete');
    expect(parseProxyHeader(header)).toMatchObject({ size: header.length });
  }
  fc.assert(
    fc.property(
      fc.constantFrom('PROXY ', '\r\n\r\n', signature.toString('latin1'), ''),
      fc.uint8Array({ maxLength: 300 }),
      (start, octets) => {
        const header = parseProxyHeader(Buffer.concat([Buffer.from(start, 'latin1'), octets]));
        if (typeof header === 'object') expect(header.size).toBeGreaterThan(0);
      },
    ),
  );
});
