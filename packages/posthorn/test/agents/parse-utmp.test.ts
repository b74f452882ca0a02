import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LoggedIn, parseUtmp, type UtmpLayout, utmpLayoutOf } from '../../src/agents/parse-utmp.ts';
import { utmpRecord } from './utmp-record.ts';

const layouts: UtmpLayout[] = [utmpLayoutOf('x64', true), utmpLayoutOf('arm64', true), utmpLayoutOf('s390x', false)];
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const line = fc.oneof(
  fc.integer({ min: 0, max: 9999 }).map((number) => `pts/${number}`),
  fc.constantFrom('tty1', 'console'),
);
const login = fc.record({ user: name, line });

describe('utmp', () => {
  it('CMD-SEND-2 is read record by record, in the layout of each kind of machine', () => {
    fc.assert(
      fc.property(fc.constantFrom(...layouts), fc.array(login), (layout, logins) => {
        const bytes = Buffer.concat(logins.map((each) => utmpRecord(each, layout)));
        expect(parseUtmp(bytes, layout)).toEqual(logins);
      }),
    );
  });

  it('CMD-SEND-2 passes over records of other kinds, names that lead elsewhere, and a record that is cut off', () => {
    const [layout] = layouts as [UtmpLayout];
    const record = (change: Partial<LoggedIn>, kind = 7) =>
      utmpRecord({ user: 'bob', line: 'pts/1', ...change }, layout, kind);
    const bytes = Buffer.concat([
      record({}, 8),
      record({}, 2),
      record({ user: '' }),
      ...['../etc/passwd', '/dev/sda', 'pts/..', ':0', '', 'pts/1\n', 'a/b/c/d/e'].map((place) =>
        record({ line: place }),
      ),
      record({ line: 'pts/2' }),
      record({}).subarray(0, -1),
    ]);
    expect(parseUtmp(bytes, layout)).toEqual([{ user: 'bob', line: 'pts/2' }]);
  });

  it('gives no more than the octets hold, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.constantFrom(...layouts), (octets, layout) => {
        const found = parseUtmp(Buffer.from(octets), layout);
        expect(found.length).toBeLessThanOrEqual(Math.floor(octets.length / layout.size));
        for (const each of found) expect(each.line).toMatch(/^[a-z0-9/]+$/i);
      }),
    );
  });
});
