import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, untilListening } from '../interop/peers/peer.ts';
import { Sender } from './sender.ts';
import { startSink } from './sink.ts';

const posthorn = fileURLToPath(new URL('../../packages/posthorn/bin/posthorn.js', import.meta.url));
const kills = 100;
const sessions = 8;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kill-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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

describe('a server that is killed', () => {
  it(`CLI-DUP-3 CMD-DATA-6 GEN-23 EX-13 loses nothing in ${kills} kills under load, deferrals and bounces among it`, {
    timeout: 600_000,
  }, async () => {
    await using sink = await startSink();
    const port = await freePort();
    const config = join(folder, 'posthorn.json');
    const settings = {
      hostname: 'mx.example.org',
      dataDir: join(folder, 'data'),
      listeners: [{ role: 'mx', host: '127.0.0.1', port }],
      relayFrom: ['127.0.0.0/8'],
      routes: [{ domain: '*', to: `smtp://127.0.0.1:${sink.port}?tls=none` }],
      queue: { retry: ['1s'] },
    };
    writeFileSync(config, JSON.stringify(settings));
    const sender = new Sender();
    const killTimes: number[] = [];
    for (let round = 0; round < kills; round += 1) {
      const child = await start(config, port);
      const load = Array.from({ length: sessions }, () => sender.session(port));
      await wait(20 + Math.random() * 180);
      killTimes.push(Date.now());
      await kill(child);
      await Promise.all(load);
    }
    const child = await start(config, port);
    try {
      const isThere = (number: number) => sink.delivered.has(number) || sink.bounced.has(number);
      const missing = () => [...sender.accepted.keys()].filter((number) => !isThere(number));
      await expect.poll(missing, { timeout: 120_000, interval: 200 }).toEqual([]);
      for (const [number, kind] of sender.accepted) {
        expect((kind === 'bounce' ? sink.bounced : sink.delivered).has(number)).toBe(true);
      }
    } finally {
      await kill(child);
    }
    const arrivals = [...sink.delivered.values(), ...sink.bounced.values()];
    const doubled = arrivals.filter(({ length }) => length > 1).flatMap((times) => times.slice(0, -1));
    console.info(
      `${sender.accepted.size} accepted, ${sender.unknown.size} cut before their reply, ${doubled.length} doubles in ${kills} kills`,
    );
    expect(sender.accepted.size).toBeGreaterThan(kills);
    // What comes again was in flight when the server died: no result was on disk yet, moments after it had arrived.
    const inFlight = (arrival: number) =>
      killTimes.some((killed) => killed >= arrival - 50 && killed <= arrival + 1000);
    expect(doubled.filter((arrival) => !inFlight(arrival))).toEqual([]);
  });
});
