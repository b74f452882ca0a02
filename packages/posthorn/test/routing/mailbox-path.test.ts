import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillPath } from '../../src/routing/mailbox-path.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 64 }),
  fc.string({
    unit: fc.constantFrom('.', '/', '\\', '\0', '%', '{local}', '{domain}', '~', '2', 'E', 'F', 'a', '\n'),
    maxLength: 20,
  }),
);

describe('fillPath', () => {
  it('keeps every part within its folder, as one name that hides nothing', () => {
    fc.assert(
      fc.property(hostile, hostile, (local, domain) => {
        const path = fillPath('/mail/{domain}/box/{local}', { local, domain });
        if (path === undefined) return;
        expect(resolve(path)).toBe(path);
        const names = path.split('/');
        expect(names).toHaveLength(5);
        expect(names.slice(0, 2)).toEqual(['', 'mail']);
        for (const name of names.slice(2)) expect(name).toMatch(/^[^./\0][^/\0]*$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives different names to different parts', () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        const path = (local: string) => fillPath('/mail/{local}', { local, domain: '' });
        const [first, second] = [path(one), path(other)];
        if (first !== undefined && !Buffer.from(one).equals(Buffer.from(other))) expect(first).not.toBe(second);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves usual names as they are, and gives up what no file system could hold', () => {
    const domain = 'example.org';
    expect(fillPath('/m/{domain}/{local}', { local: 'josé.o-neil+x_y=z', domain })).toBe(
      '/m/example.org/josé.o-neil+x_y=z',
    );
    expect(fillPath('/m/{local}', { local: '../../etc/passwd', domain })).toBe('/m/%2E.%2F..%2Fetc%2Fpasswd');
    expect(fillPath('/m/{local}', { local: '', domain })).toBe('/m/%');
    expect(fillPath('/m/{local}', { local: '/'.repeat(81), domain })).toBeUndefined();
    expect(fillPath('/m/all', { local: '/'.repeat(81), domain })).toBe('/m/all');
  });
});
