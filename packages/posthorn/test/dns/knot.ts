import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTlsa } from '@posthorn/smtp/net/tlsa';
import { type FixtureHost, type FixtureZone, fixtureName } from '../../src/dns/fixture-resolver.ts';
import { cutText } from './zone-answer.ts';

/** Where Debian installs the name server of CZ.NIC. */
export const knotProgram = '/usr/sbin/knotd';
export const hasKnot = existsSync(knotProgram);

/** A running name server. */
export interface Knot extends AsyncDisposable {
  readonly address: string;
  /** Of a zone that is signed: key tag, algorithm, type and digest of its key, with commas between them (RFC 4034 §5.1). */
  trustAnchor(): string;
}

/** A name server of another make, authoritative for a root zone that holds the fixture. */
export async function startKnot(zone: FixtureZone, { signed = false } = {}): Promise<Knot> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-knot-'));
  await mkdir(join(folder, 'db'));
  for (let tries = 0; tries < 5; tries += 1) {
    const port = await freePort();
    await writeFile(join(folder, 'root.zone'), zoneFile(zone));
    await writeFile(join(folder, 'knot.conf'), configuration(folder, port, signed));
    const child = spawn(knotProgram, ['-c', join(folder, 'knot.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
    if (!(await isStarted(child))) continue;
    return {
      address: `127.0.0.1:${port}`,
      trustAnchor() {
        const lines = execFileSync('/usr/sbin/keymgr', ['-c', join(folder, 'knot.conf'), '.', 'ds']).toString();
        return /DS (\d+) (\d+) (\d+) (\w+)/.exec(lines)?.slice(1).join(',') ?? '';
      },
      async [Symbol.asyncDispose]() {
        const exit = once(child, 'exit');
        child.kill();
        await exit;
        await rm(folder, { recursive: true });
      },
    };
  }
  throw new Error('knotd does not start');
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  return port;
}

/** Whether it says that it serves; it ends at once when the port is in use. */
function isStarted(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    let log = '';
    const read = (text: Buffer) => {
      log += text;
      if (/server started in/.test(log)) resolve(true);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => resolve(false));
  });
}

function configuration(folder: string, port: number, signed: boolean): string {
  return `server:
    rundir: "${folder}"
    listen: 127.0.0.1@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "${folder}/db"
template:
  - id: default
    storage: "${folder}"
zone:
  - domain: .
    file: root.zone
    dnssec-signing: ${signed ? 'on' : 'off'}
    zonefile-sync: -1
    journal-content: none
`;
}

function zoneFile(zone: FixtureZone): string {
  const lines = [
    '$TTL 300',
    '. SOA ns.test. hostmaster.test. 1 3600 600 86400 60',
    '. NS ns.test.',
    'ns.test. A 127.0.0.1',
  ];
  for (const [key, host] of Object.entries(zone)) lines.push(...hostLines(`${fixtureName(key)}.`, host));
  return `${lines.join('\n')}\n`;
}

function hostLines(name: string, host: FixtureHost): string[] {
  const dotted = (target: string) => (target === '.' ? '.' : `${target}.`);
  const strings = (text: string) =>
    cutText(text)
      .map((piece) => `"${piece}"`)
      .join(' ');
  return [
    ...(host.mx ?? []).map(([preference, exchange]) => `${name} MX ${preference} ${dotted(exchange)}`),
    ...(host.a ?? []).map((address) => `${name} A ${address}`),
    ...(host.aaaa ?? []).map((address) => `${name} AAAA ${address}`),
    ...(host.txt ?? []).map((text) => `${name} TXT ${strings(text)}`),
    ...(host.ptr ?? []).map((target) => `${name} PTR ${dotted(target)}`),
    ...(host.tlsa ?? []).map((record) => `${name} TLSA ${formatTlsa(record)}`),
    ...(host.cname === undefined ? [] : [`${name} CNAME ${dotted(host.cname)}`]),
  ];
}
