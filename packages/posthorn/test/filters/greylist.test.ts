import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GreyEntry, Greylist, type GreylistRules } from '../../src/filters/greylist.ts';
import { openGreylist } from '../../src/filters/stored-greylist.ts';

const minute = 60_000;
const day = 1440 * minute;
const rules: GreylistRules = { delay: minute, window: day, keep: 35 * day, entries: 1000 };
const triple = { client: '192.0.2.7', sender: 'a@example.com', recipient: 'b@example.org' };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'greylist-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('greylisting', () => {
  it('SEC-GREY-1 passes a retry between a minute and a day behind the first try, and begins anew with others', () => {
    const times = fc.integer({ min: 0, max: 3 * day });
    fc.assert(
      fc.property(times, times, (start, wait) => {
        const list = new Greylist(rules, () => {});
        expect(list.check(triple, start)).toBe(minute);
        const left = list.check(triple, start + wait);
        if (wait < minute) expect(left).toBe(minute - wait);
        else if (wait < day) expect(left).toBeUndefined();
        else expect(left).toBe(minute);
      }),
    );
  });

  it('SEC-GREY-1 knows a try by client network, sender and first recipient, and a client that passed by its network alone', () => {
    const list = new Greylist(rules, () => {});
    list.check(triple, 0);
    expect(list.check({ ...triple, sender: 'x@example.com' }, 2 * minute)).toBe(minute);
    expect(list.check({ ...triple, recipient: 'x@example.org' }, 2 * minute)).toBe(minute);
    expect(list.check({ ...triple, client: '198.51.100.7' }, 2 * minute)).toBe(minute);
    // A neighbour of the same sender tries again.
    expect(list.check({ ...triple, client: '192.0.2.99' }, 2 * minute)).toBeUndefined();
    expect(
      list.check({ client: '192.0.2.5', sender: '', recipient: 'anybody@example.org' }, 3 * minute),
    ).toBeUndefined();
    list.check({ ...triple, client: '2001:db8:1:2::9' }, 0);
    expect(list.check({ ...triple, client: '2001:db8:1:2:ffff::1' }, minute)).toBeUndefined();
    expect(list.check({ ...triple, client: '2001:db8:1:3::9' }, minute)).toBe(minute);
  });

  it('SEC-GREY-1 forgets a client when nothing came from it for long, not before', () => {
    const list = new Greylist(rules, () => {});
    list.check(triple, 0);
    list.check(triple, minute);
    let now = minute;
    for (let week = 0; week < 20; week += 1) {
      now += 7 * day;
      expect(list.check(triple, now)).toBeUndefined();
    }
    expect(list.check(triple, now + 35 * day)).toBe(minute);
  });

  it('SEC-GREY-1 SEC-RES-1 keeps so many entries and no more, those that are used', () => {
    const told: GreyEntry[] = [];
    const list = new Greylist({ ...rules, entries: 10 }, (entry) => told.push(entry));
    list.check(triple, 0);
    list.check(triple, minute);
    for (let index = 0; index < 100; index += 1) {
      list.check({ ...triple, client: `10.0.${index}.1` }, minute);
    }
    expect([...list.entries(minute)]).toHaveLength(10);
    expect(told.every(({ key }) => /^[ct][\w-]{22}$/.test(key))).toBe(true);
  });
});

describe('what greylisting keeps', () => {
  const open = (errors: unknown[] = [], path = join(folder, 'data', 'greylist'), now = () => 0) =>
    openGreylist(rules, { path, now, onError: (error) => errors.push(error) });

  it('SEC-GREY-1 outlives the process, is for its user alone, and names nobody', async () => {
    const list = await open();
    list.check(triple, 0);
    await list.close();
    const path = join(folder, 'data', 'greylist');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'latin1')).not.toContain('example');
    const again = await open();
    expect(again.check(triple, 2 * minute)).toBeUndefined();
    await again.close();
    const third = await open();
    expect(third.check({ ...triple, sender: 'x@y.example' }, 3 * minute)).toBeUndefined();
    await third.close();
  });

  it('reads past what a crash or a stranger wrote, whatever it is', async () => {
    const path = join(folder, 'data', 'greylist');
    const list = await open();
    list.check(triple, 0);
    await list.close();
    const good = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (garbage) => {
        writeFileSync(path, Buffer.concat([good, Buffer.from(garbage), Buffer.from('\nctruncat')]));
        const after = await open();
        expect(after.check(triple, 2 * minute)).toBeUndefined();
        await after.close();
      }),
      { numRuns: 20 },
    );
  });

  it('is written anew when most of it is stale', async () => {
    const path = join(folder, 'data', 'greylist');
    const list = await open();
    for (let index = 0; index < 45_000; index += 1) {
      list.check({ ...triple, client: `10.${index >> 8}.${index & 255}.1` }, 0);
      if (index % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await list.close();
    const { size } = statSync(path);
    expect(size).toBeLessThan(45_000 * 33);
  });

  it('goes on in memory where nothing can be written, and tells so once', async () => {
    const errors: unknown[] = [];
    writeFileSync(join(folder, 'file'), '');
    const list = await open(errors, join(folder, 'file', 'greylist'));
    expect(list.check(triple, 0)).toBe(minute);
    await list.close();
    expect(list.check(triple, minute)).toBeUndefined();
    await list.close();
    expect(errors.length).toBeGreaterThanOrEqual(1);
    expect(errors.length).toBeLessThanOrEqual(2);
  });
});
