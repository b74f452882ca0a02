import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { type Endpoint, plainAddress } from './endpoint.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const versionSize = 16;
/** Octets of the longest header of version 1, with its CRLF (PROXY protocol §2.1). */
const lineSize = 107;
/** Octets behind the fixed part of version 2 that are accepted: addresses and some TLVs (PROXY protocol §2.2). */
const restSize = 2048;
const CR = 0x0d;
const LF = 0x0a;

/** A header that is all there: its octets, and the ends it names; none for the proxy's own connections. */
export interface ProxyHeader {
  readonly size: number;
  readonly endpoint?: Endpoint;
}

/**
 * Reads the header that a proxy puts before a connection, version 1 or 2 (PROXY protocol §2). The octets are all that
 * came so far. Nothing is guessed: what is no header is `invalid` as soon as that is certain.
 */
export function parseProxyHeader(octets: Buffer): ProxyHeader | 'incomplete' | 'invalid' {
  if (octets.length === 0) return 'incomplete';
  return octets[0] === CR ? parseBinary(octets) : parseLine(octets);
}

function parseLine(octets: Buffer): ProxyHeader | 'incomplete' | 'invalid' {
  const beginning = octets.toString('latin1', 0, 6);
  if (!'PROXY '.startsWith(beginning)) return 'invalid';
  const end = octets.indexOf(LF);
  if (end === -1) return octets.length < lineSize ? 'incomplete' : 'invalid';
  if (end >= lineSize || octets[end - 1] !== CR) return 'invalid';
  const words = octets.toString('latin1', 6, end - 1).split(' ');
  const size = end + 1;
  // What follows UNKNOWN is to be ignored.
  if (words[0] === 'UNKNOWN') return { size };
  const endpoint = words.length === 5 ? readWords(words as Words) : undefined;
  return endpoint === undefined ? 'invalid' : { size, endpoint };
}

type Words = [family: string, source: string, destination: string, sourcePort: string, destinationPort: string];

function readWords([family, source, destination, from, to]: Words): Endpoint | undefined {
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : () => false;
  const clientPort = readPort(from);
  const localPort = readPort(to);
  if (!isAddress(source) || !isAddress(destination) || clientPort === undefined || localPort === undefined) return;
  return { clientAddress: plainAddress(source), clientPort, localAddress: plainAddress(destination), localPort };
}

/** Without a zone, which means nothing on another host. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function readPort(text: string): number | undefined {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : 65536;
  return port < 65536 ? port : undefined;
}

function parseBinary(octets: Buffer): ProxyHeader | 'incomplete' | 'invalid' {
  const known = Math.min(octets.length, signature.length);
  if (octets.compare(signature, 0, known, 0, known) !== 0) return 'invalid';
  if (octets.length < versionSize) return 'incomplete';
  const command = octets.readUInt8(12);
  const family = octets.readUInt8(13);
  const rest = octets.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 0xf) > 1 || rest > restSize) return 'invalid';
  const size = versionSize + rest;
  if (octets.length < size) return 'incomplete';
  // LOCAL: the proxy speaks for itself, whatever addresses it gives.
  if ((command & 0xf) === 0) return { size };
  return readAddresses(octets.subarray(versionSize, size), family, size);
}

/** Stream sockets only; UNSPEC and UNIX name no addresses of use. */
function readAddresses(rest: Buffer, family: number, size: number): ProxyHeader | 'invalid' {
  if (family === 0x00) return { size };
  if (family === 0x31) return rest.length >= 216 ? { size } : 'invalid';
  const octets = family === 0x11 ? 4 : family === 0x21 ? 16 : 0;
  if (octets === 0 || rest.length < 2 * octets + 4) return 'invalid';
  const write = octets === 4 ? formatIPv4 : formatIPv6;
  return {
    size,
    endpoint: {
      clientAddress: plainAddress(write(rest.subarray(0, octets))),
      clientPort: rest.readUInt16BE(2 * octets),
      localAddress: plainAddress(write(rest.subarray(octets, 2 * octets))),
      localPort: rest.readUInt16BE(2 * octets + 2),
    },
  };
}

function formatIPv4(octets: Buffer): string {
  return octets.join('.');
}

/** In the form of RFC 5952 §4, which the platform's own parser of addresses writes. */
function formatIPv6(octets: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(2 * index).toString(16));
  if (groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff')
    return formatIPv4(octets.subarray(12));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
