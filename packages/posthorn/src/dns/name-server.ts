import { isIP } from 'node:net';
import { normalizeAddress } from '@posthorn/smtp/address/normalize-address';

/** A name server to ask. */
export interface NameServer {
  /** An IP address as text, for link-local ones with its zone. */
  readonly address: string;
  readonly port: number;
}

/** Reads `address`, `address:port`, `[address]` or `[address]:port`, port 53 by default; undefined when it is none (RFC 3986 §3.2.2). */
export function parseNameServer(text: string): NameServer | undefined {
  if (isIP(text) !== 0) return { address: text, port: 53 };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? 53);
  return isIP(address) !== 0 && port > 0 && port < 65_536 ? { address, port } : undefined;
}

/** Writes a name server for people: `address:port`, the address in brackets where it has colons (RFC 3986 §3.2.2). */
export function formatNameServer({ address, port }: NameServer): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether the way to it stays within this machine, so that nobody can forge what it says (RFC 4035 §4.9.3). */
export function isOnThisMachine({ address }: NameServer): boolean {
  const normal = normalizeAddress(address) ?? '';
  return normal.startsWith('127.') || normal === '0:0:0:0:0:0:0:1';
}
