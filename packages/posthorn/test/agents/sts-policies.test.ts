import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { FetchedPolicy } from '../../src/agents/fetch-sts-policy.ts';
import { StsCache } from '../../src/agents/sts-cache.ts';
import { StsPolicies } from '../../src/agents/sts-policies.ts';
import { createFixtureResolver } from '../../src/dns/fixture-resolver.ts';
import type { StsPolicy } from '../../src/routing/sts-policy.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const enforce = (host: string, maxAge = 604_800): StsPolicy => ({ mode: 'enforce', mx: [host], maxAge });
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sts-'));
  folders.push(folder);
  return folder;
}

/** Policies whose record, web server and clock are in the hand of the test. */
async function setUp(folder = newFolder()) {
  const world = {
    id: '1' as string | undefined,
    time: 1_800_000_000_000,
    offered: { kind: 'policy', policy: enforce('mx.test') } as FetchedPolicy,
    fetched: 0,
    errors: [] as unknown[],
  };
  const cache = await StsCache.open(folder);
  const policies = new StsPolicies({
    resolver: {
      txt: (name) => {
        const txt = world.id === undefined ? [] : [`v=STSv1; id=${world.id};`];
        return createFixtureResolver({ '_mta-sts.example.test': { txt } }).txt(name);
      },
    },
    async fetch() {
      world.fetched += 1;
      return world.offered;
    },
    cache,
    now: () => world.time,
    onError: (error) => world.errors.push(error),
  });
  const mx = async () => (await policies.find('example.test')).policy?.mx[0];
  return { world, policies, cache, folder, mx };
}

const broken: FetchedPolicy = { kind: 'failed', fault: 'sts-policy-fetch-error', text: 'no' };

describe('StsPolicies', () => {
  it('SEC-STS-1 fetches a policy once for each id, for all who wait for it', async () => {
    const { world, policies, mx } = await setUp();
    expect(await Promise.all([mx(), mx(), mx()])).toEqual(['mx.test', 'mx.test', 'mx.test']);
    expect(world.fetched).toBe(1);
    world.offered = { kind: 'policy', policy: enforce('new.test') };
    expect(await mx()).toBe('mx.test');
    world.id = '2';
    expect(await mx()).toBe('new.test');
    expect(world.fetched).toBe(2);
    await policies.close();
  });

  it('SEC-STS-1 keeps a policy without its record and through a restart, until its time is over', async () => {
    const first = await setUp();
    await first.mx();
    await first.policies.close();
    const { world, mx, policies } = await setUp(first.folder);
    world.id = undefined;
    expect(await mx()).toBe('mx.test');
    world.time += 604_800_000 - 1;
    expect(await mx()).toBe('mx.test');
    world.time += 1;
    expect(await mx()).toBeUndefined();
    expect(world.fetched).toBe(0);
    await policies.refresh();
    await policies.close();
    expect(readdirSync(first.folder)).toEqual([]);
  });

  it('SEC-STS-2 SEC-STS-3 keeps the old policy where the new one cannot be fetched, and tries again after five minutes', async () => {
    const { world, policies, mx } = await setUp();
    await mx();
    world.id = '2';
    world.offered = broken;
    expect(await policies.find('example.test')).toMatchObject({ policy: enforce('mx.test'), failed: broken });
    world.offered = { kind: 'policy', policy: enforce('new.test') };
    world.time += 5 * minute - 1;
    expect(await mx()).toBe('mx.test');
    expect(world.fetched).toBe(2);
    // Another id is another policy.
    world.id = '3';
    expect(await mx()).toBe('new.test');
    world.id = '2';
    world.time += 1;
    expect(await mx()).toBe('new.test');
    expect(world.fetched).toBe(4);
    await policies.close();
  });

  it('knows no policy where none was ever fetched', async () => {
    const { world, policies } = await setUp();
    world.offered = broken;
    expect(await policies.find('example.test')).toEqual({ failed: broken });
    world.id = undefined;
    expect(await policies.find('example.test')).toEqual({});
    await policies.close();
  });

  it('SEC-STS-1 refreshes what is kept for a day, or half of its time', async () => {
    const { world, policies, mx } = await setUp();
    await mx();
    await policies.refresh();
    expect(world.fetched).toBe(1);
    world.time += day;
    world.offered = { kind: 'policy', policy: enforce('new.test', 7200) };
    await policies.refresh();
    expect(await mx()).toBe('new.test');
    world.time += 60 * minute;
    await policies.refresh();
    expect(world.fetched).toBe(3);
    await policies.close();
  });
});

describe('StsCache', () => {
  it('reads what it wrote, and leaves alone what it did not', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'broken.test'), 'garbage');
    writeFileSync(join(folder, 'NOTES'), 'mine');
    writeFileSync(join(folder, 'half.test.tmp~'), '');
    const cache = await StsCache.open(folder);
    expect(cache.domains).toEqual([]);
    const entry = { policy: enforce('mx.test'), id: '1', fetchedAt: 5 };
    await Promise.all([cache.set('a.test', entry), cache.set('b.test', { ...entry, id: '2' })]);
    await cache.set('a.test', { ...entry, id: '3' });
    await cache.delete('b.test');
    const again = await StsCache.open(folder);
    expect(again.domains).toEqual(['a.test']);
    expect(again.get('a.test')).toEqual({ ...entry, id: '3' });
  });

  it('forgets those not used for longest when their policies take too much memory', async () => {
    const cache = await StsCache.open(newFolder());
    const mx = Array.from({ length: 900 }, (_, index) => `${'a'.repeat(60)}.${'b'.repeat(60)}.host${index}.example`);
    const entry = { policy: { mode: 'enforce', mx, maxAge: 1 } as StsPolicy, id: '1', fetchedAt: 5 };
    for (let index = 0; index < 150; index += 1) {
      void cache.set(`d${index}.test`, entry);
      cache.get('d0.test');
    }
    await cache.close();
    expect(cache.domains.length).toBeLessThan(140);
    expect(cache.domains).toContain('d0.test');
    expect(cache.domains).not.toContain('d1.test');
  });
});
