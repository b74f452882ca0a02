import type { NetworkInterfaceInfo } from 'node:os';

/**
 * The families of addresses that a host with these network interfaces can reach; both when it has none but loopback, since
 * then all its mail stays on it (RFC 3974 §3).
 */
export function ownFamilies(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): (4 | 6)[] {
  const infos = Object.values(interfaces).flatMap((list) => list ?? []);
  const reaching = infos.filter(({ internal, address }) => !internal && !/^fe80:|^169\.254\./i.test(address));
  const families = ([6, 4] as const).filter((family) => reaching.some((info) => info.family === `IPv${family}`));
  return families.length === 0 ? [6, 4] : families;
}
