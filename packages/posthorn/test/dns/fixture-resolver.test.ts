import { expect, it } from 'vitest';
import { createFixtureResolver } from '../../src/dns/fixture-resolver.ts';
import { describeResolver } from './resolver-suite.ts';

describeResolver('the fixture', async (zone) => ({
  resolver: createFixtureResolver(zone),
  async [Symbol.asyncDispose]() {},
}));

it('the fixture fails for the types it is told to fail for, and is secure where it is told so', async () => {
  const resolver = createFixtureResolver({
    'broken.test': { a: ['192.0.2.1'], fails: ['MX', 'AAAA'] },
    'signed.test': { cname: 'plain.test', secure: true, txt: ['x'] },
    'plain.test': { a: ['192.0.2.2'] },
  });
  expect(await resolver.mx('broken.test')).toMatchObject({ kind: 'failed' });
  expect(await resolver.addresses('broken.test', 6)).toMatchObject({ kind: 'failed' });
  expect(await resolver.addresses('broken.test', 4)).toMatchObject({ kind: 'found', secure: false });
  expect(await resolver.txt('signed.test')).toMatchObject({ kind: 'found', secure: true });
  expect(await resolver.addresses('signed.test', 4)).toMatchObject({ kind: 'found', secure: false });
});
