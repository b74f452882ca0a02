import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Exchanger, orderExchangers } from '../../src/routing/exchangers.ts';

const ownNames = ['MX.own.test'];

function order(records: readonly (readonly [number, string])[], chance = () => 0) {
  const answer = {
    kind: 'found',
    records: records.map(([preference, exchange]) => ({ preference, exchange })),
  } as const;
  return orderExchangers({ domain: 'example.test', answer, ownNames, chance });
}

function names(result: ReturnType<typeof order>): string[] {
  return result.kind === 'exchangers' ? result.exchangers.map(({ exchange }) => exchange) : [result.status];
}

describe('orderExchangers', () => {
  it('CLI-MX-1 puts the lower preference first', () => {
    expect(
      names(
        order([
          [20, 'b.test'],
          [5, 'a.test'],
          [100, 'c.test'],
        ]),
      ),
    ).toEqual(['a.test', 'b.test', 'c.test']);
  });

  it('CLI-MX-2 shuffles those of equal preference, and those alone', () => {
    const records = [
      [10, 'a.test'],
      [10, 'b.test'],
      [10, 'c.test'],
      [20, 'z.test'],
    ] as const;
    const seen = new Map<string, number>();
    let state = 1;
    const chance = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    for (let count = 0; count < 600; count += 1) {
      const key = names(order(records, chance)).join(' ');
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const [key, count] of seen) {
      expect(key.endsWith(' z.test')).toBe(true);
      expect(count).toBeGreaterThan(50);
    }
  });

  it('CLI-MX-3 takes the domain itself when there is no record, and never beside one', () => {
    const result = orderExchangers({ domain: 'example.test', answer: { kind: 'none' }, ownNames, chance: () => 0 });
    expect(names(result)).toEqual(['example.test']);
    expect(names(order([[10, 'mx.test']]))).toEqual(['mx.test']);
    expect(names(order([[10, '?']]))).toEqual(['5.4.4']);
  });

  it('CLI-MX-4 fails at once for a null MX, and ignores it beside others', () => {
    expect(order([[0, '.']])).toMatchObject({ kind: 'outcome', outcomeKind: 'failed', status: '5.1.10' });
    expect(
      names(
        order([
          [0, '.'],
          [10, 'mx.test'],
        ]),
      ),
    ).toEqual(['mx.test']);
  });

  it('CLI-MX-5 fails for a domain that does not exist, defers when it cannot be known', () => {
    const answer = (kind: 'absent' | 'failed') =>
      orderExchangers({ domain: 'example.test', answer: { kind, text: 'x' }, ownNames, chance: () => 0 });
    expect(answer('absent')).toMatchObject({ outcomeKind: 'failed', status: '5.1.2' });
    expect(answer('failed')).toMatchObject({ outcomeKind: 'deferred', status: '4.4.3' });
  });

  it('CLI-MX-6 cuts its own preference and all that is worse; with none left, mail loops', () => {
    const records = [
      [5, 'a.test'],
      [10, 'mx.own.test'],
      [10, 'equal.test'],
      [20, 'worse.test'],
    ] as const;
    expect(names(order(records))).toEqual(['a.test']);
    expect(order(records.slice(1))).toMatchObject({ outcomeKind: 'failed', status: '5.4.6' });
    const implicit = orderExchangers({ domain: 'mx.own.test', answer: { kind: 'none' }, ownNames, chance: () => 0 });
    expect(implicit).toMatchObject({ status: '5.4.6' });
  });

  it('CLI-MX-10 skips addresses in place of names', () => {
    expect(
      names(
        order([
          [5, '192.0.2.1'],
          [6, '2001:db8::1'],
          [10, 'mx_1.test'],
        ]),
      ),
    ).toEqual(['mx_1.test']);
    expect(names(order([[5, '192.0.2.1']]))).toEqual(['5.4.4']);
  });

  it('never names a host twice, and never one that was not in the answer', () => {
    const record = fc.tuple(fc.nat(3), fc.constantFrom('a.test', 'b.test', 'c.test', '.', 'mx.own.test', '?'));
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), (records) => {
        const result = order(records);
        if (result.kind !== 'exchangers') return;
        const preferences = result.exchangers.map(({ preference }: Exchanger) => preference);
        expect(preferences).toEqual([...preferences].sort((a, b) => a - b));
        expect(new Set(names(result)).size).toBe(result.exchangers.length);
        const own = records.filter(([, name]) => name === 'mx.own.test').map(([preference]) => preference);
        expect(Math.max(...preferences)).toBeLessThan(Math.min(...own));
        for (const { preference, exchange } of result.exchangers)
          expect(records).toContainEqual([preference, exchange]);
      }),
    );
  });
});
