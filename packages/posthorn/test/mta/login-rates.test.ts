import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoginRates } from '../../src/mta/login-rates.ts';

const hour = 60 * 60_000;

describe('the rates of logins', () => {
  it('SUB-11 allow what is permitted in an hour at once, then as much as the time refills', () => {
    let now = 0;
    const rates = new LoginRates({ messages: 60, recipients: 1 }, () => now);
    for (let sent = 0; sent < 60; sent += 1) expect(rates.message('ann')).toBeUndefined();
    expect(rates.message('ann')).toEqual({
      code: 450,
      status: '4.7.28',
      lines: ['Too many messages from this login; try again in 60 seconds'],
    });
    expect(rates.message('bob')).toBeUndefined();
    now += 60_000;
    expect([rates.message('ann'), rates.message('ann')?.code]).toEqual([undefined, 450]);
    now += 100 * hour;
    expect([rates.recipient('ann'), rates.recipient('ann')?.code]).toEqual([undefined, 452]);
  });

  it('SUB-11 end the session of a client that does not listen', () => {
    const rates = new LoginRates({ messages: 1, recipients: 1 }, () => 0);
    rates.message('ann');
    const codes = Array.from({ length: 22 }, () => rates.message('ann')?.code);
    expect(codes).toEqual([...Array(20).fill(450), 421, 421]);
  });

  it('SUB-11 never allow more than twice the limit in an hour, for any order of times', () => {
    const steps = fc.array(fc.integer({ min: 0, max: hour / 4 }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (waits, messages) => {
        let now = 0;
        const rates = new LoginRates({ messages, recipients: 1 }, () => now);
        const allowed: number[] = [];
        for (const wait of waits) {
          now += wait;
          if (rates.message('ann') === undefined) allowed.push(now);
        }
        for (const start of allowed) {
          expect(allowed.filter((at) => at >= start && at <= start + hour).length).toBeLessThanOrEqual(2 * messages);
        }
      }),
    );
  });
});
