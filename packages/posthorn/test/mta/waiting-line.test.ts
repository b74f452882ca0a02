import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Waiting } from '../../src/mta/destinations.ts';
import { WaitingLine } from '../../src/mta/waiting-line.ts';

let count = 0;

function waiting(priority?: number): Waiting {
  count += 1;
  const envelope = { id: String(count), ...(priority === undefined ? {} : { priority }) };
  return { job: { envelope }, done: () => {} } as unknown as Waiting;
}

function fill(line: WaitingLine, priorities: readonly (number | undefined)[]): Waiting[] {
  const all = priorities.map(waiting);
  for (const each of all) line.push(each);
  return all;
}

const shiftAll = (line: WaitingLine) => {
  const all: Waiting[] = [];
  for (let next = line.shift(); next !== undefined; next = line.shift()) all.push(next);
  return all;
};

describe('a waiting line', () => {
  it('EXT-PRI-2 has the higher priority first, and of one priority who came first', () => {
    const line = new WaitingLine();
    const all = fill(line, [undefined, 4, 4]);
    expect(shiftAll(line)).toEqual([all[1], all[2], all[0]]);
  });

  it('EXT-PRI-2 lets the oldest of all begin now and then, whatever waits beside it', () => {
    const line = new WaitingLine();
    const [oldest] = fill(line, [-9]);
    fill(line, Array(20).fill(9));
    const begun = [line.shift(), line.shift(), line.shift(), line.shift()];
    expect(begun).toContain(oldest);
  });

  it('gives up the last of the lowest for a higher one, and none for its equal', () => {
    const line = new WaitingLine();
    const all = fill(line, [3, 0, 0]);
    expect(line.displace(0)).toBeUndefined();
    expect(line.displace(1)).toBe(all[2]);
    expect(line.displace(1)).toBe(all[1]);
    expect(line.displace(1)).toBeUndefined();
    expect(line.length).toBe(1);
    expect(line.clear()).toEqual([all[0]]);
    expect([line.length, line.shift()]).toEqual([0, undefined]);
  });

  it('loses nobody and doubles nobody', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: -9, max: 9 }), { nil: undefined })), (priorities) => {
        const line = new WaitingLine();
        const all = fill(line, priorities);
        const begun = shiftAll(line);
        expect(begun).toHaveLength(all.length);
        expect(new Set(begun)).toEqual(new Set(all));
      }),
    );
  });
});
