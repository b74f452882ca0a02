import { describe, expect, it } from 'vitest';
import type { FixtureZone } from '../../src/dns/fixture-resolver.ts';
import type { Resolver } from '../../src/dns/resolver.ts';

/** A resolver over a zone, and what has to be ended after it. */
export interface SuiteResolver extends AsyncDisposable {
  readonly resolver: Resolver;
}

const longText = `v=DKIM1; p=${'A'.repeat(600)}`;

/** The names that every resolver is tried with. */
const suiteZone: FixtureZone = {
  'example.test': {
    mx: [
      [20, 'mx2.example.test'],
      [10, 'MX1.example.test'],
    ],
    txt: ['v=spf1 -all', longText],
  },
  'mx1.example.test': { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'] },
  'mx2.example.test': { a: ['192.0.2.3'] },
  'null.test': { mx: [[0, '.']] },
  'www.example.test': { cname: 'alias.example.test' },
  'alias.example.test': { cname: 'mx1.example.test' },
  'lost.example.test': { cname: 'nowhere.example.test' },
  'loop.test': { cname: 'pool.test' },
  'pool.test': { cname: 'loop.test' },
  'deep.below.test': { a: ['192.0.2.9'] },
  '192.0.2.1': { ptr: ['mx1.example.test'] },
  '2001:db8::1': { ptr: ['mx1.example.test'] },
};

/** What holds for every resolver, however it knows the zone. */
export function describeResolver(name: string, start: (zone: FixtureZone) => Promise<SuiteResolver>): void {
  const within = async (run: (resolver: Resolver) => Promise<void>) => {
    await using started = await start(suiteZone);
    await run(started.resolver);
  };

  describe(`${name} as a Resolver`, () => {
    it('finds mail exchangers in lower case, the null MX among them', () =>
      within(async (resolver) => {
        const answer = await resolver.mx('example.test');
        expect(answer.kind === 'found' && [...answer.records].sort((a, b) => a.preference - b.preference)).toEqual([
          { preference: 10, exchange: 'mx1.example.test' },
          { preference: 20, exchange: 'mx2.example.test' },
        ]);
        expect(await resolver.mx('null.test')).toMatchObject({
          kind: 'found',
          records: [{ preference: 0, exchange: '.' }],
        });
      }));

    it('finds the addresses of one family', () =>
      within(async (resolver) => {
        const four = await resolver.addresses('mx1.example.test', 4);
        expect(four.kind === 'found' && [...four.records].sort()).toEqual(['192.0.2.1', '192.0.2.2']);
        const six = await resolver.addresses('mx1.example.test', 6);
        expect(six).toMatchObject({ kind: 'found', records: ['2001:db8::1'] });
      }));

    it('joins the strings of a text record', () =>
      within(async (resolver) => {
        const answer = await resolver.txt('example.test');
        expect(answer.kind === 'found' && [...answer.records].sort()).toEqual([longText, 'v=spf1 -all']);
      }));

    it('finds the names of an IPv4 and of an IPv6 address', () =>
      within(async (resolver) => {
        expect(await resolver.reverse('192.0.2.1')).toMatchObject({ kind: 'found', records: ['mx1.example.test'] });
        expect(await resolver.reverse('2001:DB8::1')).toMatchObject({ kind: 'found', records: ['mx1.example.test'] });
        expect(await resolver.reverse('192.0.2.200')).toMatchObject({ kind: 'absent' });
      }));

    it('tells a name without such records from a name that does not exist', () =>
      within(async (resolver) => {
        expect(await resolver.addresses('mx2.example.test', 6)).toMatchObject({ kind: 'none' });
        expect(await resolver.mx('nowhere.example.test')).toMatchObject({ kind: 'absent' });
        expect(await resolver.mx('below.test')).toMatchObject({ kind: 'none' });
      }));

    it('follows aliases to the records, to none, to nowhere, and gives up a loop of them', () =>
      within(async (resolver) => {
        expect(await resolver.addresses('www.example.test', 6)).toMatchObject({
          kind: 'found',
          records: ['2001:db8::1'],
        });
        expect(await resolver.mx('www.example.test')).toMatchObject({ kind: 'none' });
        expect(await resolver.mx('lost.example.test')).toMatchObject({ kind: 'absent' });
        expect(await resolver.mx('loop.test')).toMatchObject({ kind: 'failed' });
      }));

    it('takes no heed of case and of a dot at the end', () =>
      within(async (resolver) => {
        expect(await resolver.addresses('MX2.Example.TEST.', 4)).toMatchObject({ records: ['192.0.2.3'] });
      }));

    it('calls names absent that cannot exist', () =>
      within(async (resolver) => {
        for (const impossible of ['', '.', 'a..test', '.test', `${'a'.repeat(64)}.test`, `${'a.'.repeat(127)}test`]) {
          expect(await resolver.mx(impossible)).toEqual({ kind: 'absent', secure: false });
        }
        expect(await resolver.reverse('not an address')).toEqual({ kind: 'absent', secure: false });
      }));

    it('knows localhost without being told', () =>
      within(async (resolver) => {
        expect(await resolver.addresses('localhost', 4)).toMatchObject({ records: ['127.0.0.1'] });
        expect(await resolver.addresses('mail.localhost', 6)).toMatchObject({ records: ['::1'] });
        expect(await resolver.mx('localhost')).toMatchObject({ kind: 'none' });
      }));

    it('rejects with the failure aborted when it is told to give up', () =>
      within(async (resolver) => {
        await expect(resolver.mx('example.test', AbortSignal.abort())).rejects.toMatchObject({
          name: 'Failure',
          kind: 'aborted',
        });
      }));
  });
}
