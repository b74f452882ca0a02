import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { trackMessage } from '@posthorn/smtp/tracking';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword } from '../../packages/posthorn/src/config/password.ts';
import { testCertificate } from '../../packages/smtp/test/laws/test-certificate.ts';
import { freePort, untilListening } from '../interop/peers/peer.ts';
import { envelopeIdOf, held, isTracked, letters, named, secret } from './letters.ts';
import { Sender } from './sender.ts';
import { type Arrivals, arrived, numberIn, type Sink, startSink } from './sink.ts';

const posthorn = fileURLToPath(new URL('../../packages/posthorn/bin/posthorn.js', import.meta.url));
const kills = 100;
const sessions = 8;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kill-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ports {
  readonly mx: number;
  readonly mtqp: number;
  readonly submission: number;
}

/** A server with a list, an alias, somebody who is away, and mail for elsewhere, which all goes to the sink. */
async function configure({ mx, mtqp, submission }: Ports, sink: Sink): Promise<string> {
  const config = join(folder, 'posthorn.json');
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(tls.cert, testCertificate.cert);
  writeFileSync(tls.key, testCertificate.key);
  const host = '127.0.0.1';
  const settings = {
    hostname: 'mx.example.org',
    dataDir: join(folder, 'data'),
    listeners: [
      { role: 'mx', host, port: mx },
      { role: 'mtqp', host, port: mtqp },
      { role: 'submission', host, port: submission },
    ],
    tls,
    users: { ann: { password: await hashPassword('unused') } },
    submission: { socket: join(folder, 'submit') },
    relayFrom: ['127.0.0.0/8'],
    domains: {
      'here.example': {
        deliver: `maildir:${join(folder, 'mail')}/{local}`,
        mailboxes: ['away', 'postmaster'],
        aliases: { pair: ['p1@far.example', 'p2@far.example'] },
        lists: { team: { members: ['m1@far.example', 'm2@far.example'], postedBy: 'anyone', verp: true } },
        vacations: { away: { text: 'I am away.' } },
      },
    },
    routes: [{ domain: '*', to: `smtp://127.0.0.1:${sink.port}?tls=none` }],
    extensions: { priority: { trusted: ['127.0.0.0/8'] }, futureRelease: { perUser: 100_000 } },
    queue: { retry: ['1s'] },
  };
  writeFileSync(config, JSON.stringify(settings));
  return config;
}

async function start(config: string, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [posthorn, 'serve', '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const state: { failed?: string } = {};
  let errors = '';
  child.stderr.on('data', (piece) => {
    errors = (errors + piece).slice(-2000);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) state.failed = `posthorn ended with ${code}: ${errors}`;
  });
  await untilListening(port, state);
  return child;
}

function kill(child: ChildProcess): Promise<unknown> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  return gone;
}

/** What is in the mailbox of who is away. */
function mailboxArrivals(): Arrivals {
  const arrivals: Arrivals = new Map();
  const box = join(folder, 'mail', 'away', 'new');
  for (const name of existsSync(box) ? readdirSync(box) : []) {
    const path = join(box, name);
    arrived(arrivals, `${numberIn(readFileSync(path, 'latin1'))} away`, statSync(path).mtimeMs);
  }
  return arrivals;
}

/** Of messages that the server said it would track, those of which it knows nothing now. */
async function untracked(sender: Sender, port: number): Promise<number[]> {
  const tracked = [...sender.accepted].filter(([, kind]) => isTracked(kind)).map(([number]) => number);
  const lost: number[] = [];
  for (const number of tracked) {
    const query = { envelopeId: envelopeIdOf(number), secret, server: { host: '127.0.0.1', port } };
    const { reports } = await trackMessage({ ...query, findServers: async () => [] });
    const actions = reports.flatMap(({ recipients }) => recipients.map(({ action }) => action));
    if (actions.join() !== 'relayed') lost.push(number);
  }
  expect(tracked.length).toBeGreaterThan(0);
  return lost;
}

describe('a server that is killed', () => {
  it(`CLI-DUP-3 CMD-DATA-6 GEN-23 EX-13 EXT-CKPT-5 loses nothing in ${kills} kills under load: deferrals and bounces, lists, answers, what is tracked, held, urgent or sent in part`, {
    timeout: 600_000,
  }, async () => {
    await using sink = await startSink();
    const ports = { mx: await freePort(), mtqp: await freePort(), submission: await freePort() };
    const config = await configure(ports, sink);
    const mx = { port: ports.mx, host: '127.0.0.1' };
    const sender = new Sender();
    const killTimes: number[] = [];
    for (let round = 0; round < kills; round += 1) {
      const child = await start(config, ports.mx);
      const load = [
        ...Array.from({ length: sessions }, () => sender.session(mx, letters)),
        sender.session(mx, named),
        sender.session({ path: join(folder, 'submit') }, held),
      ];
      await wait(20 + Math.random() * 180);
      killTimes.push(Date.now());
      await kill(child);
      await Promise.all(load);
    }
    const child = await start(config, ports.mx);
    let mailbox: Arrivals = new Map();
    try {
      await sender.session(mx, named, () => sender.left.length === 0);
      const wanted = [...sender.accepted].flatMap(([number, { comesTo }]) => comesTo.map((who) => `${number} ${who}`));
      const missing = () => {
        mailbox = mailboxArrivals();
        return wanted.filter((key) => !sink.arrivals.has(key) && !mailbox.has(key));
      };
      await expect.poll(missing, { timeout: 120_000, interval: 500 }).toEqual([]);
      expect(await untracked(sender, ports.mtqp)).toEqual([]);
    } finally {
      await kill(child);
    }
    const arrivals = [...sink.arrivals.values(), ...mailbox.values()];
    const doubled = arrivals.filter(({ length }) => length > 1).flatMap((times) => times.slice(0, -1));
    const { accepted, unknown, resumed } = sender;
    const cuts = `${unknown.size} cut before their reply, ${resumed} gone on with`;
    console.info(`${accepted.size} accepted, ${cuts}, ${doubled.length} doubles in ${kills} kills`);
    for (const kind of [...letters, ...named, ...held]) expect([...accepted.values()]).toContain(kind);
    expect(accepted.size).toBeGreaterThan(kills);
    expect(resumed).toBeGreaterThan(0);
    // What comes again was in flight when the server died: no result was on disk yet, moments after it had arrived.
    const inFlight = (arrival: number) =>
      killTimes.some((killed) => killed >= arrival - 50 && killed <= arrival + 1000);
    expect(doubled.filter((arrival) => !inFlight(arrival))).toEqual([]);
  });
});
