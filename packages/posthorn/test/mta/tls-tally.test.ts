import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { TlsSession } from '../../src/agents/tls-sessions.ts';
import { day, TlsTally } from '../../src/mta/tls-tally.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'tally-'));
  folders.push(folder);
  const clock = { time: 20_000 * day + 5 };
  return { folder, clock, tally: await TlsTally.open(folder, () => clock.time) };
}

const policy: TlsSession['policy'] = { type: 'tlsa', lines: ['3 1 1 00'], domain: 'a.test' };
const failure = { result: 'certificate-expired', host: 'mx.a.test', receivingIp: '192.0.2.1' };

describe('TlsTally', () => {
  it('SEC-RPT-1 counts by day, domain and policy, and through a restart', async () => {
    const { folder, clock, tally } = await setUp();
    tally.record({ policy });
    tally.record({ policy, failure });
    tally.record({ policy, failure });
    tally.record({ policy: { ...policy, lines: ['3 1 1 01'] } });
    tally.record({ policy: { ...policy, domain: 'b.test' } });
    expect(tally.daysOver()).toEqual([]);
    await tally.save();
    const again = await TlsTally.open(folder, () => clock.time);
    clock.time += day;
    again.record({ policy });
    expect(again.daysOver()).toEqual([20_000]);
    expect(again.domainsOf(20_000)).toEqual(['a.test', 'b.test']);
    expect(again.policiesOf(20_000, 'a.test')).toEqual([
      { ...policy, successes: 1, failures: 2, details: [{ ...failure, count: 2 }] },
      { ...policy, lines: ['3 1 1 01'], successes: 1, failures: 0, details: [] },
    ]);
    again.drop(20_000, 'a.test');
    again.drop(20_000, 'b.test');
    await again.save();
    expect(readdirSync(folder)).toEqual(['20001.json']);
  });

  it('stays within its bounds, whatever hosts do', async () => {
    const { clock, tally } = await setUp();
    for (let index = 0; index < 200; index += 1) tally.record({ policy: { ...policy, lines: [`${index}`] } });
    for (let index = 0; index < 200; index += 1) {
      tally.record({
        policy: { ...policy, lines: ['0'] },
        failure: { ...failure, reason: `${index}${'x'.repeat(9999)}` },
      });
    }
    for (let index = 0; index < 10_500; index += 1) tally.record({ policy: { ...policy, domain: `d${index}.test` } });
    clock.time += day;
    expect(tally.domainsOf(20_000)).toHaveLength(10_000);
    const policies = tally.policiesOf(20_000, 'a.test');
    expect(policies).toHaveLength(20);
    expect(policies[0]?.failures).toBe(200);
    expect(policies[0]?.details).toHaveLength(100);
    expect(policies[0]?.details[0]?.reason).toHaveLength(200);
  });

  it('counts on where its file is cut off', async () => {
    const { folder, clock } = await setUp();
    writeFileSync(join(folder, '20000.json'), '[{"type":"tl');
    const tally = await TlsTally.open(folder, () => clock.time);
    tally.record({ policy });
    expect(tally.domainsOf(20_000)).toEqual(['a.test']);
  });
});
